# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Feedback messages: receiver log, wire format, parser."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.errors import PacketError
from sc2_ros.link.feedback import MAX_PAYLOAD_BYTES, build_feedback, parse_feedback
from sc2_ros.link.receiver_log import ReceiverLog
from sc2_ros.link.sequence import wrapped_difference

HEADER_BYTES = 24


def test_a_message_with_its_header_fits_92_bytes():
    assert MAX_PAYLOAD_BYTES + HEADER_BYTES <= 92


def test_message_tells_what_came():
    received = ReceiverLog(session=77)
    for slice_number, now_s in ((0, 1.000), (1, 1.010), (3, 1.020)):
        assert received.on_packet(8, slice_number, 4, 1000, now_s)
    received.on_packet(9, 0, 2, 500, 1.030)
    received.on_packet(9, 1, 2, 300, 1.035)
    received.on_decoded()

    feedback = parse_feedback(received.build(1.040))

    assert (feedback.session, feedback.number) == (77, 0)
    assert (feedback.newest_frame, feedback.newest_slice) == (9, 1)
    assert feedback.hold_s == pytest.approx(0.005)
    assert feedback.arrival_us == 1_035_000
    assert (feedback.packets, feedback.size_bytes) == (5, 3800)
    assert feedback.frames_decoded == 1
    assert received.loss == pytest.approx(0.25, abs=0.01)
    newest, older = feedback.frames
    assert (newest.frame, newest.expected, newest.received, newest.age_s) == (9, 2, 2, 0)
    assert (older.frame, older.expected, older.received) == (8, 4, 3)
    assert older.bitmap == 0b1011
    assert older.age_s == pytest.approx(0.015)


def test_a_ground_that_knows_the_frame_id_says_so():
    received = ReceiverLog(session=1)
    received.on_packet(5, 0, 1, 100, 1.0)

    assert not parse_feedback(received.build(1.0)).knows_frame_id
    received.knows_frame_id = True
    feedback = parse_feedback(received.build(1.1))
    assert feedback.knows_frame_id
    received.marked = 35
    feedback = parse_feedback(received.build(1.2))
    assert (feedback.marked, len(feedback.frames), feedback.knows_frame_id) == (3, 1, True)
    assert len(feedback.frames) == 1


def test_another_version_is_refused_with_what_to_do():
    received = ReceiverLog(session=1)
    received.on_packet(5, 0, 1, 100, 1.0)
    payload = bytearray(received.build(1.0))
    payload[0] = 3
    with pytest.raises(PacketError, match="update drone and ground together"):
        parse_feedback(bytes(payload))


def test_nothing_to_say_before_the_first_packet():
    assert ReceiverLog(session=1).build(5.0) is None


def test_duplicates_count_once_and_reordering_does_not_matter():
    order = [(5, 0), (4, 1), (5, 0), (4, 0), (5, 1), (4, 1)]
    received = ReceiverLog(session=1)
    fresh = [received.on_packet(frame, part, 2, 100, 1.0) for frame, part in order]
    assert fresh == [True, True, False, True, True, False]
    feedback = parse_feedback(received.build(1.0))
    assert (feedback.newest_frame, feedback.newest_slice) == (5, 1)
    assert feedback.packets == 4
    assert received.duplicates == 2
    assert received.loss == 0


def test_frame_numbers_wrap():
    received = ReceiverLog(session=1)
    for number in range(65_530, 65_546):
        received.on_packet(number & 0xFFFF, 0, 1, 100, number * 0.03)
    feedback = parse_feedback(received.build(1966.5))
    assert feedback.newest_frame == 9
    assert [report.frame for report in feedback.frames] == [9, 8, 7, 6, 5]
    assert received.loss == 0


def test_a_frame_of_which_nothing_came_counts_as_lost():
    received = ReceiverLog(session=1)
    for number in (1, 2, 4, 5):
        for part in range(3):
            received.on_packet(number, part, 3, 100, 1.0)
    assert received.loss == pytest.approx(0.25)


def test_a_very_late_packet_is_ignored():
    received = ReceiverLog(session=1)
    received.on_packet(1000, 0, 1, 100, 1.0)
    assert not received.on_packet(900, 0, 1, 100, 1.0)
    assert parse_feedback(received.build(1.0)).packets == 1


events = st.tuples(
    st.integers(0, 65535), st.integers(0, 255), st.integers(1, 256), st.integers(24, 1200)
)


@given(
    st.lists(st.tuples(events, st.floats(0, 1e6)), min_size=1, max_size=80), st.floats(-1e6, 1e9)
)
def test_any_history_gives_a_message_that_parses(history, now_s):
    """Even when slice numbers, frame numbers and times make no sense together."""
    received = ReceiverLog(session=65_535)
    for (frame, part, expected, size), time_s in history:
        received.on_packet(frame, part, expected, size, time_s)
        assert len(received._frames) <= 64
    payload = received.build(now_s)
    if payload is not None:
        assert len(payload) <= MAX_PAYLOAD_BYTES
        parse_feedback(payload)
        assert 0 <= received.loss <= 1


jumps = st.integers(-40, 40) | st.integers(-32_800, -32_700) | st.integers(-32_768, 32_767)


@given(st.integers(0, 65535), st.lists(st.tuples(jumps, st.integers(0, 3)), min_size=1))
def test_reports_are_of_the_last_frames_after_any_jump(start, history):
    """Frame numbers that go on, stay back, or jump to the far side of the circle."""
    received = ReceiverLog(session=1)
    frame = start
    for jump, part in history:
        frame = (frame + jump) & 0xFFFF
        received.on_packet(frame, part, 4, 100, 1.0)
        behind = [wrapped_difference(received.newest_frame, number) for number in received._frames]
        assert all(0 <= frames < 32 for frames in behind)
    feedback = parse_feedback(received.build(1.0))
    assert feedback.frames[0].frame == feedback.newest_frame == received.newest_frame
    assert 0 <= received.loss <= 1


@given(st.binary(max_size=120))
def test_random_bytes_parse_or_are_a_packet_error(data):
    with contextlib.suppress(PacketError):
        parse_feedback(data)


@given(st.integers(0, MAX_PAYLOAD_BYTES * 8 - 1), st.integers(0, MAX_PAYLOAD_BYTES))
def test_flipped_and_truncated_messages_parse_or_are_a_packet_error(bit, length):
    received = ReceiverLog(session=1)
    for number in range(8):
        received.on_packet(number, 0, 2, 100, number * 0.03)
    payload = bytearray(received.build(1.0))
    payload[bit // 8] ^= 1 << bit % 8
    for damaged in (bytes(payload), bytes(payload[:length])):
        with contextlib.suppress(PacketError):
            parse_feedback(damaged)


def test_a_message_that_was_read_is_written_as_the_same_bytes():
    received = ReceiverLog(session=65_535, station=9)
    for frame, part in ((65_534, 0), (65_535, 0), (65_535, 19), (1, 3)):
        received.on_packet(frame, part, 20, 1200, 5_000.0 + frame / 7e4)
    received.on_decoded()
    received.on_held(65_534)

    payload = received.build(9_000.123)

    assert build_feedback(parse_feedback(payload)) == payload
