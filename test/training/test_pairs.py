# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of frames: which there are, and that they lie as the drone would lay them."""

from itertools import combinations

import cv2
import numpy as np
import pytest

from sc2_ros.errors import InputError
from sc2_ros.training.pairs import (
    AGES,
    PairConfig,
    footage,
    pairs,
)


def picture(seed, height=96, width=128):
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


def test_pairs_come_from_stills_flights_and_clips():
    stills = [picture(seed) for seed in range(5)]
    clip = [np.full((32, 48, 3), 10 * number, np.uint8) for number in range(8)]
    config = PairConfig(stills=3, flights=1, per_flight=1, per_clip=4, frames=2)

    found = list(pairs(stills, [clip], config, np.random.default_rng(0)))

    assert len(found) == 3 + 1 + 4
    for before, after in found:
        assert before.shape == after.shape
        assert before.dtype == after.dtype == np.uint8
        assert not np.array_equal(before, after)
    assert {int(after[0, 0, 0]) - int(before[0, 0, 0]) for before, after in found[-4:]} <= {
        10 * age for age in AGES
    }


def test_frames_of_two_sizes_are_no_pair():
    clip = [np.zeros((32, 48 + 16 * (number % 2), 3), np.uint8) for number in range(8)]
    config = PairConfig(stills=0, flights=0, per_clip=20, frames=2)

    found = list(pairs([], [clip], config, np.random.default_rng(0)))

    assert 0 < len(found) < 20
    assert all(before.shape == after.shape for before, after in found)


def test_there_may_be_more_frames_in_a_row():
    stills = [picture(seed) for seed in range(3)]
    clip = [np.full((32, 48, 3), 5 * number, np.uint8) for number in range(20)]
    config = PairConfig(stills=3, flights=1, per_flight=2, per_clip=30, frames=3)

    found = list(pairs(stills, [clip], config, np.random.default_rng(0)))

    assert len(found) == 3 + 2 + 30
    for frames in found:
        assert len(frames) == 3
        assert len({frame.shape for frame in frames}) == 1
        assert not any(np.array_equal(*two) for two in combinations(frames, 2))
    levels = np.array([[int(frame[0, 0, 0]) for frame in frames] for frames in found[-30:]])
    assert set(np.diff(levels).ravel().tolist()) == {5 * age for age in AGES}


@pytest.mark.parametrize(("length", "count"), [(2, 0), (3, 8), (7, 8)])
def test_a_clip_too_short_for_its_ages_has_nearer_frames_or_none(length, count):
    clip = [np.full((32, 48, 3), 5 * number, np.uint8) for number in range(length)]
    config = PairConfig(stills=0, flights=0, per_clip=8, frames=3)

    found = list(pairs([], [clip], config, np.random.default_rng(0)))

    assert len(found) == count
    for frames in found:
        steps = np.diff([int(frame[0, 0, 0]) // 5 for frame in frames])
        assert steps.min() >= 1
        assert steps.sum() < length


def stands(frames, image):
    """Whether all of them show the image with noise, whose deviation is 3 at most."""
    return all(np.std(frame.astype(float) - image) < 3.1 for frame in frames)


def test_a_share_of_the_stills_does_not_move():
    image = picture(1, 48, 64)
    standing = []
    for share in (0.0, 0.5, 1.0):
        config = PairConfig(stills=40, flights=0, frames=3, still_share=share)
        found = list(pairs([image] * 40, [], config, np.random.default_rng(0)))
        standing.append(sum(stands(frames, image) for frames in found))
        assert all(stands(frames[:1], image) for frames in found)
        for frames in found:
            noise = [np.std(a.astype(float) - b) for a, b in combinations(frames, 2)]
            assert min(noise) > 0.4

    # Some move by a tenth of a pixel, which cannot be told from noise.
    assert standing[0] < 15 < standing[1] < 35 < standing[2] == 40


def test_image_sequences_are_runs_of_consecutive_numbers(tmp_path):
    for name in ("a8", "a9", "a10", "a12", "b11", "b12", "other"):
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), picture(len(name)))

    clips = list(footage([str(tmp_path / "*.jpg")]))

    assert [len(clip) for clip in clips] == [3, 2]


def test_videos_give_runs_of_frames(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for number in range(30):
        writer.write(np.full((48, 64, 3), 8 * number, np.uint8))
    writer.release()

    clips = list(footage([str(tmp_path / "*.avi")]))

    assert [len(clip) for clip in clips] == [12, 12, 12]
    levels = [[round(float(frame.mean()) / 8) for frame in clip] for clip in clips]
    assert levels == [list(range(first, first + 12)) for first in (0, 6, 12)]


@pytest.mark.parametrize("kind", ["jpg", "avi"])
def test_of_large_footage_the_middle_is_kept(tmp_path, kind):
    """It is all that pairs are made of, and stills of 20 megapixels fill the memory."""
    frame = np.zeros((800, 1200, 3), np.uint8)
    frame[80:720, 120:1080] = 200
    if kind == "jpg":
        for number in range(2):
            cv2.imwrite(str(tmp_path / f"{number}.jpg"), frame)
    else:
        file = str(tmp_path / "a.avi")
        writer = cv2.VideoWriter(file, cv2.VideoWriter_fourcc(*"MJPG"), 10, (1200, 800))
        for _ in range(3):
            writer.write(frame)
        writer.release()

    (image, *_), *_ = footage([str(tmp_path / f"*.{kind}")])

    assert image.shape == (640, 960, 3)
    assert image.base is None
    assert np.abs(image.astype(int) - 200).max() <= 60  # blocks at the edge ring


def test_footage_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="no footage at"):
        list(footage([str(tmp_path / "*.mp4")]))
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    (tmp_path / "broken2.jpg").write_bytes(b"no image")
    (tmp_path / "broken3.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match="cannot read the image"):
        list(footage([str(tmp_path / "*.jpg")]))
