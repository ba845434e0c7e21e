# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`sc2 evaluate` writes the agreed rows and refuses bad arguments in one line."""

import json

import cv2
import numpy as np
import pytest
from weights import write_untrained

from sc2_ros.cli.main import main
from sc2_ros.evaluation.systems import chunks
from sc2_ros.split import checkpoint as split_checkpoint


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_untrained(tmp_path_factory.mktemp("weights") / "untrained.safetensors")


def test_rows_and_table(tmp_path, weights, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    json_path = tmp_path / "new" / "rows.json"

    status = main(
        [
            *("evaluate", "--data", "synthetic:1", "--limit", "2", "--rate-index", "0,1"),
            *("--loss", "0.2", "--baselines", "jpeg:30, uncompressed"),
            *("--checkpoint", str(weights), "--json", str(json_path)),
        ]
    )

    assert status == 0
    rows = json.loads(json_path.read_text())
    assert [(row["system"], row["rate_index"], row["loss"]) for row in rows] == [
        ("sc2_ros", 0.0, 0.2),
        ("sc2_ros", 1.0, 0.2),
        ("jpeg:30", None, 0.0),
        ("uncompressed", None, 0.0),
    ]
    assert set(rows[0]) >= {
        *("system", "rate_index", "loss", "frames", "bytes_per_frame", "ap50", "mean_ap50", "miou")
    }
    assert all(row["frames"] == 2 for row in rows)
    assert rows[0]["bytes_per_frame"] < rows[1]["bytes_per_frame"]
    assert 640 * 480 * 3 < rows[3]["bytes_per_frame"] < 1.01 * 640 * 480 * 3
    printed = capsys.readouterr().out
    assert "uncompressed" in printed
    assert "road, building, vegetation, vehicle, person, other" in printed


def test_footage_without_labels_is_measured_by_agreement(tmp_path, weights, capsys):
    for number in range(8):
        noise = np.random.default_rng(number).integers(0, 255, (64, 96, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), noise)
    options = ["evaluate", "--input", str(tmp_path), "--checkpoint", str(weights), "--no-cache"]
    options += ["--rate-index", "1", "--baselines", "uncompressed", "--json"]

    assert main([*options, str(tmp_path / "labels.json")]) == 2
    assert "has no labels" in capsys.readouterr().err
    assert main([*options, str(tmp_path / "rows.json"), "--agreement"]) == 0

    stream, exact = json.loads((tmp_path / "rows.json").read_text())
    assert exact["miou"] == 1.0
    assert exact["truth"] == stream["truth"] == "agreement, score >= 0.3"
    assert 0 < stream["bytes_per_frame"] < exact["bytes_per_frame"]


def test_a_teacher_looks_at_images_that_no_packets_of_ours_would_hold(tmp_path):
    card = split_checkpoint.make_card(
        recipe="teacher",
        task="segmentation",
        classes=("car", "road"),
        backbone="resnet:8-12-16:1-1-1",
        crop=64,
    )
    teacher = tmp_path / "teacher.safetensors"
    split_checkpoint.save(teacher, split_checkpoint.build_network(card).eval(), card)
    side = 360
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    assert noise.size > chunks.MAX_BYTES
    cv2.imwrite(str(tmp_path / "noise.png"), noise)
    options = ["--input", str(tmp_path), "--checkpoint", str(teacher), "--agreement", "--no-cache"]

    assert main(["evaluate", *options, "--json", str(tmp_path / "rows.json")]) == 0

    (row,) = json.loads((tmp_path / "rows.json").read_text())
    assert (row["system"], row["miou"]) == ("uncompressed", 1.0)
    assert row["bytes_per_frame"] > noise.size


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "absent"], "no data folder"),
        (["--data", "synthetic", "--split", "dev"], "no split 'dev'"),
        (["--data", "synthetic", "--rate-index", "0.2,1.5"], "'1.5' is not a number from 0 to 1"),
        (["--data", "synthetic", "--baselines", "gif:3"], "'gif:3' is not a baseline"),
        (["--data", "synthetic", "--checkpoint", "absent"], "no checkpoint 'absent'"),
        (["--data", "synthetic", "--loss", "1"], "--loss 1.0 is out of range"),
        (["--data", "synthetic", "--limit", "0"], "--limit 0 is out of range"),
        (["--data", "synthetic", "--seed", "-1"], "--seed -1 is out of range"),
        (["--data", "synthetic", "--device", "tpu"], "'tpu' is unknown"),
        (["--data", "synthetic", "--jobs", "0"], "--jobs 0 is out of range"),
        (["--data", "synthetic", "--scale", "9"], "a scale of 9 is out of range"),
        (["--data", "synthetic", "--agreement", "1.5"], "--agreement 1.5 is no score"),
        (["--data", "synthetic", "--baselines", "hevc:52"], "use hevc:Q, Q from 0 to 51"),
        (["--data", "synthetic", "--figure", "rows.txt"], "--figure rows.txt is no figure"),
        (
            ["--data", "synthetic", "--rate-index", "0.5", "--write-value-curve", "a.safetensors"],
            "needs two rates or more",
        ),
        (
            ["--data", "synthetic", "--scale", "2", "--write-value-curve", "a.safetensors"],
            "leave out --scale",
        ),
    ],
)
def test_bad_arguments_are_one_line(options, message, capsys):
    status = main(["evaluate", *options])

    error = capsys.readouterr().err
    assert status == 2
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1
