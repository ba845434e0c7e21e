# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`sc2 VERB`: finds the verb's file, parses its arguments, turns our errors into one line.

A verb is a module of this folder with a docstring, whose first line is its help,
`add_arguments(parser)` and `main(args) -> int`. Only the verb that is called is imported, so that
`sc2 --help` does not wait for torch; the help lines are read from the files' text.
"""

import argparse
import ast
import importlib
import os
import sys
from pathlib import Path

from sc2_ros import __version__
from sc2_ros.errors import Sc2Error, not_installed
from sc2_ros.runtime.errors import RosError
from sc2_ros.threads import leave_cores_to_winograd

VERBS = (
    *("demo", "onboard", "ground", "replay", "link", "train", "evaluate"),
    *("export", "info", "key", "fleet"),
)
_EXTRA_OF = {"ground": "ground", "evaluate": "eval", "train": "train", "export": "train"}
"""Of setup.cfg; the other verbs' is "demo"."""

_RUN_THE_GROUND = ("replay", "evaluate")
"""Verbs that run the ground network in this process; nodes have their own."""


def main(argv: list[str] | None = None) -> int:
    """Run one verb; returns the exit status (2 for an error that the user can mend)."""
    argv = sys.argv[1:] if argv is None else argv
    verb = argv[0] if argv and argv[0] in VERBS else None
    try:
        if verb is None:
            overview().parse_args(argv)  # exits: help, version, or an unknown verb
            overview().print_help()
            return 2
        if verb in _RUN_THE_GROUND:
            leave_cores_to_winograd()
        module = importlib.import_module(f"sc2_ros.cli.{verb}")
        parser = argparse.ArgumentParser(
            prog=f"sc2 {verb}",
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(parser)
        own, ros = split_ros_arguments(argv[1:], parser)
        args = parser.parse_args(own)
        args.ros = ros
        return int(module.main(args))
    except ModuleNotFoundError as error:
        extra = _EXTRA_OF.get(verb or "", "demo")
        print(f"error: {not_installed(error, extra)}", file=sys.stderr)
        return 2
    except (Sc2Error, RosError) as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    except BrokenPipeError:  # `sc2 info ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def split_ros_arguments(
    argv: list[str], parser: argparse.ArgumentParser
) -> tuple[list[str], list[str]]:
    """What is ours and what comes from --ros-args on, for the verbs that run a node."""
    if "--ros-args" not in argv or not parser.get_default("takes_ros_arguments"):
        return argv, []
    at = argv.index("--ros-args")
    return argv[:at], argv[at:]


def overview() -> argparse.ArgumentParser:
    """The parser that only knows the verbs' names, for `sc2 --help` and for mistyped verbs."""
    parser = argparse.ArgumentParser(
        prog="sc2",
        description="Split computing for drones: features instead of video over a narrow link.",
        epilog="sc2 VERB --help tells the options of a verb.",
    )
    parser.add_argument("--version", action="version", version=f"sc2_ros {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    for verb in VERBS:
        if help_line := first_line(verb):
            verbs.add_parser(verb, help=help_line)
    return parser


def first_line(verb: str) -> str:
    """The first line of the verb's docstring; empty where the verb is not installed."""
    path = Path(__file__).with_name(f"{verb}.py")
    if not path.exists():
        return ""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    line = docstring.partition("\n")[0].rstrip(".").replace("%", "%%")
    return line[:1].lower() + line[1:]


if __name__ == "__main__":
    sys.exit(main())
