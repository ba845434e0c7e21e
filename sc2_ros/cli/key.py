# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Make or name the key that seals the air link.

sc2 key new drone1.key
sc2 key id drone1.key
"""

import argparse
from pathlib import Path

WORDS = {
    "new": "write a new random key that only you may read",
    "id": "show the key's fingerprint, to compare both sides; it says nothing about the key",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    words = parser.add_subparsers(dest="word", metavar="WORD", required=True)
    for word, what in WORDS.items():
        words.add_parser(word, help=what).add_argument("file", metavar="FILE", type=Path)


def main(args: argparse.Namespace) -> int:
    """Make or name a key."""
    from sc2_ros.link.air.key import load_key_file, new_key_file

    path = args.file.expanduser()
    if args.word == "id":
        print(load_key_file(path).fingerprint)
        return 0
    key = new_key_file(path)
    print(
        f"{path}: a new key, fingerprint {key.fingerprint}. Copy it to the other side by a way "
        "that you trust (scp -p), and set air.key_file on both."
    )
    return 0
