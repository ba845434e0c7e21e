# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the station keeps of each stream, and what it tells the drone."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flown import (
    EVERYTHING,
    frames_of_packets,
    model,
    noise,
    receive_all,
    renumbered,
    stamp,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sc2_ros.codec import wire
from sc2_ros.ground.pipeline import QUIET_S, GroundPipeline
from sc2_ros.link.feedback import parse_feedback
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline


def test_streams_are_independent():
    ground = GroundPipeline(model(), EVERYTHING)
    left, right = frames_of_packets(stream=1), frames_of_packets(stream=2)
    results = []
    for a, b in zip(left[0], right[0], strict=True):
        results += ground.receive(a, 0.0) + ground.receive(b, 0.0)
    assert [result.stream for result in results] == [1, 2]
    packets = [wire.parse(packet).header.stream for packet in ground.feedback(0.1)]
    assert packets == [1, 2]


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
    assert feedback.frames_decoded == 1


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


def test_the_log_bears_two_threads():
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
            ready.stream.enter_shown(ready.frame, ready.log)

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
    (packet,) = ground.feedback(1.05)
    assert len(packet) <= 100
    header = wire.parse(packet).header
    assert (header.stream, header.frame, header.checkpoint_id) == (0, 1, model().id)
    assert header.capture_time_ns == stamp(1)
    feedback = parse_feedback(wire.parse(packet).payload)
    assert (feedback.newest_frame, feedback.newest_slice) == (1, 0)
    assert feedback.hold_s == pytest.approx(0.03)
    assert feedback.packets == len(first) + 1
    assert feedback.frames_decoded == 1
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
