# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell what a checkpoint or a bag holds.

sc2 info default
sc2 info out/demo/results
"""

import argparse
from pathlib import Path

from rich.console import Console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("what", metavar="CHECKPOINT|BAG", help="name or file, folder of a bag")


def main(args: argparse.Namespace) -> int:
    """Print what it is."""
    from sc2_ros.media.bag import is_bag

    path = Path(args.what).expanduser()
    console = Console()
    if path.exists() and is_bag(path):
        from sc2_ros.cli.api.bag_info import print_bag

        print_bag(console, path)
    else:
        from sc2_ros.cli.api.checkpoint_info import print_checkpoint

        print_checkpoint(console, args.what)
    return 0
