# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of accuracy under loss, on something small."""

import json

from sc2_ros import checkpoint as checkpoints


def test_every_image_counts_and_every_packet(script, tmp_path):
    weights = tmp_path / "untrained.safetensors"
    card = checkpoints.default_card()
    networks = checkpoints.build_networks(card)
    checkpoints.save(weights, *networks, checkpoints.untrained(seed=0).tables, card)
    result = script(
        "loss",
        *("--data", "synthetic:1", "--limit", 4, "--checkpoint", weights, "--fps", 2),
        *("--link", "1mbit,20ms", "--loss", "20", "--json", tmp_path / "loss.json"),
    )
    assert result.returncode == 0, result.stderr
    rows = json.loads((tmp_path / "loss.json").read_text())
    assert [(row["loss"], row["repair"]) for row in rows] == [(0.2, "auto"), (0.2, "off")]
    assert {row["frames"] for row in rows} == {4}
    assert rows[0]["repair_share"] > 0
    assert rows[1]["repair_share"] == 0
    assert rows[1]["area_received"] < 1
    assert all(row["bytes_per_frame"] * row["frames_sent"] > 1000 for row in rows)


def test_what_is_wrong_is_one_line(script, tmp_path):
    result = script("loss", "--data", tmp_path / "absent")
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
