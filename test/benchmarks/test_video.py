# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes at equal agreement."""

import pytest
from helpers.video_summary import bytes_at, summary


def test_bytes_at_an_accuracy_lie_between_the_points():
    curve = [(100.0, 0.5), (400.0, 0.7), (900.0, 0.8)]

    assert bytes_at(curve, 0.6) == pytest.approx(200.0)
    assert bytes_at(curve, 0.7) == pytest.approx(400.0)
    assert bytes_at(curve, 0.4) == 100.0
    assert bytes_at(curve, 0.9) is None


def row(system, setting, age, size, agreement, **more):
    row = {"clip": "a", "fps": 10.0, "motion": "pan", "system": system, "setting": setting}
    row |= {"age": age, "loss": 0.0, "bytes_per_frame": size, "packed_bytes_per_frame": size + 24}
    row |= {"agreement_ap50": agreement, "agreement_same_grid_ap50": agreement, "ap50": None}
    row |= {"grid_sent_ap50": 1.0}
    return row | {"encode_ms": 10.0 + age} | more


def test_the_summary_compares_at_equal_agreement():
    (entry,) = summary(
        [
            row("sc2 intra", "0.1", 0, 1000, 0.8),
            row("sc2", "0", 1, 200, 0.7),
            row("sc2", "0.1", 1, 450, 0.9),
            row("sc2", "0.1", 3, 600, 0.9),
            row("sc2", "0.1", 1, 450, 0.81, loss=0.05),
            row("x265", "36", 0, 1200, 0.8),
        ]
    )

    assert entry["equal_at"] == 0.8
    assert entry["share_of_intra"] == pytest.approx(0.3)
    assert entry["share_of_x265"] == pytest.approx(0.25)
    assert entry["share_of_x265_packed"] == pytest.approx(300 / 1224, abs=1e-4)
    assert entry["share_age_3"] == pytest.approx(0.6)
    assert entry["kept_at_loss_sc2"] == pytest.approx(0.9)
    assert entry["added_ms"] == 1.0
    assert "share_of_x264" not in entry
    assert "kept_at_loss_x265" not in entry


def test_where_prediction_does_not_reach_intra_its_own_best_counts():
    (entry,) = summary(
        [
            row("sc2 intra", "0", 0, 800, 0.6),
            row("sc2 intra", "0.1", 0, 1000, 0.8),
            row("sc2", "0.1", 1, 450, 0.6, agreement_same_grid_ap50=0.8, grid_sent_ap50=0.7),
        ]
    )

    assert entry["grid_sent"] == 0.7
    assert entry["equal_at"] == 0.6
    assert entry["share_of_intra"] == pytest.approx(450 / 800, abs=1e-4)
    assert entry["share_of_intra_same_grid"] == pytest.approx(0.45)


def test_a_peer_that_does_not_reach_us_has_a_bound():
    (entry,) = summary(
        [
            row("sc2 intra", "0.1", 0, 1000, 0.8),
            row("sc2", "0.1", 1, 400, 0.8),
            row("x265", "28", 0, 4000, 0.7),
        ]
    )

    assert entry["share_of_x265"] is None
    assert entry["share_of_x265_at_most"] == pytest.approx(0.1)


def test_clips_without_our_own_rows_are_named_and_nothing_else():
    assert summary([row("x265", "28", 0, 4000, 0.7)]) == [
        {"clip": "a", "fps": 10.0, "motion": "pan"}
    ]
