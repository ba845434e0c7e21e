# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The station's pipeline, fed by the drone's over links of every kind."""

import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sc2_ros import checkpoint
from sc2_ros.codec import packet as wire
from sc2_ros.errors import ParameterError
from sc2_ros.ground import MAX_STREAMS, QUIET_S, GroundConfig, GroundPipeline
from sc2_ros.link.feedback import parse_feedback
from sc2_ros.onboard import CameraFrame, OnboardConfig, OnboardPipeline

EVERYTHING = GroundConfig(score_threshold=0.0, max_detections=20, frame_timeout_s=0.2)
"""An untrained network is sure of nothing, so every score counts."""


@cache
def model(seed=0):
    return checkpoint.untrained(seed)


def noise(width=160, height=128, *, seed=0, channels=(3,)):
    """A picture so rich that it takes several packets."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, *channels), dtype=np.uint8)


def stamp(number):
    return 1_000_000_000 + number * 33_000_000


@cache
def frames_of_packets(count=3, stream=0, start=0, width=160, height=128):
    """Features packets of consecutive frames, without stream info."""
    pipeline = OnboardPipeline(model(), OnboardConfig(rate_index=1.0, stream=stream))
    pipeline._frame = start & 0xFFFF
    frames = []
    for number in range(count):
        image = noise(width, height, seed=number)
        packets = pipeline.process(CameraFrame(image, stamp(number), "cam"), number * 0.03)
        frames.append([p for p in packets if wire.parse(p).header.type == 0])
    return frames


def receive_all(ground, packets, now_s=0.0):
    return [result for packet in packets for result in ground.receive(packet, now_s)]


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
    assert (result.preview.shape, result.preview.dtype) == ((*quarter, 3), np.uint8)
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


def test_another_checkpoint_is_a_counted_mismatch():
    ground = GroundPipeline(model(seed=1), EVERYTHING)
    frame = CameraFrame(noise(), 0, "cam")
    packets = OnboardPipeline(model()).process(frame, 0.0)
    assert receive_all(ground, packets) == []
    assert ground.stats.mismatched == len(packets)
    assert ground.stats.bad_packets == {"mismatch": len(packets)}
    assert f"{model().id:08x}" in ground.stats.last_error
    assert "same checkpoint" in ground.stats.last_error
    assert ground.feedback(1.0) == []


def test_feedback_that_comes_to_the_ground_is_counted():
    ground = GroundPipeline(model(), EVERYTHING)
    receive_all(ground, frames_of_packets()[0])
    (packet,) = ground.feedback(1.0)
    assert ground.receive(packet, 1.0) == []
    assert ground.stats.bad_packets == {"unexpected type": 1}


@cache
def listener():
    return GroundPipeline(model(), EVERYTHING)


def bad(stats):
    return sum(stats.bad_packets.values())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=1300))
def test_random_bytes_are_counted(data):
    before = bad(listener().stats)
    assert listener().receive(data, 1.0) == []
    assert bad(listener().stats) == before + 1


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.one_of(st.none(), st.integers(0, 1200)))
def test_flipped_bits_and_truncation_are_counted(bit, length):
    packet = bytearray(frames_of_packets()[0][0])
    if length is None:
        packet[bit // 8 % len(packet)] ^= 1 << bit % 8
    else:
        packet = packet[: min(length, len(packet) - 1)]
    before = bad(listener().stats)
    assert listener().receive(bytes(packet), 1.0) == []
    assert bad(listener().stats) == before + 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1199), st.integers(1, 255)), min_size=1, max_size=4),
    st.integers(33, 1200),
)
def test_forged_packets_with_a_right_checksum_never_raise(changes, length):
    """Whatever the entropy decoder and the assembler are given; all but the frame's size."""
    packet = bytearray(frames_of_packets()[0][0][:length])
    for at, mask in changes:
        if not 24 <= at < 32:
            packet[at % len(packet)] ^= mask if not 24 <= at % len(packet) < 32 else 0
    ground = GroundPipeline(model(), EVERYTHING)
    for result in ground.receive(sealed(packet), 1.0) + ground.poll(5.0):
        assert np.isfinite(result.boxes).all()
    assert all(len(feedback) <= 100 for feedback in ground.feedback(5.0))


