# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every codec of FFmpeg gives back what was put in; video ones are cheap where nothing moves."""

import os

import numpy as np
import pytest

from sc2_ros.errors import ParameterError
from sc2_ros.evaluation.systems.video_codecs import KINDS, parse_codec

ROWS, COLUMNS = np.mgrid[:96, :128]
GREY = (ROWS + COLUMNS).astype(np.uint8)
COLOUR = np.dstack([GREY, 255 - GREY, GREY // 2])


def _psnr(one, other):
    error = (one.astype(float) - other).reshape(-1)
    return 10 * np.log10(255**2 / (error @ error / len(error)))


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", list(KINDS))
def test_pictures_come_back_one_for_one(name, image):
    codec = parse_codec(f"{name}:20")
    again = [codec.decode(codec.encode(picture)) for picture in (image, image[::-1])]

    for first, second in zip((image, image[::-1]), again, strict=True):
        assert second.shape == first.shape
        assert _psnr(first, second) > 33


@pytest.mark.parametrize("name", list(KINDS))
def test_a_coarser_quantiser_makes_fewer_bytes(name):
    noise = np.random.default_rng(0).integers(0, 255, (96, 128), np.uint8)
    fine, coarse = (len(parse_codec(f"{name}:{q}").encode(noise)) for q in (20, 45))

    assert coarse < 0.8 * fine


@pytest.mark.parametrize("name", list(KINDS))
def test_only_video_codecs_profit_from_the_frame_before(name):
    codec = parse_codec(f"{name}:30")
    noise = np.random.default_rng(0).integers(0, 255, (96, 128), np.uint8)
    first, second = len(codec.encode(noise)), len(codec.encode(noise))

    assert codec.sequential == name.endswith("-video")
    if codec.sequential:
        assert second < 0.1 * first
    else:
        assert second == pytest.approx(first, rel=0.02)


def test_a_new_size_begins_a_new_stream():
    codec = parse_codec("hevc-video:20")
    for picture in (GREY, GREY[:48], COLOUR):
        assert codec.decode(codec.encode(picture)).shape == picture.shape


def test_bad_quantisers_are_refused_and_other_names_left_alone():
    assert parse_codec("jpeg:30") is None
    for text in ("hevc", "hevc:52", "av1:-1", "h264-video:x"):
        with pytest.raises(ParameterError, match="not a baseline"):
            parse_codec(text)


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="scheduling policies of Linux")
@pytest.mark.parametrize("name", list(KINDS))
def test_an_encoder_does_not_make_this_process_real_time(name):
    before = os.sched_getscheduler(0)
    parse_codec(f"{name}:40").encode(GREY)

    assert os.sched_getscheduler(0) == before
