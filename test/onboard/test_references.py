# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Prediction between the two pipelines: loss, restarts and other stations never break it."""

import dataclasses
import os
import random

import numpy as np
import pytest
from predicting import shipped, untrained
from temporal_flight import Flight, distances, held

from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.onboard.keyframes import MOST_S
from sc2_ros.onboard.pipeline import OnboardPipeline

SIZE = (96, 80)


@pytest.fixture(scope="module")
def checkpoint():
    return shipped()


def test_frames_are_predicted_once_they_are_acknowledged(checkpoint):
    flight = Flight(checkpoint)
    first, _ = flight.step()
    second, shown = flight.step()

    assert all(distance == 0 for distance in distances(first))
    assert all(distance == 1 for distance in distances(second))
    assert len(shown[0]) == 1
    assert flight.onboard.stats.reference_age == 1


def test_prediction_can_be_switched_off(checkpoint):
    flight = Flight(checkpoint, rate_temporal=False)
    packets = [packet for _ in range(4) for packet in flight.step()[0]]

    assert not any(distances(packets))


def test_without_feedback_nothing_is_predicted(checkpoint):
    flight = Flight(checkpoint)
    packets = [p for _ in range(5) for p in flight.step(lose_feedback=lambda: True)[0]]

    assert not any(distances(packets))


def test_lost_feedback_only_means_an_older_reference(checkpoint):
    flight = Flight(checkpoint)
    flight.step()
    ages = [distances(flight.step(lose_feedback=lambda: True)[0])[0] for _ in range(5)]

    assert ages == [1, 2, 3, 4, 5]


def test_a_frame_that_came_in_part_is_no_reference(checkpoint):
    flight = Flight(checkpoint)
    flight.step()
    flight.step(lose=lambda: True)
    packets, shown = flight.step()

    assert set(distances(packets)) == {2}
    assert len(shown[0]) == 1


def test_a_scene_cut_is_sent_by_itself(checkpoint):
    flight = Flight(checkpoint)
    for _ in range(3):
        flight.step()
    flight.scene.cut()
    packets, shown = flight.step()

    assert not any(distances(packets))
    assert len(shown[0]) == 1


def test_a_station_that_joins_late_sees_whole_frames_within_three(checkpoint):
    flight = Flight(checkpoint)
    for _ in range(4):
        flight.step()
    late = GroundPipeline(checkpoint, GroundConfig())
    flight.stations.append(late)
    _, shown = flight.step()
    assert shown[1] == []
    assert late.stats.bad_packets == {"reference missing": 1}

    flight.step()  # beside another, a station counts from its second report on
    packets, shown = flight.step()
    assert not any(distances(packets))
    assert len(shown[1]) == 1
    packets, shown = flight.step()
    assert all(distances(packets))
    assert [len(frames) for frames in shown] == [1, 1]


def test_a_ground_that_starts_again_is_sent_a_whole_frame(checkpoint):
    flight = Flight(checkpoint)
    for _ in range(4):
        flight.step()
    flight.stations = [GroundPipeline(checkpoint, GroundConfig())]
    came = [len(flight.step()[1][0]) for _ in range(3)]

    assert came == [0, 0, 1]


def test_a_drone_that_starts_again_is_understood(checkpoint):
    flight = Flight(checkpoint)
    for _ in range(8):
        flight.step()
    flight.onboard = OnboardPipeline(checkpoint, flight.onboard.config)
    came = [len(flight.step()[1][0]) for _ in range(4)]

    assert came == [1, 1, 1, 1]
    assert flight.stations[0].stats.bad_packets == {}
    assert len(held(flight.stations[0])) == 4


@pytest.mark.parametrize("delay", [1, 4])
def test_a_recording_can_be_cut_and_read_from_the_next_refresh(checkpoint, delay):
    frames = round(MOST_S / 0.1) + 20
    flight = Flight(checkpoint, delay=delay)
    ages = [distances(flight.step()[0])[0] for _ in range(frames)]
    cut = delay + 2
    refresh = next(number for number in range(cut, frames) if not ages[number])
    listener = GroundPipeline(checkpoint, GroundConfig())
    seen = [
        ready.frame.header.frame
        for number, packets in enumerate(flight.packets[cut:], cut)
        for packet in packets
        for ready in listener.accept(packet, number * 0.1)
    ]

    assert refresh <= frames - 20 + delay
    # Until the refresh is acknowledged, frames are predicted from some that came before it.
    assert seen == [refresh, *range(refresh + delay, frames)]
    assert ages.count(0) <= delay + 1 + (frames - delay) // 15


def test_with_a_period_of_a_second_a_silent_listener_sees_a_whole_picture_within_one(checkpoint):
    flight = Flight(checkpoint, refresh_period_s=1.0)
    whole = [not distances(flight.step()[0])[0] for _ in range(35)]
    flight.onboard.configure(dataclasses.replace(flight.onboard.config, refresh_period_s=10.0))
    later = [not distances(flight.step()[0])[0] for _ in range(15)]

    assert all(any(whole[begun : begun + 11]) for begun in range(1, 25))
    assert sum(whole) <= 5
    assert not any(later[5:])