@pytest.mark.parametrize("size", [(0, 5), (4097, 16), (65535, 65535), (4096, 4096), (16, 4096)])
def test_a_forged_frame_size_is_refused_or_waits(size):
    packet = bytearray(frames_of_packets()[0][0])
    packet[24:28] = np.array(size, "<u2").tobytes()
    ground = GroundPipeline(model(), EVERYTHING)
    assert ground.receive(sealed(packet), 1.0) == []
    assert ground.stats.packets == 1


@pytest.mark.parametrize(
    ("size", "taken"), [((8192, 8192), True), ((8193, 16), False), ((65_535, 65_535), False)]
)
def test_a_forged_source_size_is_refused_and_counted(size, taken):
    packet = bytearray(frames_of_packets()[0][0])
    packet[28:32] = np.array(size, "<u2").tobytes()
    ground = GroundPipeline(model(), EVERYTHING)
    assert ground.accept(sealed(packet), 1.0) == []
    assert ground.stats.bad_packets == ({} if taken else {"undecodable": 1})
    assert len(ground.expire(2.0)) == taken


def sealed(packet):
    packet = bytearray(packet)
    packet[20:24] = bytes(4)
    packet[20:24] = zlib.crc32(packet).to_bytes(4, "little")
    return bytes(packet)


def test_two_versions_of_a_frame_do_not_mix():
    frame = frames_of_packets()[0]
    packet = wire.parse(frame[1])
    other = replace(packet.header, capture_time_ns=packet.header.capture_time_ns - 1)
    ground = GroundPipeline(model(), EVERYTHING)
    ground.receive(frame[0], 0.0)
    assert ground.receive(wire.build(other, packet.payload), 0.0) == []
    assert ground.stats.bad_packets == {"inconsistent": 1}


def test_streams_are_independent():
    ground = GroundPipeline(model(), EVERYTHING)
    left, right = frames_of_packets(stream=1), frames_of_packets(stream=2)
    results = []
    for a, b in zip(left[0], right[0], strict=True):
        results += ground.receive(a, 0.0) + ground.receive(b, 0.0)
    assert [result.stream for result in results] == [1, 2]
    packets = [wire.parse(packet).header.stream for packet in ground.feedback(0.1)]
    assert packets == [1, 2]


def test_streams_are_bounded():
    ground = GroundPipeline(model(), EVERYTHING)
    packet = wire.parse(frames_of_packets()[0][0])
    for number in range(256):
        header = replace(packet.header, stream=number)
        ground.receive(wire.build(header, packet.payload), number * 0.001)
    assert len(ground._streams) == MAX_STREAMS
    assert 255 in ground._streams


def test_a_drone_that_starts_again_is_served_at_once():
    ground = GroundPipeline(model(), EVERYTHING)
    receive_all(ground, [p for frame in frames_of_packets(start=20) for p in frame], 1.0)
    session = parse_feedback(wire.parse(ground.feedback(1.0)[0]).payload).session
    again = OnboardPipeline(model(), OnboardConfig())
    results = []
    for number in range(3):
        frame = CameraFrame(noise(), stamp(100 + number), "cam")
        results += receive_all(ground, again.process(frame, 0.0), 2.0 + number / 30)
    assert [result.frame for result in results] == [0, 1, 2]
    feedback = parse_feedback(wire.parse(ground.feedback(2.1)[0]).payload)
    assert feedback.session != session
    assert (feedback.newest_frame, feedback.frames_decoded) == (2, 3)


def renumbered(packet, frame, capture_time_ns):
    """The same slice as one of another frame."""
    parsed = wire.parse(packet)
    header = replace(parsed.header, frame=frame & 0xFFFF, capture_time_ns=capture_time_ns)
    return wire.build(header, parsed.payload)


