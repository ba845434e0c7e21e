# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of frames: which there are, and that they lie as the drone would lay them."""

import cv2
import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.errors import InputError
from sc2_ros.training.pairs import (
    AGES,
    MAX_SIDES,
    PairConfig,
    encoded,
    footage,
    pair_config,
    pairs,
)


def picture(seed, height=96, width=128):
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


def test_pairs_come_from_stills_flights_and_clips():
    stills = [picture(seed) for seed in range(5)]
    clip = [np.full((32, 48, 3), 10 * number, np.uint8) for number in range(8)]
    config = PairConfig(stills=3, flights=1, per_flight=1, per_clip=4)

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
    config = PairConfig(stills=0, flights=0, per_clip=20)

    found = list(pairs([], [clip], config, np.random.default_rng(0)))

    assert 0 < len(found) < 20
    assert all(before.shape == after.shape for before, after in found)


def test_few_images_make_few_flights():
    assert pair_config([picture(0)] * 3).flights == 1
    assert pair_config([picture(0)] * 40).flights == 5
    assert pair_config([picture(0)] * 400).flights == 20


def test_a_pair_is_laid_on_one_grid():
    encoder = checkpoint.untrained().encoder
    rng = np.random.default_rng(3)
    image = picture(5, 240, 320)
    shifted = np.roll(image, 16, 1)

    both = encoded(encoder, (image, shifted), rng)

    assert both.before.dtype == both.after.dtype == np.float32
    assert both.geometry.encoded_size == (320, 240)
    gains = np.full((65, len(both.before)), 20, np.float32)
    prediction = both.prediction(40, gains, rng)
    assert prediction.known.shape == both.after.shape[1:]
    wanted = np.rint(both.after * gains[40][:, None, None])
    inner = (slice(None), slice(3, -3), slice(3, -3))
    near = np.corrcoef(prediction.symbols()[inner].ravel(), wanted[inner].ravel())[0, 1]
    assert near > 0.8


def test_large_images_are_cut_to_their_middle():
    encoder = checkpoint.untrained().encoder
    image = np.zeros((720, 1000), np.uint8)

    both = encoded(encoder, (image, image), np.random.default_rng(0))

    assert both.geometry.encoded_size == MAX_SIDES


def test_a_reference_is_at_another_rate_half_of_the_time():
    encoder = checkpoint.untrained().encoder
    image = picture(1)
    rng = np.random.default_rng(0)
    both = encoded(encoder, (image, image), rng)
    gains = np.ones((65, len(both.before)), np.float32)

    codes = [both.prediction(64, gains, rng).reference.code for _ in range(200)]

    assert max(codes) == 64
    assert 60 < codes.count(64) < 180
    assert min(codes) < 60


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


def test_footage_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="no footage at"):
        list(footage([str(tmp_path / "*.mp4")]))
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    (tmp_path / "broken2.jpg").write_bytes(b"no image")
    (tmp_path / "broken3.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match="cannot read the image"):
        list(footage([str(tmp_path / "*.jpg")]))
