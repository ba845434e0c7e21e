# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes at equal agreement."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "video.py"


@pytest.fixture(scope="module")
def video():
    spec = importlib.util.spec_from_file_location("benchmark_video", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_bytes_at_an_accuracy_lie_between_the_points(video):
    curve = [(100.0, 0.5), (400.0, 0.7), (900.0, 0.8)]

    assert video.bytes_at(curve, 0.6) == pytest.approx(200.0)
    assert video.bytes_at(curve, 0.7) == pytest.approx(400.0)
    assert video.bytes_at(curve, 0.4) == 100.0
    assert video.bytes_at(curve, 0.9) is None
    assert video.bytes_at(curve, None) is None


def test_the_summary_compares_at_equal_agreement(video):
    def row(system, setting, age, size, agreement, loss=0.0):
        return {
            "clip": "a",
            "fps": 10.0,
            "motion": "pan",
            "system": system,
            "setting": setting,
            "age": age,
            "loss": loss,
            "bytes_per_frame": size,
            "agreement_ap50": agreement,
            "ap50": None,
        }

    rows = [
        row("sc2 intra", "0.1", 0, 1000, 0.8),
        row("sc2", "0", 1, 200, 0.7),
        row("sc2", "0.1", 1, 450, 0.9),
        row("sc2", "0.1", 3, 600, 0.9),
        row("sc2", "0.1", 1, 450, 0.81, loss=0.05),
        row("x265", "36", 0, 1200, 0.8),
    ]
    (entry,) = video.summary(rows)

    assert entry["share_of_intra"] == pytest.approx(0.3)
    assert entry["share_of_x265"] == pytest.approx(0.25)
    assert entry["share_age_3"] == pytest.approx(0.6)
    assert entry["kept_at_loss_sc2"] == pytest.approx(0.9)
    assert "share_of_x264" not in entry