def test_an_old_frame_shown_after_a_restart_is_none_of_the_new_session():
    ground = GroundPipeline(model(), EVERYTHING)
    (packets, *_) = frames_of_packets()
    for packet in packets:
        waiting = ground.accept(renumbered(packet, 500, stamp(1)), 1.0)
    ground.accept(renumbered(packets[0], 501, stamp(2)), 1.0)
    for packet in packets:
        waiting += ground.accept(renumbered(packet, 0, stamp(100)), 2.0)
    assert [ready.frame.header.frame for ready in waiting] == [500, 501, 0]
    for ready in reversed(waiting):
        ground.show(ready)
    feedback = parse_feedback(wire.parse(ground.feedback(2.1)[0]).payload)
    assert (feedback.frames_decoded, feedback.frames_incomplete) == (1, 0)
    assert feedback.last_whole_frame == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-40, 40) | st.integers(32_737, 32_767) | st.integers(0, 65_535),
            st.integers(0, 3),
            st.integers(-2, 3),
        ),
        min_size=1,
        max_size=30,
    )
)
@example([(0, 0, 0), (31, 0, 1), (32_760, 0, 1)])
def test_any_numbers_of_frames_and_slices_end_in_feedback(history):
    (packets, *_) = frames_of_packets()
    ground = GroundPipeline(model(), EVERYTHING)
    frame = capture = 0
    for count, (jump, part, later) in enumerate(history):
        frame, capture = (frame + jump) & 0xFFFF, capture + later
        ground.accept(renumbered(packets[part % len(packets)], frame, stamp(capture)), count * 0.1)
        (packet,) = ground.feedback(count * 0.1)
        newest = parse_feedback(wire.parse(packet).payload).newest_frame
        assert newest == wire.parse(packet).header.frame


def test_the_books_bear_two_threads():
    """Packets come while frames are shown, as in the ground node."""
    ground = GroundPipeline(model(), EVERYTHING)
    for packet in frames_of_packets()[0]:
        finished = ground.accept(packet, 0.0)
    (ready,) = finished
    header = ready.frame.header
    headers = [replace(header, frame=n, capture_time_ns=stamp(n)) for n in range(1, 20_000)]
    done = threading.Event()

    def show():
        while not done.is_set():
            ready.stream.enter_shown(ready.frame, ready.books)

    interval_s = sys.getswitchinterval()
    with ThreadPoolExecutor(1) as executor:
        sys.setswitchinterval(1e-6)
        shown = executor.submit(show)
        try:
            for number, header in enumerate(headers):
                ready.stream.enter(header, 100, number * 0.01)
                if shown.done():
                    break
        finally:
            sys.setswitchinterval(interval_s)
            done.set()
        shown.result()


def test_feedback_reports_what_came():
    ground = GroundPipeline(model(), EVERYTHING)
    first, second, _ = frames_of_packets()
    receive_all(ground, first, 1.0)
    receive_all(ground, second[:1], 1.02)
    (packet,) = ground.feedback(1.05, queue_s=0.003)
    assert len(packet) <= 100
    header = wire.parse(packet).header
    assert (header.stream, header.frame, header.checkpoint_id) == (0, 1, model().id)
    assert header.capture_time_ns == stamp(1)
    feedback = parse_feedback(wire.parse(packet).payload)
    assert (feedback.newest_frame, feedback.newest_slice) == (1, 0)
    assert feedback.hold_s == pytest.approx(0.03)
    assert feedback.queue_s == pytest.approx(0.003)
    assert feedback.packets == len(first) + 1
    assert (feedback.frames_decoded, feedback.last_whole_frame) == (1, 0)
    assert [(r.frame, r.received, r.expected) for r in feedback.frames] == [
        (1, 1, len(second)),
        (0, len(first), len(first)),
    ]


def test_feedback_comes_at_its_rate_until_the_stream_is_quiet():
    ground = GroundPipeline(model(), replace(EVERYTHING, feedback_hz=20.0))
    receive_all(ground, frames_of_packets()[0], 0.0)
    times = [tick / 100 for tick in range(1500) if ground.feedback(tick / 100)]
    assert len(times) == pytest.approx(QUIET_S * 20, abs=2)
    assert max(times) <= QUIET_S
    receive_all(ground, frames_of_packets()[1], 20.0)
    assert len(ground.feedback(20.0)) == 1
    receive_all(ground, frames_of_packets()[2], 3.0)  # the clock was set back
    assert len(ground.feedback(3.0)) == 1


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
    assert set(ground.stats.stage_ms) == {"decode", "network", "boxes", "pictures"}
