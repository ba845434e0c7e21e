# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which packets move a stream's counters: never one alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.continuity import CONTINUITY, Continuity, Place, Verdict

SIZES = ((640, 512), (640, 512))
OTHER = ((320, 256), (320, 256))


def place(frame, time_s=None, sizes=None, part=0):
    time_ns = round((frame / 10 if time_s is None else time_s) * 1e9)
    return Place(frame & 0xFFFF, time_ns, sizes, part)


def flying(frames=100):
    judge = Continuity()
    for frame in range(frames):
        assert judge.judge(place(frame, sizes=SIZES), frame, frame / 10) is Verdict.TAKE
    return judge


@pytest.mark.parametrize(
    "strange",
    [
        place(160, 1 << 32),
        place(100, 1 << 32),
        place(5000),
        place(99 - CONTINUITY.behind_frames),
        place(98, 12.0),
        place(100, sizes=OTHER),
    ],
)
def test_one_strange_packet_waits_and_the_others_go_on(strange):
    judge = flying()
    assert judge.judge(strange, "strange", 9.95) is Verdict.HOLD
    for frame in range(100, 130):
        assert judge.judge(place(frame, sizes=SIZES), frame, frame / 10) is Verdict.TAKE
        assert judge.released == ()


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (place(0, 20.0), place(1, 20.1), Verdict.RESTART),
        (place(0, 20.0), place(0, 20.0, part=1), Verdict.RESTART),
        (place(100, sizes=OTHER), place(101, sizes=OTHER), Verdict.TAKE),
        (place(100, 5000.0), place(101, 5000.1), Verdict.TAKE),
        (place(200, 20.0), place(201, 20.1), Verdict.TAKE),
    ],
)
def test_a_second_packet_that_agrees_confirms_the_first(first, second, verdict):
    judge = flying()
    assert judge.judge(first, "first", 10.0) is Verdict.HOLD
    assert judge.judge(second, "second", 10.1) is verdict
    assert judge.released == ["first"]
    assert judge.newest.frame == second.frame


@pytest.mark.parametrize(
    "second",
    [place(0, 20.0), place(20, 20.1), place(1, 90.0), place(1, 20.1, sizes=OTHER)],
)
def test_the_same_packet_again_or_another_strange_one_confirms_nothing(second):
    judge = flying()
    assert judge.judge(place(0, 20.0, sizes=SIZES), "first", 10.0) is Verdict.HOLD
    assert judge.judge(second, "second", 10.1) is Verdict.HOLD


def test_what_waits_while_others_come_is_forgotten_after_a_second():
    judge = flying()
    judge.judge(place(0, 20.0), "first", 10.0)
    for frame in range(100, 112):
        judge.judge(place(frame), frame, frame / 10)
    assert judge.judge(place(1, 20.1), "second", 11.15) is Verdict.HOLD


def test_after_two_silent_seconds_anything_is_believed():
    judge = flying()
    assert judge.judge(place(3000, 20.0), "any", 9.9 + CONTINUITY.stale_s + 0.01) is Verdict.RESTART


@pytest.mark.parametrize("time_s", [5.0, 20.0, -600.0])
def test_a_number_that_is_behind_after_two_silent_seconds_is_of_a_new_beginning(time_s):
    judge = flying(50)
    assert judge.judge(place(0, time_s), "any", 4.9 + CONTINUITY.stale_s + 0.01) is Verdict.RESTART


def test_what_waited_when_the_silence_was_long_enough_is_not_lost():
    judge = flying(50)
    assert judge.judge(place(0, -600.0), "first", 6.8) is Verdict.HOLD
    assert judge.judge(place(1, -599.9), "second", 6.95) is Verdict.RESTART
    assert judge.released == ["first"]


def test_a_small_jump_that_nothing_confirms_is_taken_back():
    judge = flying()
    assert judge.judge(place(120, 10.0), "false", 10.0) is Verdict.TAKE
    verdicts = [judge.judge(place(frame), frame, frame / 10) for frame in (100, 101, 102)]
    assert verdicts == [Verdict.TAKE, Verdict.BACK, Verdict.TAKE]
    assert judge.newest.frame == 102


def test_a_loss_is_no_jump_and_stragglers_take_nothing_back():
    judge = flying()
    assert judge.judge(place(120), "after a loss", 12.0) is Verdict.TAKE
    assert judge.judge(place(121), "the next", 12.1) is Verdict.TAKE
    assert judge.judge(place(118), "late", 12.11) is Verdict.TAKE
    assert judge.judge(place(119), "late", 12.12) is Verdict.TAKE
    assert judge.newest.frame == 121


def test_a_stream_beside_another_begins_with_two_packets():
    judge = Continuity(trusts_first=False)
    assert judge.judge(place(7), "first", 0.0) is Verdict.HOLD
    assert judge.judge(place(8), "second", 30.0) is Verdict.TAKE
    assert judge.released == ["first"]


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(-(2**63), 2**63 - 1)), max_size=200))
def test_what_waits_is_bounded(packets):
    judge = flying(3)
    for number, (frame, time_ns) in enumerate(packets):
        judge.judge(Place(frame, time_ns, None, number), number, 0.3)
        assert len(judge._held) <= CONTINUITY.most_held