@pytest.mark.parametrize("delay", [2, 4])
def test_a_station_that_joins_far_away_sees_every_frame_after_a_round_trip(checkpoint, delay):
    flight = Flight(checkpoint, delay=delay)
    for _ in range(delay + 4):
        flight.step()
    joined = flight.number
    flight.stations.append(GroundPipeline(checkpoint, GroundConfig()))
    came, ages = [], []
    for _ in range(4 * delay):
        packets, shown = flight.step()
        came.append([len(frames) for frames in shown])
        ages.append(distances(packets)[0])

    assert all(first == 1 for first, _ in came)
    # Beside another, a station counts from its second report on.
    assert all(second == 1 for _, second in came[delay + 1 :])
    assert joined + ages.index(0) <= joined + delay + 1
    assert all(ages[2 * delay + 1 :])


def test_a_refresh_can_be_asked_for(checkpoint):
    flight = Flight(checkpoint)
    for _ in range(3):
        flight.step()
    flight.onboard.refresh()
    first, _ = flight.step()
    second, _ = flight.step()

    assert not any(distances(first))
    assert all(distance == 1 for distance in distances(second))


def test_prediction_switched_off_and_on_again_finds_the_right_pictures(checkpoint):
    flight = Flight(checkpoint)
    flight.step()
    on = flight.onboard.config
    flight.onboard.configure(dataclasses.replace(on, rate_temporal=False))
    flight.step()
    flight.onboard.configure(on)
    packets, shown = flight.step()

    # The frame sent meanwhile has no thumbnail; the one before it has.
    assert set(distances(packets)) == {2}
    assert len(shown[0]) == 1


def test_a_lost_slice_is_taken_from_the_frame_before(checkpoint):
    flight = Flight(checkpoint, rate_index=1.0)
    flight.scene._base = np.tile(flight.scene._base, (14, 14, 1))
    flight.step()
    flight.step()
    dropped = iter([True] + [False] * 99)
    packets, shown = flight.step(lose=lambda: next(dropped))
    ready = flight.stations[0].expire(flight.now_s + 1)
    frame = (shown[0] + ready)[-1].frame
    before = held(flight.stations[0]).newest

    assert len(packets) > 1
    assert not frame.complete
    assert frame.concealed.any()
    assert not (frame.concealed & frame.received).any()
    hole = frame.concealed
    expected = checkpoint.tables.dequantise(before.symbols, before.code)
    assert np.array_equal(frame.latent[:, hole], expected[:, hole])
    assert held(flight.stations[0]).get(frame.header.frame) is None


def test_a_hole_after_a_cut_is_not_filled_with_what_was_there_before(checkpoint):
    flight = Flight(checkpoint, rate_index=1.0)
    flight.scene._base = np.tile(flight.scene._base, (6, 6, 1))
    flight.step()
    flight.step()
    flight.scene._base = 255 - flight.scene._base[::-1]
    dropped = iter([True] + [False] * 99)
    packets, shown = flight.step(lose=lambda: next(dropped))
    ready = flight.stations[0].expire(flight.now_s + 1)
    frame = (shown[0] + ready)[-1].frame

    assert len(packets) > 1
    assert not frame.complete
    assert not frame.concealed.any()
    assert not frame.latent[:, ~frame.received].any()


@pytest.mark.parametrize("made", [shipped, untrained])
def test_many_frames_with_loss_both_ways_do_not_drift(made):
    """With the networks that ship, and with some that know nothing."""
    frames = int(os.environ.get("SC2_DRIFT_FRAMES", "500"))  # 10,000 before a release
    flight = Flight(made(), rate_index=0.1)
    dice, other = random.Random(5), random.Random(6)
    flight.scene._base = flight.scene._base[:48, :48]
    predicted = whole = 0
    shares = set()
    for _ in range(frames):
        if other.random() < 0.3:  # something comes or goes
            y, x = other.randrange(36), other.randrange(36)
            flight.scene._base[y : y + 12, x : x + 12] = other.randrange(256)
        packets, shown = flight.step(
            lose=lambda: dice.random() < 0.2, lose_feedback=lambda: dice.random() < 0.2
        )
        predicted += any(distances(packets))
        for ready in shown[0]:
            number = ready.frame.header.frame
            ours, theirs = held(flight.stations[0]).get(number), flight.sent(number)
            assert ours.digest == theirs.digest
            assert np.array_equal(ours.symbols, theirs.symbols)
            assert np.array_equal(ours.coded, theirs.coded)
            shares.add(ours.coded.mean())
            whole += 1

    assert flight.stations[0].stats.bad_packets == {}
    assert whole > 0.75 * frames
    assert predicted > 0.9 * frames
    # Of frames all positions were coded, or none, or a part.
    assert (min(shares), max(shares)) == (0, 1)
    assert len(shares) > 4
