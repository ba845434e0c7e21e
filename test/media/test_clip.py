# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A clip plays the frames and the truth that were recorded, to the last pixel."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from recordings import make_folder

from sc2_ros.errors import InputError
from sc2_ros.media.clip import record_clip
from sc2_ros.media.source import open_source


def test_a_flight_is_played_as_it_was_rendered(tmp_path: Path) -> None:
    flight = open_source("synthetic:4", size=(96, 64), fps=10)
    record_clip(flight, tmp_path / "clip", 5)

    clip = open_source(str(tmp_path / "clip"))

    assert (clip.fps, clip.name) == (10, "synthetic:4")
    played = list(clip)
    assert len(played) == 5
    for frame, rendered in zip(played, islice(flight, 5), strict=True):
        assert np.array_equal(frame.image, rendered.image)
        assert (frame.stamp_ns, frame.frame_id) == (rendered.stamp_ns, rendered.frame_id)
        assert frame.truth is not None
        assert rendered.truth is not None
        assert np.array_equal(frame.truth.boxes, rendered.truth.boxes)
        assert np.array_equal(frame.truth.labels, rendered.truth.labels)
        assert np.array_equal(frame.truth.mask, rendered.truth.mask)


def test_a_source_without_truth_that_ends_early(tmp_path: Path) -> None:
    folder = open_source(str(make_folder(tmp_path / "images")))
    recorded = list(folder)
    record_clip(folder, tmp_path / "clip", 1000)

    played = list(open_source(str(tmp_path / "clip")))

    assert len(played) == len(recorded)
    assert played[-1].truth is None
    assert np.array_equal(played[-1].image, recorded[-1].image)


def test_a_damaged_clip_is_named(tmp_path: Path) -> None:
    record_clip(open_source("synthetic", size=(32, 32)), tmp_path / "clip", 2)
    (tmp_path / "clip" / "images.npy").write_bytes(b"no array")

    with pytest.raises(InputError, match=r"clip in .* cannot be read"):
        open_source(str(tmp_path / "clip"))
