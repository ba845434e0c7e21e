# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of one recording are cut in time, however a recorder names them."""

import cv2
import numpy as np
import pytest

from sc2_ros.data import open_dataset
from sc2_ros.data.splits import sequences, split_stems

STEP_NS = 100_000_000
# 40 frames at 10 Hz, each some microseconds late, over a change of the second.
STAMPS = [1_700_000_000_300_000_000 + n * STEP_NS + 37_000 * (n % 5) for n in range(40)]


def _seconds(stamp, digits):
    fraction = f"{stamp % 10**9:09d}"[:digits]
    return stamp // 10**9, fraction


NAMES = {
    "ns": [str(stamp) for stamp in STAMPS],
    "sec.nsec": ["{}.{}".format(*_seconds(stamp, 9)) for stamp in STAMPS],
    "sec.usec": ["{}.{}".format(*_seconds(stamp, 6)) for stamp in STAMPS],
    "sec_nsec": ["{}_{}".format(*_seconds(stamp, 9)) for stamp in STAMPS],
    "seconds as Python writes them": [str(round(stamp / 1e9, 3)) for stamp in STAMPS],
    "date and ms": [f"20240131_1200{n // 10:02d}_{n % 10 * 100:03d}" for n in range(40)],
    "every 60th": [f"frame_{60 * n:06d}" for n in range(40)],
    "DJI": [f"DJI_202401311200{n:02d}_{n + 1:04d}_V" for n in range(40)],
    "a suffix": [f"{n:04d}_rgb" for n in range(40)],
    "a constant after it": [f"flight{n:04d}_cam1" for n in range(40)],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_cut_in_time(name):
    stems = NAMES[name]

    assert split_stems(stems[::-1], "train") == stems[:32]
    assert split_stems(stems[::-1], "val") == stems[32:]


def test_two_pictures_of_one_shot_stay_together():
    stems = [f"DJI_202401311200{n:02d}_{n:04d}_{kind}" for n in range(20) for kind in "TV"]

    assert split_stems(stems, "val") == stems[32:]


def test_a_stem_that_is_given_twice_is_cut_once():
    stems = [f"f{n}" for n in range(10)]

    assert split_stems(stems * 2, "val") == ["f8", "f9"]


def test_recordings_far_apart_are_two_sequences_at_any_step():
    hour = 3600 * 10**9
    stamps = [str(stamp + flight * hour) for flight in range(2) for stamp in STAMPS]
    frames = [f"f{60 * n}" for n in [*range(40), *range(900, 940)]]

    assert sequences(stamps) == [stamps[:40], stamps[40:]]
    assert sequences(frames) == [frames[:40], frames[40:]]


@pytest.mark.parametrize("pattern", ["seq{}_{:04d}", "2024013112000{}_{:04d}", "{}-{}"])
def test_frames_that_are_counted_anew_in_each_recording_are_sequences(pattern):
    stems = [pattern.format(flight, n) for flight in range(5) for n in range(10)]

    assert [len(group) for group in sequences(stems)] == [10] * 5
    assert split_stems(stems, "val") == stems[10:20]


def test_footage_named_by_stamps_keeps_its_last_fifth_aside(tmp_path):
    for stem in NAMES["sec.nsec"]:
        assert cv2.imwrite(str(tmp_path / f"{stem}.png"), np.zeros((8, 8, 3), np.uint8))

    val = [sample.name for sample in open_dataset(tmp_path, "val")]

    assert val == [f"{stem}.png" for stem in NAMES["sec.nsec"][32:]]
