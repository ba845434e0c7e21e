# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The measured worth of bytes travels in the checkpoint's card and reaches the controller."""

import json

import pytest
from weights import write_untrained

from sc2_ros import checkpoint as checkpoints
from sc2_ros.errors import CheckpointError, InputError
from sc2_ros.evaluation.sweep.value_curve import value_curve, write_value_curve
from sc2_ros.link.control.value_curve import ValueCurve
from sc2_ros.onboard.pipeline import OnboardConfig, OnboardPipeline


def row(rate_index, size, ap50, system="sc2_ros", loss=0.0, miou=None):
    return {
        "system": system,
        "rate_index": rate_index,
        "loss": loss,
        "bytes_per_frame": size,
        "mean_ap50": ap50,
        "miou": miou,
    }


def test_the_curve_is_that_of_our_own_rows_without_loss():
    rows = [
        row(0.5, 3000.0, 0.7),
        row(0.0, 600.0, 0.1),
        row(0.25, 1200.0, 0.6),
        row(0.25, 1200.0, 0.3, loss=0.1),
        row(None, 9000.0, 0.8, system="jpeg:30"),
    ]
    assert value_curve(rows) == [(0, 600.0, 0.1), (16, 1200.0, 0.6), (32, 3000.0, 0.7)]


def test_masks_stand_in_where_there_are_no_boxes():
    rows = [row(0.0, 600.0, None, miou=0.2), row(1.0, 6000.0, None, miou=0.5)]
    assert value_curve(rows) == [(0, 600.0, 0.2), (64, 6000.0, 0.5)]


def test_one_rate_makes_no_curve():
    with pytest.raises(InputError, match="two rates"):
        value_curve([row(0.5, 3000.0, 0.7), row(0.25, 900.0, None)])


def test_the_card_takes_the_curve_and_the_checkpoint_stays_the_same(tmp_path):
    source = write_untrained(tmp_path / "a.safetensors")
    before = checkpoints.read(source)
    rows = [row(0.0, 600.0, 0.02), row(0.25, 1200.0, 0.6), row(1.0, 9000.0, 0.7)]
    for target in (tmp_path / "new" / "b.safetensors", source):  # a copy, then in place
        assert write_value_curve(rows, source, target) == before.id
        after = checkpoints.read(target)
        assert after.id == before.id
        assert after.card == {
            **before.card,
            "value_curve": json.loads(json.dumps(value_curve(rows))),
        }
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.safetensors", "new"]
    checkpoint = checkpoints.load(source)
    assert ValueCurve(checkpoint.card["value_curve"]).least_code == 16
    onboard = OnboardPipeline(checkpoint, OnboardConfig(rate_mode="auto"))
    assert onboard._rate.allowance(0.0).low == 16


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    source = write_untrained(tmp_path / "a.safetensors")
    (tmp_path / "file").write_text("")
    rows = [row(0.0, 600.0, 0.02), row(0.25, 1200.0, 0.6)]
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_value_curve(rows, source, tmp_path / "file" / "b.safetensors")


@pytest.mark.parametrize(
    "curve",
    [
        None,
        "text",
        7,
        [[1, 2]],
        [[1.5, 100.0, 0.5]],
        [[3, 0, 0.5]],
        [[3, 9, float("nan")]],
        [[99, 9, 1]],
    ],
)
def test_a_card_with_nonsense_for_a_curve_is_as_one_without(curve):
    assert ValueCurve(curve).least_code == 0
    assert ValueCurve(curve).most_code(0.5) == 64
