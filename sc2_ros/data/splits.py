# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which images count: splits for data sets that come without, and some images of many."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median_low

SPLIT_NAMES = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
"""What folders and files of a split are called, in lower case."""
# Frames of one name are taken for another sequence where the step between their numbers is so many
# times the usual one: every frame, every 60th and stamps in ns then count alike.
_SEQUENCE_GAP = 50
_VAL_EVERY = 4
# Seconds since 1970, or date and time, and their fraction. "_0012" after a date is a counter.
_STAMP = re.compile(
    r"(?<!\d)(\d{10}|20\d{6}[-_T]?\d{6})(?:\.(\d{1,9})|[-_](\d{3}|\d{6}|\d{9}))(?!\d)"
)


def split_folder(parent: Path, split: str) -> Path | None:
    """The folder of a split in `parent`, by any of SPLIT_NAMES and without case; None: none.

    A year may stand behind the name, as in COCO's train2017.
    """
    inside = sorted(p for p in parent.iterdir() if p.is_dir()) if parent.is_dir() else []
    folders = {re.sub(r"20\d\d$", "", p.name.lower()): p for p in inside}
    folders |= {p.name.lower(): p for p in inside}
    names = SPLIT_NAMES.get(split, (split.lower(),))
    return next((folders[name] for name in names if name in folders), None)


def sequences(stems: Sequence[str]) -> list[list[str]]:
    """Group file stems into sequences: same name before the frame number, usual steps between.

    A stem that is given twice comes once.

    >>> sequences(["a1", "a2", "a90", "b7"])
    [['a1', 'a2'], ['a90'], ['b7']]
    >>> sequences(["a0", "a60", "a120", "a9000", "a9060"])
    [['a0', 'a60', 'a120'], ['a9000', 'a9060']]
    """
    frames = sorted((*place, stem) for stem, place in _places(stems).items())
    groups = []
    for _, run in groupby(frames, key=lambda frame: frame[0]):
        members = list(run)
        steps = [after[1] - before[1] for before, after in pairwise(members)]
        gap = _SEQUENCE_GAP * max(1, median_low(steps)) if steps else 0
        groups.append([members[0][2]])
        for step, (_, _, stem) in zip(steps, members[1:], strict=True):
            if step > gap:
                groups.append([])
            groups[-1].append(stem)
    return groups


def _places(stems: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Per stem the name of its recording and the number of its frame.

    The number is the last run of digits that differs between stems that are alike but for digits,
    so a suffix as in 0001_V does not hide it; the name is what stands before it.
    """
    alike: dict[tuple[str, ...], dict[str, list[str]]] = defaultdict(dict)
    for stem in dict.fromkeys(stems):
        parts = re.split(r"(\d+)", _STAMP.sub(_joined, stem))  # text, digits, text, ...
        alike[tuple(parts[::2])][stem] = parts
    places: dict[str, tuple[str, int]] = {}
    for texts, members in alike.items():
        if len(texts) == 1:  # no digits
            places |= {stem: (stem, 0) for stem in members}
            continue
        runs = range(1, 2 * len(texts) - 1, 2)
        vary = [run for run in runs if len({parts[run] for parts in members.values()}) > 1]
        last = vary[-1] if vary else runs[-1]
        # Where the last number runs on through all files in order, as in DJI's names of a time and
        # a number, an earlier one that differs does not name a recording.
        rows = sorted([int(parts[run]) for run in runs] for parts in members.values())
        counts_all = all(a[last // 2] < b[last // 2] for a, b in pairwise(rows))
        for stem, parts in members.items():
            name = "".join(
                "#" if counts_all and place in vary else part
                for place, part in enumerate(parts[:last])
            )
            places[stem] = (name, int(parts[last]))
    return places


def _joined(stamp: re.Match[str]) -> str:
    """A stamp's digits as one number, its fraction in nine digits."""
    whole, after_point, after_dash = stamp.groups()
    return re.sub(r"\D", "", whole) + (after_point or after_dash).ljust(9, "0")


def split_stems(stems: Sequence[str], split: str) -> list[str]:
    """Deterministic train or val part: whole sequences, each fourth one to val.

    A single sequence is cut in time: its last fifth is val.
    """
    groups = sequences(stems)
    if len(groups) == 1:
        (group,) = groups
        cut = len(group) - max(1, len(group) // 5)
        return group[:cut] if split == "train" else group[cut:]
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
