# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which images count: splits for data sets that come without, and some images of many."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

# Frames of one name whose numbers are further apart than this are taken for another sequence.
_SEQUENCE_GAP = 50
_VAL_EVERY = 4


def sequences(stems: Sequence[str]) -> list[list[str]]:
    """Group file stems into sequences: same name before the final number, numbers close together.

    >>> sequences(["a1", "a2", "a90", "b7"])
    [['a1', 'a2'], ['a90'], ['b7']]
    """

    def key(stem: str) -> tuple[str, int]:
        match = re.fullmatch(r"(.*?)(\d*)", stem)
        assert match is not None  # the pattern matches any one line
        return match[1], int(match[2] or 0)

    ordered = sorted(stems, key=key)
    groups = [ordered[:1]] if ordered else []
    for before, stem in pairwise(ordered):
        (name, number), (name_before, number_before) = key(stem), key(before)
        if name != name_before or number - number_before > _SEQUENCE_GAP:
            groups.append([])
        groups[-1].append(stem)
    return groups


def split_stems(stems: Sequence[str], split: str) -> list[str]:
    """Deterministic train or val part: whole sequences, each fourth one to val.

    A single sequence is cut in time: its last fifth is val.
    """
    groups = sequences(stems)
    if len(groups) == 1:
        cut = len(stems) - max(1, len(stems) // 5)
        return groups[0][:cut] if split == "train" else groups[0][cut:]
    offset = min(1, len(groups) - 1)
    return [
        stem
        for i, group in enumerate(groups)
        for stem in group
        if (i % _VAL_EVERY == offset) == (split == "val")
    ]


def split_files(files: Sequence[Path], split: str) -> list[Path]:
    """`split_stems` of files; those of one stem, as a.jpg and a.png, stay together."""
    files_of: dict[str, list[Path]] = {}
    for file in files:
        files_of.setdefault(file.stem, []).append(file)
    return [file for stem in split_stems(list(files_of), split) for file in files_of[stem]]


def choose(count: int, limit: int | None) -> list[int]:
    """Indices of at most `limit` of `count` items, spread evenly."""
    if limit is None or limit >= count:
        return list(range(count))
    return [i * count // limit for i in range(limit)]
