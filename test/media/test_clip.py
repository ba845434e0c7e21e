# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A clip plays the frames and the truth that were recorded, to the last pixel."""

import shutil
import subprocess
import sys
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


CRAMPED = """
import sys
from pathlib import Path
from sc2_ros.media.clip import record_clip
from sc2_ros.media.source import open_source

try:
    record_clip(open_source("synthetic", size=(128, 128)), Path(sys.argv[1], "clip"), 100)
except OSError as error:
    print(error)
"""


def test_a_disk_that_is_too_small_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=1m none {tmp_path}"
    inside = ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"], check=False).returncode:
        pytest.skip("a file system of its own needs user namespaces")

    command = [*inside, sys.executable, "-c", CRAMPED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "No space left on device" in done.stdout
    assert "images.npy" in done.stdout
