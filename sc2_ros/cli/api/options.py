# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options that `sc2 demo` and `sc2 replay` share, and what they mean for the drone's pipeline."""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sc2_ros.cli.api.checks import check_fps, check_positive, check_seed
from sc2_ros.codec.wire import MAX_ENCODED_SIDE
from sc2_ros.errors import InputError, ParameterError
from sc2_ros.link.rate import RATE_MODES
from sc2_ros.link.sim.spec import LinkSpec

if TYPE_CHECKING:
    from rich.console import Console

    from sc2_ros.cli.api.view import ViewServer

DEFAULT_LINK = "500kbit,40ms,2%"
BUDGET_SHARE, TRACE_SHARE = 0.8, 0.5
"""Share of a link's mean capacity that is used where no --max-kbps says otherwise."""

AUTO_KBPS = 4000.0
MOST_KBPS = 100_000.0


def add_stream_options(parser: argparse.ArgumentParser) -> None:
    """Link, rate, sizes and checkpoint."""
    parser.add_argument(
        "--link",
        default=DEFAULT_LINK,
        metavar="SPEC",
        help="RATE[,DELAY[,LOSS%%]] or TRACE[,DELAY[,LOSS%%]] (default: %(default)s)",
    )
    parser.add_argument(
        "--rate-mode",
        choices=RATE_MODES,
        default="auto",
        help="auto: follow the link; budget: best index that fits --max-kbps; fixed: --rate-index "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--rate-index", type=float, default=0.5, metavar="R", help="0 to 1 (default: %(default)s)"
    )
    parser.add_argument(
        "--max-kbps",
        type=float,
        metavar="KBPS",
        help=(
            f"kbit/s at most (default: budget {BUDGET_SHARE:.0%} of the link's mean, "
            f"auto {AUTO_KBPS:g})"
        ).replace("%", "%%"),
    )
    parser.add_argument("--fps", type=float, metavar="N", help="frames per second at most")
    parser.add_argument("--size", metavar="WxH", help="size of the frames, such as 640x480")
    parser.add_argument("--topic", help="image topic of a bag that has several")
    parser.add_argument(
        "--checkpoint", default="default", metavar="NAME", help="name or file (default: default)"
    )
    add_view(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the link's luck (default: 0)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument(
        "--precision",
        default="auto",
        help="of the ground's network: fp32, bf16, fp16 (GPU), or auto, as in the nodes: what the "
        "device is quickest at (default: %(default)s)",
    )


def add_view(parser: argparse.ArgumentParser) -> None:
    """Declare --view."""
    parser.add_argument(
        "--view",
        type=port,
        nargs="?",
        const=0,
        metavar="PORT",
        help="show it in a browser, at a port of this computer (default: a free one)",
    )


def port(text: str) -> int:
    """The number of a port; 0 takes a free one.

    Raises:
        ParameterError: there is no such port.
    """
    number = int(text)
    if not 0 <= number <= 65535:
        raise ParameterError(f"--view {number} is out of range; give a port from 0 to 65535")
    return number


def frame_size(text: str | None) -> tuple[int, int] | None:
    """(width, height) of "640x480"; None for None.

    Raises:
        InputError: anything else, or more than packets can tell.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text.strip().lower())
    if match is None or min(size := (int(match[1]), int(match[2]))) < 1:
        raise InputError(f"--size {text!r} is not a size; give WIDTHxHEIGHT, such as 640x480")
    if max(size) > MAX_ENCODED_SIDE:
        raise InputError(f"--size {text!r} is too large; give at most {MAX_ENCODED_SIDE} a side")
    return size


def check_rates(args: argparse.Namespace) -> None:
    """Refuse numbers that mean nothing.

    Raises:
        ParameterError: says which one.
    """
    if not 0 <= args.rate_index <= 1:
        raise ParameterError(f"--rate-index {args.rate_index:g} is out of range; give 0 to 1")
    check_positive(args, "max_kbps", "seconds")
    check_fps(args.fps)
    check_seed(args.seed)


def budget_kbps(max_kbps: float | None, link: LinkSpec, mode: str) -> float:
    """The most kbit/s: as given, else for a budget a share of the link's mean capacity."""
    if max_kbps is not None:
        return max_kbps
    if mode == "auto":
        return AUTO_KBPS
    # A recorded link is often far below its mean.
    share = BUDGET_SHARE if link.trace is None else TRACE_SHARE
    return min(link.mean_bps * share / 1000, MOST_KBPS)


def short_link(link: str) -> str:
    """A link for a title: a trace without its folder."""
    return re.sub(r"[^,]*/", "", link)


@contextmanager
def view_of(
    args: argparse.Namespace, console: "Console", title: str
) -> Iterator["ViewServer | None"]:
    """The page of --view, whose address is printed; None without that option.

    Raises:
        Sc2Error: the port cannot be had.
    """
    if args.view is None:
        yield None
        return
    from sc2_ros.cli.api.view import ViewServer

    with ViewServer(args.view, title) as view:
        console.print(f"to be seen at {view.url}", highlight=False)
        yield view
