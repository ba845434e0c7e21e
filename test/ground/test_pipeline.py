# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The station's results, of whatever has come."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from flown import EVERYTHING, frames_of_packets, model, noise, receive_all
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec import wire
from sc2_ros.errors import ParameterError
from sc2_ros.ground.pipeline import GroundPipeline
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline


@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
@pytest.mark.parametrize(
    "size", [(32, 32), (33, 47), (100, 32), (320, 240), (640, 512), (1920, 1080)]
)
def test_any_size_arrives(size, channels):
    width, height = size
    coarse = noise(max(width // 8, 2), max(height // 8, 2), channels=channels)
    image = cv2.resize(coarse, size)
    onboard = OnboardPipeline(model(), OnboardConfig(rate_index=0.2))
    ground = GroundPipeline(model(), EVERYTHING)

    packets = onboard.process(CameraFrame(image, 123_456_789_012, "front"), 1.0)
    (result,) = receive_all(ground, packets, 1.05)

    assert max(map(len, packets)) <= wire.MAX_PACKET_BYTES
    assert (result.stamp_ns, result.frame_id) == (123_456_789_012, "front")
    assert (result.source_size, result.share_received) == (size, 1.0)
    assert result.rate_index == pytest.approx(0.2, abs=0.01)
    assert result.packets_received == result.packets_expected == len(packets) - 1
    assert result.size_bytes == sum(map(len, packets[1:]))
    quarter = (-(-height // 4), -(-width // 4))
    assert (result.mask.shape, result.mask.dtype) == (quarter, np.uint8)
    assert result.mask.max() < 6
    half = (-(-height // 2), -(-width // 2))
    assert (result.preview.shape, result.preview.dtype) == ((*half, 3), np.uint8)
    assert 0 < len(result.boxes) <= 20
    assert np.all((result.boxes >= 0) & (result.boxes <= (width, height, width, height)))
    assert np.all(np.diff(result.scores) <= 0)
    assert set(result.labels.tolist()) <= {0, 1, 2, 3}


def test_boxes_are_in_pixels_of_the_camera():
    image = cv2.resize(noise(40, 32), (320, 256))
    half = cv2.resize(image, (160, 128), interpolation=cv2.INTER_AREA)
    results = []
    for picture, config in (
        (image, OnboardConfig(frame_width=160, frame_height=128)),
        (half, OnboardConfig()),
    ):
        packets = OnboardPipeline(model(), config).process(CameraFrame(picture, 1, ""), 0.0)
        results += receive_all(GroundPipeline(model(), EVERYTHING), packets)
    np.testing.assert_allclose(results[0].boxes, 2 * results[1].boxes, rtol=1e-5)
    np.testing.assert_array_equal(results[0].mask, results[1].mask)


def test_every_packet_alone_gives_a_result():
    (packets, *_) = frames_of_packets()
    assert len(packets) > 1
    shares = []
    for packet in packets:
        ground = GroundPipeline(model(), EVERYTHING)
        assert ground.receive(packet, 1.0) == []
        assert ground.poll(1.19) == []
        (result,) = ground.poll(1.21)
        assert (result.packets_received, result.packets_expected) == (1, len(packets))
        assert result.size_bytes == len(packet)
        shares.append(result.share_received)
    assert sum(shares) == pytest.approx(1.0)


def test_a_complete_frame_pushes_out_the_older_one():
    first, second, _ = frames_of_packets()
    ground = GroundPipeline(model(), EVERYTHING)
    assert receive_all(ground, first[1:]) == []
    results = receive_all(ground, second)
    assert [result.frame for result in results] == [0, 1]
    assert results[0].share_received < 1.0 == results[1].share_received
    assert ground.receive(first[0], 0.1) == []
    stats = ground.stats
    assert (stats.frames, stats.incomplete_frames, stats.late_packets) == (2, 1, 1)


def test_a_frame_of_which_nothing_came_is_absent():
    first, _, third = frames_of_packets()
    ground = GroundPipeline(model(), EVERYTHING)
    results = receive_all(ground, first + third)
    assert [result.frame for result in results] == [0, 2]
    assert ground.poll(100.0) == []
    assert ground.stats.loss == pytest.approx(0.5, abs=0.1)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_subset_in_any_order_with_doubles(data):
    frames = frames_of_packets(start=65_534)
    packets = [packet for frame in frames for packet in frame]
    picked = data.draw(st.lists(st.sampled_from(range(len(packets))), max_size=24))
    ground = GroundPipeline(model(), EVERYTHING)

    results = receive_all(ground, [packets[number] for number in picked])
    results += ground.poll(10.0)

    shown = [(result.frame - 65_534) & 0xFFFF for result in results]
    assert shown == sorted(set(shown))
    assert all(0 < result.share_received <= 1 for result in results)
    used = sum(result.packets_received for result in results)
    stats = ground.stats
    assert used + stats.late_packets + stats.duplicate_packets == len(picked)
    assert used <= len(set(picked))
    assert not stats.bad_packets


def test_what_came_does_not_depend_on_the_order():
    (packets, *_) = frames_of_packets()
    (forward,) = receive_all(GroundPipeline(model(), EVERYTHING), packets)
    (backward,) = receive_all(GroundPipeline(model(), EVERYTHING), packets[::-1])
    np.testing.assert_array_equal(forward.boxes, backward.boxes)
    np.testing.assert_array_equal(forward.preview, backward.preview)


def test_heads_and_filters_can_be_switched_in_flight():
    ground = GroundPipeline(model(), EVERYTHING)
    first, second, third = frames_of_packets()
    (result,) = receive_all(ground, first)
    assert set(result.labels.tolist()) - {0, 1}
    ground.configure(replace(EVERYTHING, classes=("person", "car"), mask=False, preview=False))
    (result,) = receive_all(ground, second)
    assert len(result.labels) > 0
    assert set(result.labels.tolist()) <= {0, 1}
    assert result.mask is None
    assert result.preview is None
    ground.configure(replace(EVERYTHING, score_threshold=1.0))
    (result,) = receive_all(ground, third)
    assert result.boxes.shape == (0, 4)
    assert result.mask is not None


@pytest.mark.parametrize(
    "settings_",
    [
        {"score_threshold": 1.1},
        {"nms_iou": -0.1},
        {"max_detections": 0},
        {"classes": ("car", "tank")},
        {"frame_timeout_s": -1.0},
        {"feedback_hz": 0.0},
        {"precision": "fp16"},
        {"device": "cuda:99"},
        {"device": "toaster"},
    ],
)
def test_bad_settings_are_refused_and_the_old_ones_stay(settings_):
    ground = GroundPipeline(model(), EVERYTHING)
    with pytest.raises(ParameterError):
        ground.configure(replace(EVERYTHING, **settings_))
    assert ground.config == EVERYTHING


def test_stage_times_are_told():
    ground = GroundPipeline(model(), replace(EVERYTHING, precision="bf16"))
    receive_all(ground, frames_of_packets()[0])
    assert set(ground.stats.stage_ms) == {"decode", "network"}
