# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Predicted frames between the two pipelines: both ends always know what was captured when."""

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from predicting import shipped
from temporal_flight import Flight, Scene, distances, held

from sc2_ros.codec import wire
from sc2_ros.codec.frame.encoder import FrameEncoder
from sc2_ros.codec.frame.plan import Protection
from sc2_ros.codec.wire import CaptureTimes, Motion, PacketId
from sc2_ros.codec.wire.predicted import (
    PREDICTED,
    PredictedHead,
    PredictedPacket,
    build_predicted,
)
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.link.feedback import parse_feedback
from sc2_ros.onboard.pipeline import OnboardPipeline

MS = 1_000_000
TIMES = (5 * MS, 38 * MS, 72 * MS)


@cache
def checkpoint():
    return shipped()


class Stamped(Scene):
    """Still, with stamps of one's own."""

    def __init__(self, stamp):
        super().__init__()
        self._base = self._base[:48, :48]
        self._stamp = stamp
        self.stamps = []

    def frame(self, number):
        self.stamps.append(self._stamp(number))
        return replace(super().frame(number), stamp_ns=self.stamps[-1])


def flight_of(stamp, **config):
    flight = Flight(checkpoint(), rate_index=0.1, **config)
    flight.scene = Stamped(stamp)
    return flight


