# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One packet of a stranger in a flight without a key: results flow again within two seconds."""

import random
from dataclasses import replace

import pytest
from hostile import EPOCH_NS, Flight, features, forge, forge_report, report
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sc2_ros.codec import wire
from sc2_ros.codec.wire.packet import build_geometry

MOST_S = 2.0


def flying(mode):
    flight = Flight(mode)
    flight.fly(4.0)
    return flight


@pytest.mark.parametrize("mode", ["auto", "fixed"])
@pytest.mark.parametrize(
    ("ahead", "changes"),
    [
        (60, {"capture_time_ns": 1 << 62}),
        (20, {"capture_time_ns": 1 << 62}),
        (1, {"capture_time_ns": 1 << 62}),
        (1, {"capture_time_ns": -(1 << 63)}),
        (-1, {}),
        (20, {}),
        (30_000, {}),
        (60, {"stream": 9}),
    ],
)
def test_a_frame_of_the_future_does_not_make_the_ground_dark(mode, ahead, changes):
    flight = flying(mode)
    since_s = flight.now_s
    flight.to_ground(features(flight, ahead, **changes))
    flight.fly(12.0)

    assert flight.longest_gap_s(since_s) <= MOST_S
    later = [stamp for time_s, stamp, *_ in flight.results if time_s > since_s + MOST_S]
    assert set(later) <= flight.stamps


@pytest.mark.parametrize(
    "changes",
    [
        {"ahead": 32_000},
        {"ahead": 50},
        {"session": 12_345, "ahead": 9_000},
        {"arrival_us": (1 << 31) - 1},
        {"packets": 1 << 31, "size_bytes": 1 << 31},
        {"packets": 0, "size_bytes": 0},
        {"size_bytes": 0},
        {"newest_frame": 40_000, "frames": ()},
        {"hold_s": 4000.0},
    ],
)
def test_a_false_report_does_not_lower_the_rate(changes):
    flight, other = flying("auto"), flying("auto")
    since_s = flight.now_s
    flight.to_drone(report(flight, **changes))
    for one in (flight, other):
        one.fly(6.0)

    assert flight.longest_gap_s(since_s) <= MOST_S
    assert flight.onboard.rate_state.target_bps == other.onboard.rate_state.target_bps
    assert flight.bytes_per_frame(since_s) <= 1.1 * other.bytes_per_frame(since_s)


def test_a_second_station_that_holds_nothing_does_not_end_prediction():
    flight, other = flying("fixed"), flying("fixed")
    since_s = flight.now_s
    for number in range(9):
        flight.to_drone(report(flight, station=777, session=5, ahead=number, held=frozenset()))
        for one in (flight, other):
            one.fly(0.9)

    assert flight.bytes_per_frame(since_s) <= 1.1 * other.bytes_per_frame(since_s)


def test_a_strangers_frame_id_does_not_stay():
    flight = flying("auto")
    packet = wire.parse(flight.down[-1])
    for late_s in (0.0, 3.0):
        flight.fly(late_s)
        flight.to_ground(
            wire.build_stream_info(
                stream=0, checkpoint_id=flight.newest().header.checkpoint_id,
                frame=wire.parse(flight.down[-1]).header.frame,
                capture_time_ns=EPOCH_NS + round(flight.now_s * 1e9), frame_id="stranger",
            )
        )  # fmt: skip
        since_s = flight.now_s
        flight.fly(4.0)
        assert {name for time_s, _, name, _ in flight.results if time_s > since_s} == {"cam"}
    assert packet.header.stream == 0


def test_a_strangers_frame_id_that_came_first_is_replaced():
    flight = Flight("auto")
    flight.fly(0.2)
    stream = flight.ground._streams[0]
    stream.frame_id = "stranger"
    flight.fly(MOST_S + 1.0)

    assert flight.results[-1][2] == "cam"


@pytest.mark.parametrize(
    ("encoded", "source"),
    [((128, 96), (8192, 8192)), ((128, 96), (1000, 700)), ((4096, 4096),) * 2],
)
def test_a_strangers_size_makes_no_large_picture(encoded, source):
    flight = flying("auto")
    packet = flight.newest()
    number = wire.parse(flight.down[-1]).header.frame
    header = replace(
        packet.header,
        frame=(number + 1) & 0xFFFF,
        capture_time_ns=EPOCH_NS + round(flight.now_s * 1e9),
    )
    geometry = build_geometry(wire.Geometry(encoded, source))
    since_s = flight.now_s
    flight.to_ground(wire.build(header, geometry + packet.payload[8:]))
    flight.fly(3.0)

    assert {size for *_, size in flight.results} == {(128, 96)}
    assert flight.longest_gap_s(since_s) <= MOST_S


def test_garbage_with_right_checksums_costs_less_than_frames():
    """Where its number or size does not go on, nothing of it is decoded."""
    flight = flying("auto")
    decoded = []
    decode = flight.ground._decoder.decode
    flight.ground._decoder.decode = lambda *args: decoded.append(1) or decode(*args)
    for number in range(500):
        flight.to_ground(features(flight, 1000 + 97 * number))

    assert decoded == []


class Hostile(RuleBasedStateMachine):
    """A flight, and anywhere in it a packet that a stranger made of genuine ones."""

    def __init__(self):
        super().__init__()
        self.flight = Flight("auto")
        self.flight.fly(3.0)

    @rule(seconds=st.floats(0.01, 1.0))
    def fly(self, seconds):
        self.flight.fly(seconds)

    @rule(seed=st.integers(0, 1 << 32), late_s=st.floats(0.0, 0.11))
    def packet_to_the_ground(self, seed, late_s):
        self._attack(seed, late_s, self.flight.down, forge, self.flight.to_ground)

    @rule(seed=st.integers(0, 1 << 32), late_s=st.floats(0.0, 0.11))
    def packet_to_the_drone(self, seed, late_s):
        self._attack(seed, late_s, self.flight.up, forge, self.flight.to_drone)

    @rule(seed=st.integers(0, 1 << 32), late_s=st.floats(0.0, 0.11))
    def report_to_the_drone(self, seed, late_s):
        self._attack(seed, late_s, self.flight.up, forge_report, self.flight.to_drone)

    @rule(ahead=st.integers(-70, 70), late_s=st.floats(0.0, 0.11))
    def frame_that_was_never_taken(self, ahead, late_s):
        self.flight.fly(late_s)
        since_s = self.flight.now_s
        self.flight.to_ground(features(self.flight, ahead))
        self._recovers(since_s)

    @invariant()
    def sane(self):
        assert len(self.flight.ground._streams) <= 16
        assert 0 <= (self.flight.onboard.stats.loss or 0) <= 1

    def _attack(self, seed, late_s, genuine, forger, deliver):
        rng = random.Random(seed)
        self.flight.fly(late_s)
        since_s = self.flight.now_s
        deliver(forger(rng.choice(genuine[-30:]), rng))
        self._recovers(since_s)

    def _recovers(self, since_s):
        self.flight.fly(MOST_S + 0.5)
        assert self.flight.longest_gap_s(since_s) <= MOST_S


# Shrinking a flight takes minutes; what fails is printed as it is.
Hostile.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=10,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),
)
test_one_packet_anywhere_costs_at_most_two_seconds = Hostile.TestCase
