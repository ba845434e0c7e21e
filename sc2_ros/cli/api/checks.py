# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a verb refuses before it begins to work."""

import argparse
import math
from pathlib import Path

from sc2_ros.errors import InputError, ParameterError

MOST_FPS = 1000
MOST_SEED = 2**31 - 1
FIGURES = (".png", ".svg", ".pdf", ".jpg")


def check_positive(args: argparse.Namespace, *names: str) -> None:
    """Refuse an option that is given and not a number above 0.

    Raises:
        ParameterError: says which one.
    """
    for name in names:
        value = getattr(args, name)
        if value is not None and not 0 < value < math.inf:
            option = "--" + name.replace("_", "-")
            raise ParameterError(f"{option} {value:g} is out of range; give a number above 0")


def check_fps(fps: float | None) -> None:
    """Refuse a frame rate that no camera has.

    Raises:
        ParameterError: it is not above 0, or above MOST_FPS.
    """
    if fps is not None and not 0 < fps <= MOST_FPS:
        raise ParameterError(f"--fps {fps:g} is out of range; give above 0 to {MOST_FPS}")


def check_unused(args: argparse.Namespace, what: str, *names: str) -> None:
    """Refuse an option that is given and would be ignored.

    Raises:
        ParameterError: says which one.
    """
    for name in names:
        if getattr(args, name) is not None:
            raise ParameterError(f"--{name} means nothing for {what}; leave it out")


def check_seed(seed: int) -> None:
    """Refuse a seed that the node's parameter does not take.

    Raises:
        ParameterError: it is below 0, or above MOST_SEED.
    """
    if not 0 <= seed <= MOST_SEED:
        raise ParameterError(f"--seed {seed} is out of range; give 0 to {MOST_SEED}")


def check_file(option: str, path: Path | None) -> None:
    """Refuse a folder where a file is to be written.

    Raises:
        InputError: it is one.
    """
    if path is not None and path.is_dir():
        raise InputError(f"{option} {path} is a folder; give a file")


def check_figure(option: str, path: Path) -> None:
    """Refuse what no figure can be written to.

    Raises:
        InputError: a folder, or a kind of file that is not drawn.
    """
    check_file(option, path)
    if path.suffix.lower() not in FIGURES:
        raise InputError(f"{option} {path} is no figure; give a file in {' '.join(FIGURES)}")