def jitter(dice):
    return lambda number: 10**18 + number * 100 * MS + dice.randint(-MS // 2, MS // 2)


def test_a_lossy_flight_keeps_its_times():
    dice = random.Random(3)
    flight = flight_of(jitter(dice))
    heard = CaptureTimes()
    predicted = complete = 0
    for _ in range(150):
        packets, shown = flight.step(
            lose=lambda: dice.random() < 0.2, lose_feedback=lambda: dice.random() < 0.2
        )
        predicted += any(distances(packets))
        for packet in packets:
            found = heard.resolve(packet)
            assert found is not None
            assert found.capture_time_ns == flight.scene.stamps[found.frame]
        for ready in shown[0]:
            header = ready.frame.header
            assert header.capture_time_ns == flight.scene.stamps[header.frame]
            ours, theirs = held(flight.stations[0]).get(header.frame), flight.sent(header.frame)
            assert ours.digest == theirs.digest
            assert ours.stamp == theirs.stamp
            complete += 1

    assert flight.stations[0].stats.bad_packets == {}
    assert complete > 0.75 * 150
    assert predicted > 0.8 * 150


def test_the_header_of_a_steady_camera_takes_13_bytes():
    flight = flight_of(jitter(random.Random(0)))
    for _ in range(10):
        flight.step()
    for packets in flight.packets[3:]:
        (packet,) = [p for p in packets if wire.parse(p).header.type is wire.PacketType.FEATURES]
        assert packet[:1] == PREDICTED
        assert len(packet) - len(wire.parse(packet).payload) <= 13


def test_a_clock_that_is_set_in_flight_is_followed():
    """Off the ground without GPS, and the clock is set when it has a fix; later set back."""
    stamps = [*range(20), *(17 * 10**17 + n for n in range(20)), *range(20), *[-(2**63)] * 9]
    stamps += [2**63 - 1] * 40
    flight = flight_of(lambda number: stamps[number], delay=6)
    seen = [ready.frame.header.capture_time_ns for _ in stamps for ready in flight.step()[1][0]]
    predicted = [
        packet for packets in flight.packets for packet in packets if packet[:1] == PREDICTED
    ]

    assert seen == stamps
    assert len(predicted) > 0.7 * len(stamps)
    assert flight.stations[0].stats.bad_packets == {}


def test_a_station_that_lacks_the_reference_says_so_and_is_served():
    flight = flight_of(jitter(random.Random(1)))
    for _ in range(4):
        flight.step()
    late = GroundPipeline(checkpoint(), GroundConfig())
    flight.stations.append(late)

    packets, shown = flight.step()

    assert all(distances(packets))
    assert shown[1] == []
    assert late.stats.bad_packets == {"reference missing": len(packets)}
    (answer,) = late.feedback(flight.now_s + 1)
    header, feedback = wire.parse(answer).header, parse_feedback(wire.parse(answer).payload)
    assert (header.frame, header.capture_time_ns) == (4, 0)
    assert (feedback.newest_frame, feedback.packets, feedback.held) == (
        4,
        len(packets),
        frozenset(),
    )
    flight.step()  # beside another, a station counts from its second report on
    packets, shown = flight.step()
    assert not any(distances(packets))
    assert [ready.frame.header.frame for ready in shown[1]] == [6]
    flight.step()
    packets, shown = flight.step()
    assert all(distances(packets))
    assert [ready.frame.header.capture_time_ns for ready in shown[1]] == [flight.scene.stamps[8]]


def test_a_packet_whose_time_is_not_known_neither_restarts_nor_leads():
    """Its number is believed only where it goes on from what is known."""
    flight = flight_of(jitter(random.Random(2)))
    for _ in range(6):
        flight.step()
    station = flight.stations[0]
    stream = station._streams[0]
    log, newest = stream.log, stream.newest

    def forged(frame):
        header = PacketId(type=newest.type, stream=0, frame=frame & 0xFFFF)
        return build_predicted(PredictedPacket(header, PredictedHead(1, 0), 0, b""))

    for frame in (20_000, newest.frame - 100, newest.frame - 40_000):
        station.accept(forged(frame), flight.now_s)
        assert (stream.log, stream.newest) == (log, newest)
        assert stream.log.newest_frame == newest.frame
    station.accept(forged(newest.frame + 9), flight.now_s)
    assert station.stats.bad_packets == {"implausible": 3, "reference missing": 1}
    assert stream.log is log
    assert stream.newest.frame == newest.frame + 9
    assert stream.newest_time_ns is None
    # It led a bit, and what really comes next is a straggler until it has caught up.
    for _ in range(12):
        _, shown = flight.step()
        assert len(shown[0]) == 1
    assert stream.log is log
    assert stream.newest_time_ns == flight.scene.stamps[-1]


def test_a_drone_that_starts_again_is_served_at_once():
    flight = flight_of(jitter(random.Random(4)))
    for _ in range(10):
        flight.step()
    session = flight.stations[0]._streams[0].log.session
    flight.onboard = OnboardPipeline(checkpoint(), flight.onboard.config)

    steps = [flight.step() for _ in range(5)]
    seen = [ready.frame.header for _, shown in steps for ready in shown[0]]

    assert [header.frame for header in seen] == [0, 1, 2, 3, 4]
    assert [header.capture_time_ns for header in seen] == flight.scene.stamps[10:]
    assert flight.stations[0]._streams[0].log.session != session
    assert any(any(distances(packets)) for packets, _ in steps)


def frame_of_slices(encoder, frame, latent, *references, repairs=0):
    """A frame of four slices or more, predicted from a reference if there is one."""
    prediction = None
    if references:
        prediction = encoder.predict(references[0], Motion(), latent.shape[1:])
    source = encoder.frame(latent, wire.Geometry((192, 128), (192, 128)), prediction)
    plan = encoder.plan(source, 20, Protection(4, repairs))
    return encoder.encode(plan, stream=0, frame=frame, capture_time_ns=TIMES[frame])


def frames_of_slices(*, repairs=0, cut=False):
    """A keyframe, then two predicted from the one before, all much alike.

    cut: there is nothing any more in their left halves.
    """
    encoder = FrameEncoder(checkpoint().tables, checkpoint().id)
    channels = checkpoint().tables.channels
    dice = np.random.default_rng(0)
    old, *new = dice.normal(scale=20, size=(4, channels, 8, 12)).astype(np.float32)
    found = [frame_of_slices(encoder, 0, old, repairs=repairs)]
    for frame in (1, 2):
        latent = old + 0.05 * new[frame]
        if cut:
            latent[:, :, :6] = 0
        found.append(frame_of_slices(encoder, frame, latent, found[-1].reference, repairs=repairs))
    return found


@pytest.mark.parametrize("lost", range(4))
def test_a_predicted_slice_that_was_lost_is_repaired(lost):
    first, second, third = frames_of_slices(repairs=1)
    assert second.price.predicted.all()
    station = GroundPipeline(checkpoint(), GroundConfig())
    packets = [p for n, p in enumerate(second.packets) if n != lost]

    seen = [
        ready.frame
        for data in [*first.packets, *packets, *third.packets]
        for ready in station.accept(data, 0.0)
    ]

    assert [frame.complete for frame in seen] == [True] * 3
    assert [frame.slices_repaired for frame in seen] == [0, 1, 0]
    assert [frame.header.capture_time_ns for frame in seen] == list(TIMES)
    assert station.stats.bad_packets == {}
    assert held(station).get(2).digest == third.reference.digest
    assert held(station).get(2).stamp == third.reference.stamp


@pytest.mark.parametrize("backwards", [False, True])
def test_of_a_frame_with_both_kinds_of_slices_both_ends_have_the_same_stamp(backwards):
    frames = frames_of_slices(cut=True)
    mixed = frames[1].price.predicted
    assert mixed.any()
    assert not mixed.all()
    station = GroundPipeline(checkpoint(), GroundConfig())
    for frame in frames:
        for data in reversed(frame.packets) if backwards else frame.packets:
            station.accept(data, 0.0)
        ours, theirs = held(station).get(frame.reference.frame), frame.reference
        assert ours is not None
        assert (ours.digest, ours.stamp) == (theirs.digest, theirs.stamp)
    assert frames[1].reference.stamp.interval_ns == 33 * MS
    assert station.stats.bad_packets == {}


def test_slices_that_name_two_references_are_not_of_one_frame():
    first, second, third = frames_of_slices()
    latent = checkpoint().tables.dequantise(first.reference.symbols, 20)
    encoder = FrameEncoder(checkpoint().tables, checkpoint().id)
    again = frame_of_slices(encoder, 2, latent, first.reference)
    station = GroundPipeline(checkpoint(), GroundConfig())
    for data in first.packets + second.packets + third.packets[3:] + again.packets[:1]:
        station.accept(data, 0.0)
    packets = [wire.parse(data) for data in (third.packets[3], again.packets[0])]
    assert distances(packets) == [1, 2]
    assert station.stats.bad_packets == {"inconsistent": 1}
