# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks run from the command line on something small, and their judgements are right."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from weights import write_untrained

from sc2_ros import checkpoint as checkpoints
from sc2_ros.link.receiver_log import ReceiverLog
from sc2_ros.onboard.pipeline import CameraFrame, OnboardPipeline

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_untrained(tmp_path_factory.mktemp("weights") / "untrained.safetensors")


def _load(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(name, *options):
    return subprocess.run(
        [sys.executable, BENCHMARKS / f"{name}.py", *map(str, options)],
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_path_measures_every_stage(tmp_path, weights):
    result = _run(
        *("path", "--size", "96x64", "--frames", 2, "--checkpoint", weights),
        *("--json", tmp_path / "path.json"),
    )

    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "path.json").read_text())
    for path in ("onboard_ms", "ground_ms"):
        stages = dict(report[path])
        total = stages.pop("total")
        assert len(stages) >= 2
        assert all(value >= 0 for value in stages.values())
        assert total > 0
    assert report["jpeg_ms"] > 0
    assert report["webp_ms"] > 0
    assert report["engine"].startswith("PyTorch")  # these weights are not exported
    assert "onboard" in result.stdout


@pytest.mark.parametrize("option", [("--input", "absent.mp4"), ("--size", "0x5")])
def test_path_says_what_is_wrong_in_one_line(script, option):
    result = script("path", *option)

    assert result.returncode != 0
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "command", [("path",), ("rate_distortion", "--data", "synthetic:1")], ids=lambda words: words[0]
)
def test_a_device_that_is_not_there_is_one_line(script, weights, command):
    result = script(*command, "--checkpoint", weights, "--device", "banana")

    assert result.returncode != 0
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: device 'banana' is unknown")


def test_rate_distortion_writes_figure_and_rows_and_resumes(script, tmp_path, weights, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    options = (
        *("rate_distortion", "--data", "synthetic:1", "--limit", 1, "--checkpoint", weights),
        *("--rates", "0.5", "--codecs", "jpeg:30", "--out", tmp_path),
    )
    first = script(*options)
    assert first.returncode == 0, first.stderr
    path = tmp_path / "rate_distortion_synthetic.json"
    for file in (tmp_path / "cache").rglob("*.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"bytes_per_frame": 4711.0}))

    again = script(*options)

    assert again.returncode == 0, again.stderr
    rows = json.loads(path.read_text())["rows"]
    assert {row["bytes_per_frame"] for row in rows} == {4711.0}  # nothing was measured again
    assert {"sc2_ros", "jpeg:30", "uncompressed"} == {row["system"] for row in rows}
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_equal_accuracy_is_interpolated_per_family():
    def row(system, size, accuracy):
        return {"system": system, "bytes_per_frame": size, "mean_ap50": accuracy}

    report = _load("rate_distortion").compare(
        [
            row("sc2_ros", 1000.0, 0.40),
            row("sc2_ros", 2000.0, 0.49),
            row("jpeg:10", 8000.0, 0.40),
            row("jpeg:20", 16000.0, 0.49),
            row("uncompressed", 300000.0, 0.50),
        ],
        "mean_ap50",
    )

    near = report["equal_accuracy"][0]
    assert near["accuracy"] == pytest.approx(0.49)
    assert near["bytes"] == pytest.approx({"sc2_ros": 2000.0, "jpeg": 16000.0})
    assert near["times_ours"] == pytest.approx({"jpeg": 8.0})
    assert report["bd_rate"] == pytest.approx({"jpeg": -7 / 8})


@pytest.mark.parametrize(("mb_per_second", "flat"), [(0.0, True), (0.1, False)])
def test_memory_judges_the_trend_after_the_warm_up(mb_per_second, flat):
    samples = [(float(s), 300 + mb_per_second * s + (s % 3)) for s in range(600)]
    samples[0] = (0.0, 30.0)  # the interpreter before its imports

    report = _load("memory").judge(samples)

    assert report["flat"] is flat
    assert report["rss_mb_max"] == pytest.approx(302, abs=60)


def test_memory_is_measured_with_a_ground_that_acknowledges():
    checkpoint = checkpoints.untrained()
    onboard = OnboardPipeline(checkpoint)
    received = ReceiverLog(session=1, station=1)
    acknowledge = _load("memory").acknowledge

    for number in range(3):
        image = np.full((64, 96), 40 * number, np.uint8)
        packets = onboard.process(CameraFrame(image, number, ""), float(number))
        for packet in packets:
            onboard.on_sent(packet, float(number))
        answer = acknowledge(packets, received, checkpoint.id, number + 0.1)
        onboard.on_feedback(answer, number + 0.1)

    assert onboard.stats.frames_decoded == 3
    assert (onboard.stats.bad_feedback, onboard.stats.loss) == (0, 0)


def test_memory_of_a_process_that_ends_is_one_clear_line():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as victim:
        watcher = subprocess.Popen(
            [sys.executable, BENCHMARKS / "memory.py", "--pid", str(victim.pid), "--minutes", "5"],
            stderr=subprocess.PIPE,
            text=True,
        )
        victim.communicate(b"\n")
    _, stderr = watcher.communicate(timeout=120)

    assert watcher.returncode != 0
    assert stderr.startswith("error: ")
    assert str(victim.pid) in stderr


def test_archive_finds_every_bag_once(tmp_path):
    pytest.importorskip("pyarrow")
    result = _run(
        *("archive", "--bags", 3, "--frames", 2, "--size", "96x64"),
        *("--clusters", "local:2", "--json", tmp_path / "archive.json"),
    )

    assert result.returncode == 0, result.stderr
    (row,) = json.loads((tmp_path / "archive.json").read_text())["rows"]
    assert (row["missing"], row["twice"]) == (0, 0)
    assert row["bags_per_s"] > 0
