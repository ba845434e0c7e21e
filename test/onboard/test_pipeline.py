# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's pipeline."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros import checkpoint
from sc2_ros.codec import wire
from sc2_ros.codec.wire.packet import parse_geometry
from sc2_ros.errors import InputError, ParameterError
from sc2_ros.evaluation.session.virtual import VirtualRun
from sc2_ros.ground.pipeline import GroundPipeline
from sc2_ros.link.receiver_log import ReceiverLog
from sc2_ros.link.sim.emulator import LinkModel, LinkPipe
from sc2_ros.link.sim.spec import parse_link
from sc2_ros.media.frames import SourceFrame
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline
from sc2_ros.onboard.stream_info import InfoSchedule


@cache
def model():
    return checkpoint.untrained(seed=0)


def picture(width=96, height=64, *, seed=0, channels=(3,)):
    """A smooth random picture, so that the rate index changes its bytes."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(height // 8, 2), max(width // 8, 2), *channels))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


def camera_frame(number=0, frame_id="cam", **kind):
    return CameraFrame(picture(**kind), 1_000_000_000 + number * 33_000_000, frame_id)


def onboard(**config):
    return OnboardPipeline(model(), OnboardConfig(**config))


def features(packets):
    parsed = [wire.parse(packet) for packet in packets]
    return [packet for packet in parsed if packet.header.type is wire.PacketType.FEATURES]


@pytest.mark.parametrize(("index", "code"), [(0.0, 0), (0.5, 32), (1.0, 64)])
def test_packets_say_what_they_are(index, code):
    pipeline = onboard(rate_index=index, stream=3)
    packets = pipeline.process(camera_frame(number=2), 5.0)
    assert all(len(packet) <= wire.MAX_PACKET_BYTES for packet in packets)
    for number, packet in enumerate(features(packets)):
        header = packet.header
        assert (header.stream, header.checkpoint_id, header.frame) == (3, model().id, 0)
        assert (header.slice, header.rate_code, packet.head) == (number, code, None)
        assert header.capture_time_ns == 1_066_000_000
        geometry = parse_geometry(packet.payload)
        assert (geometry.encoded_size, geometry.source_size) == ((96, 64), (96, 64))
    assert features(pipeline.process(camera_frame(), 5.1))[0].header.frame == 1
    stats = pipeline.stats
    assert (stats.frames_in, stats.frames_sent, stats.rate_index) == (2, 2, index)
    assert set(stats.stage_ms) == {"image", "encode", "price", "code"}


def test_a_higher_index_costs_more():
    sizes = [
        sum(map(len, onboard(rate_index=index).process(camera_frame(), 0.0)))
        for index in (0.0, 0.5, 1.0)
    ]
    assert sizes == sorted(set(sizes))


def test_the_frame_size_is_as_configured():
    pipeline = onboard(frame_width=80, frame_height=40)
    for packet in features(pipeline.process(camera_frame(width=200, height=100), 0.0)):
        geometry = parse_geometry(packet.payload)
        assert (geometry.encoded_size, geometry.source_size) == ((80, 40), (200, 100))


def told(pipeline, seconds, frame_id="left"):
    """At which of these seconds stream info came, and what it said."""
    found = []
    for now_s in seconds:
        for packet in map(wire.parse, pipeline.process(camera_frame(frame_id=frame_id), now_s)):
            if packet.header.type is wire.PacketType.STREAM_INFO:
                found.append((now_s, wire.parse_stream_info(packet)))
    return found


def test_stream_info_comes_with_frames_that_need_no_other_once_a_second():
    seconds = [now_s for now_s, _ in told(onboard(), [number / 2 for number in range(9)])]
    assert seconds == [0, 1, 2, 3, 4]


def test_stream_info_comes_more_and_more_seldom_with_predicted_frames():
    schedule, seconds = InfoSchedule(), []
    for now_s in range(40):
        if schedule.is_due("left", now_s, keyframe=now_s in (0, 20)):
            schedule.on_sent("left", now_s)
            seconds.append(now_s)
    assert seconds == [0, 1, 3, 7, 15, 20, 28, 36]


def test_stream_info_is_not_repeated_where_the_ground_knows_it():
    schedule, seconds = InfoSchedule(), []
    for now_s in range(30):
        if schedule.is_due("left", now_s, keyframe=False):
            schedule.on_sent("left", now_s)
            schedule.on_known()
            seconds.append(now_s)
    assert seconds == [0, 8, 16, 24]


def test_a_ground_that_knows_the_frame_id_is_not_told_again():
    pipeline = onboard()
    header = wire.Header(
        type=wire.PacketType.FEEDBACK, stream=0, checkpoint_id=pipeline._checkpoint_id, frame=0
    )

    def report(received, frame, now_s):
        pipeline._rate.on_packet(frame, 0, 100, now_s - 0.02)
        received.on_packet(frame, 0, 1, 100, now_s - 0.01)
        pipeline.on_feedback(wire.build(header, received.build(now_s)), now_s)

    told(pipeline, [0])
    report(ReceiverLog(session=7, knows_frame_id=True), 0, 0.2)
    assert told(pipeline, [0.5, 0.9]) == []
    again = ReceiverLog(session=8)
    report(again, 1, 0.93)
    report(again, 2, 0.95)
    assert told(pipeline, [0.96]) == [(0.96, "left")]


def test_stream_info_comes_with_every_change_and_for_every_new_listener():
    pipeline = onboard()
    assert told(pipeline, (0, 1, 1.5)) == [(0, "left"), (1, "left")]
    assert told(pipeline, (2, 2.5, 3), "right") == [(2, "right"), (3, "right")]
    pipeline.refresh()
    assert told(pipeline, (3.5, 4, 4.5), "right") == [(3.5, "right"), (4.5, "right")]


def test_stream_info_comes_although_the_clock_was_set_back():
    pipeline = onboard()
    assert [now_s for now_s, _ in told(pipeline, (100, 7, 7.5))] == [100, 7]


@cache
def cost(index):
    """Bytes of a test picture and of stream info at a rate index."""
    return sum(map(len, onboard(rate_index=index).process(camera_frame(), 0.0)))


@pytest.mark.parametrize("scale", [1.2, 1.6, 2.0, 10.0])
def test_no_frame_exceeds_its_share_of_the_budget(scale):
    share = scale * cost(0.0)
    pipeline = onboard(rate_mode="budget", rate_max_kbps=share * 30 / 125)
    sizes = []
    for number in range(40):
        packets = pipeline.process(camera_frame(number, seed=number), 100 + number / 30)
        sizes.append(sum(map(len, packets)))
    assert max(sizes) <= share
    assert pipeline.stats.bytes_sent == sum(sizes)
    if share < cost(1.0):
        assert np.mean(sizes) > 0.75 * share
    else:
        assert pipeline.stats.rate_index == 1.0


def test_when_nothing_fits_the_frame_rate_falls_and_the_budget_holds():
    max_kbps = 0.4 * cost(0.0) * 30 / 125
    pipeline = onboard(rate_mode="budget", rate_max_kbps=max_kbps)
    sent = [bool(pipeline.process(camera_frame(n), n / 30)) for n in range(90)]
    assert 20 <= sum(sent) <= 36
    assert pipeline.stats.frames_dropped == 90 - sum(sent)
    assert pipeline.stats.bytes_sent <= max_kbps * 125 * 91 / 30


def test_the_budget_may_change_in_flight():
    ample, tight = 0.9 * cost(1.0), 1.2 * cost(0.0)
    pipeline = onboard(rate_mode="budget", rate_max_kbps=ample * 30 / 125)
    sizes = []
    for number in range(20):
        if number == 10:
            pipeline.configure(replace(pipeline.config, rate_max_kbps=tight * 30 / 125))
        sizes.append(sum(map(len, pipeline.process(camera_frame(number), number / 30))))
    assert tight < min(sizes[:10]) <= max(sizes[:10]) <= ample
    assert 0 < min(sizes[10:]) <= max(sizes[10:]) <= tight


@pytest.mark.parametrize(("max_fps", "expected"), [(0, 90), (10, 30), (20, 60), (29, 87), (60, 90)])
def test_the_frame_rate_limit_holds_on_average(max_fps, expected):
    pipeline = onboard(frame_max_fps=max_fps, rate_index=0.0)
    small = camera_frame(width=16, height=16)
    sent = sum(bool(pipeline.process(small, 7 + number / 30)) for number in range(90))
    assert sent == pytest.approx(expected, abs=1)


def test_a_clock_that_starts_over_does_not_stop_the_stream():
    pipeline = onboard(frame_max_fps=10, rate_mode="budget")
    small = camera_frame(width=16, height=16)
    assert pipeline.process(small, 1000.0)
    assert pipeline.process(small, 1.0)
    assert not pipeline.process(small, 1.01)


def test_frame_numbers_wrap():
    pipeline = onboard()
    pipeline._frame = 65_535
    small = camera_frame(width=16, height=16)
    numbers = [features(pipeline.process(small, t))[0].header.frame for t in (0.0, 0.1)]
    assert numbers == [65_535, 0]


@pytest.mark.parametrize(
    "bad",
    [
        {"rate_mode": "adaptive"},
        {"rate_prefer": "speed"},
        {"rate_index": 1.5},
        {"rate_index": float("nan")},
        {"rate_max_kbps": 0.0},
        {"frame_max_fps": -1.0},
        {"frame_width": 640},
        {"frame_width": 5000, "frame_height": 5000},
        {"stream": 256},
        {"precision": "int8"},
        {"precision": "fp16"},
        {"device": "tpu"},
        {"device": "cuda:99"},
    ],
)
def test_bad_settings_are_refused_and_the_old_ones_stay(bad):
    pipeline = onboard(rate_index=0.25)
    with pytest.raises(ParameterError):
        pipeline.configure(replace(pipeline.config, **bad))
    assert pipeline.config == OnboardConfig(rate_index=0.25)
    assert features(pipeline.process(camera_frame(), 0.0))[0].header.rate_code == 16


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 4, 4), (4,), (5000, 8), (70_000, 2)])
def test_what_is_no_image_is_an_input_error(shape):
    with pytest.raises(InputError):
        onboard().process(CameraFrame(np.zeros(shape, np.uint8), 0, ""), 0.0)


def test_a_huge_image_is_taken_when_a_frame_size_is_set():
    pipeline = onboard(frame_width=64, frame_height=64)
    assert pipeline.process(CameraFrame(np.zeros((8192, 8), np.uint8), 0, ""), 0.0)


@pytest.mark.parametrize("shape", [(8193, 8), (8, 8193), (65_535, 8)])
def test_an_image_that_no_packet_may_name_is_refused_at_any_frame_size(shape):
    pipeline = onboard(frame_width=64, frame_height=64)
    with pytest.raises(InputError, match="at most 8192 pixels a side"):
        pipeline.process(CameraFrame(np.zeros(shape, np.uint8), 0, ""), 0.0)


def test_bf16_gives_packets_that_decode():
    ground = GroundPipeline(model())
    packets = onboard(precision="bf16").process(camera_frame(), 0.0)
    results = [result for packet in packets for result in ground.receive(packet, 0.1)]
    assert [result.share_received for result in results] == [1.0]


def test_feedback_tells_the_drone_about_its_link():
    pipeline, ground = onboard(rate_index=0.3), GroundPipeline(model())
    pipe = LinkPipe(LinkModel(parse_link("2mbit,50ms,10%"), seed=4))
    back = LinkPipe(LinkModel(parse_link("unlimited,30ms,20%"), seed=5))
    for tick in range(300):
        now_s = tick / 100
        if tick % 5 == 0:
            for packet in pipeline.process(camera_frame(tick // 5), now_s):
                pipeline.on_sent(packet, now_s)
                pipe.push(packet, now_s)
        for arrival_s, packet in pipe.pop(now_s):
            ground.receive(packet, arrival_s)
        for packet in ground.feedback(now_s):
            assert len(packet) <= 100
            back.push(packet, now_s)
        for arrival_s, packet in back.pop(now_s):
            pipeline.on_feedback(packet, arrival_s)
    stats = pipeline.stats
    assert stats.bad_feedback == 0
    assert stats.rtt_s == pytest.approx(0.085, abs=0.015)
    assert 0 < stats.loss < 0.3
    assert 40 <= stats.frames_decoded <= 60


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=1300))
def test_random_bytes_as_feedback_are_counted(data):
    pipeline = listener()
    before = pipeline.stats.bad_feedback
    pipeline.on_feedback(data, 1.0)
    assert pipeline.stats.bad_feedback == before + 1


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 8 * 60), st.integers(0, 100), st.booleans())
def test_damaged_feedback_is_counted(bit, length, cut):
    pipeline = listener()
    data = bytearray(good_feedback())
    if cut:
        data = data[: min(length, len(data) - 1)]
    else:
        data[bit // 8 % len(data)] ^= 1 << bit % 8
    before = pipeline.stats.bad_feedback
    pipeline.on_feedback(bytes(data), 1.0)
    assert pipeline.stats.bad_feedback == before + 1


@pytest.mark.parametrize("change", [{"stream": 5}, {"checkpoint_id": 1}])
def test_feedback_for_others_is_counted(change):
    pipeline = onboard()
    packet = wire.parse(good_feedback())
    pipeline.on_feedback(wire.build(replace(packet.header, **change), packet.payload), 1.0)
    assert pipeline.stats.bad_feedback == 1
    assert pipeline.stats.loss is None


@cache
def listener():
    return onboard()


@cache
def good_feedback():
    ground = GroundPipeline(model())
    for packet in onboard().process(camera_frame(), 0.0):
        ground.receive(packet, 0.1)
    (packet,) = ground.feedback(0.2)
    return packet


class _Listener:
    """Adds up the bytes that leave, by second, and the frames shown."""

    def __init__(self):
        self.by_second = {}
        self.results = 0

    def camera(self, frame, time_s):
        pass

    def sent(self, packet, time_s):
        second = int(time_s)
        self.by_second[second] = self.by_second.get(second, 0) + len(packet)

    def delivered(self, packet, time_s):
        pass

    def capacity(self, bits_per_s, time_s):
        pass

    def result(self, result, time_s, latency_ms):
        self.results += 1


def test_auto_follows_the_link():
    capacity_bps = cost(0.4) * 30 * 8
    pipeline, listener = onboard(rate_mode="auto"), _Listener()
    frames = [
        SourceFrame(picture(seed=n % 7), 1_000_000_000 + n * 33_333_333, "cam", None)
        for n in range(360)
    ]
    link = parse_link(f"{capacity_bps:.0f}bit,20ms")
    VirtualRun(pipeline, GroundPipeline(model()), link, listener).run(frames)
    sent_bps = sum(listener.by_second.get(second, 0) for second in range(6, 12)) * 8 / 6
    assert 0.6 * capacity_bps < sent_bps < 1.05 * capacity_bps
    assert listener.results > 200
    state = pipeline.rate_state
    assert state.queue_delay_s < 0.15
    assert 0.5 * capacity_bps < state.target_bps < 1.5 * capacity_bps


def test_only_auto_mode_has_a_state():
    assert onboard(rate_mode="budget").rate_state is None
    assert onboard(rate_mode="auto").rate_state.target_bps > 0
