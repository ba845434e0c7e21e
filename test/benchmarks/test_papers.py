# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""benchmarks/papers.py from end to end on a tiny data set, and what it says about known curves."""

import argparse
import dataclasses
import importlib.util
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers import papers_row, papers_training
from helpers.dask_cluster import dask_cluster
from helpers.papers_plan import BETAS, SHIPPED, TASKS, Task, label
from helpers.papers_report import compare, gained, in_order
from helpers.papers_training import Training, ground_alone

from sc2_ros import checkpoint
from sc2_ros.data import open_dataset
from sc2_ros.training.starting import weights_of

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "papers.py"


@pytest.fixture
def papers(monkeypatch):
    spec = importlib.util.spec_from_file_location("benchmark_papers", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "benchmark_papers", module)  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


def make_folder(folder):
    rng = np.random.default_rng(0)
    for split, count in (("train", 6), ("val", 2)):
        for name, level in (("dark", 60), ("light", 190)):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                image = (level + rng.integers(-40, 40, (32, 32))).astype(np.uint8)
                cv2.imwrite(str(folder / split / name / f"{number}.png"), image)


def arguments(papers, tmp_path, monkeypatch):
    """A command line for a tiny task."""
    make_folder(tmp_path / "data" / "tiny")
    task = Task("tiny", "classification", "top1", "resnet:8-12-16:1-1-1", 32, 4)
    monkeypatch.setitem(papers.TASKS, "tiny", task)
    return (
        f"papers.py --train --steps-each 2 --teacher-steps 3 --tasks tiny --points 0 --limit 3 "
        f"--systems entropic_student,rate_estimator --data {tmp_path / 'data'} "
        f"--runs {tmp_path / 'runs'} --out {tmp_path / 'papers.json'} "
        f"--figures {tmp_path / 'figures'} --table {tmp_path / 'table.md'}"
    ).split()


def test_the_workers_of_a_cluster_train_and_measure_the_same(papers, tmp_path, monkeypatch, capsys):
    pytest.importorskip("distributed")
    words, out = arguments(papers, tmp_path, monkeypatch), tmp_path / "papers.json"
    with dask_cluster(tmp_path) as (address, _):
        monkeypatch.setattr(sys, "argv", [*words, "--cluster", address])
        assert papers.main() == 0
    rows = json.loads(out.read_text())["rows"]
    assert {"teacher", "entropic_student", "rate_estimator", "jpeg"} <= {r["system"] for r in rows}
    assert len({(row["system"], row["setting"]) for row in rows}) == len(rows)
    assert "--- tiny rate_estimator" not in capsys.readouterr().out  # a worker has said it
    monkeypatch.setattr(sys, "argv", words)
    assert papers.main() == 0
    assert "---" not in capsys.readouterr().out  # nothing was trained again
    assert json.loads(out.read_text())["rows"] == rows  # or measured again: its time would differ


def test_it_trains_measures_and_does_nothing_twice(papers, tmp_path, monkeypatch, capsys):
    words, out = arguments(papers, tmp_path, monkeypatch), tmp_path / "papers.json"
    monkeypatch.setattr(sys, "argv", words)
    assert papers.main() == 0
    report = json.loads(out.read_text())
    rows = {row["system"]: row for row in report["rows"]}
    assert {"teacher", "entropic_student", "rate_estimator", "jpeg", "webp"} <= rows.keys()
    for row in rows.values():
        assert row["frames"] == 3
        assert row["bytes_per_frame"] > 32
        assert 0 <= row["value"] <= 1
    assert rows["teacher"]["training_steps"] == 3
    student = rows["entropic_student"]
    assert student["encoder_params"] > 138_672  # the encoder's own; the prior's come on top
    assert student["encoder_gmac"] == pytest.approx(0.588 * (32 / 224) ** 2, rel=0.05)
    assert rows["jpeg"]["encoder_gmac"] == 0
    assert f"| entropic_student | beta {BETAS[0]:g} | 2 |" in (tmp_path / "table.md").read_text()
    assert (tmp_path / "figures" / "papers_tiny.png").stat().st_size > 5000
    assert (tmp_path / "figures" / "papers_tiny_trade_off.png").is_file()
    capsys.readouterr()
    assert papers.main() == 0
    assert "---" not in capsys.readouterr().out  # nothing was trained again
    assert json.loads(out.read_text())["rows"] == report["rows"]


def test_a_leg_goes_on_from_the_one_before_it(papers, tmp_path, monkeypatch):
    words, out = arguments(papers, tmp_path, monkeypatch), tmp_path / "papers.json"
    words[words.index("--systems") + 1] = "frankensplit"
    started = []

    def train(job, args):
        started.append(job.start)
        return papers_training.train(job, args)

    monkeypatch.setattr(papers, "train", train)
    monkeypatch.setattr(sys, "argv", [*words, "--legs", "2"])
    assert papers.main() == 0
    rows = json.loads(out.read_text())["rows"]
    first, second = sorted(row["setting"] for row in rows if row["system"] == "frankensplit")
    assert second == f"{first}-leg_2"
    folder = tmp_path / "runs" / "tiny" / "frankensplit" / first
    assert started == [None, None, str(folder / "checkpoint.safetensors")]  # teacher, two legs


def test_our_own_encoder_begins_anew_where_the_shipped_one_has_seen_the_images(tmp_path):
    teacher = tmp_path / "checkpoint.safetensors"
    teacher.write_bytes(checkpoint.find("default").read_bytes())
    given, all_weights = weights_of(str(ground_alone(teacher))), weights_of(str(teacher))
    assert given.keys() == {name for name in all_weights if name.startswith("ground.")}
    assert any(name.startswith("encoder.") for name in all_weights)
    assert all(torch.equal(value, all_weights[name]) for name, value in given.items())


def rows_of(system, *legs):
    return [
        {"task": "hituav", "system": system, "setting": setting, "value": value}
        | {"bytes_per_frame": size}
        for setting, value, size in legs
    ]


@pytest.mark.parametrize(
    ("value", "size", "expected"),
    [(0.70, 1000, False), (0.704, 960, False), (0.706, 1000, True), (0.65, 940, True)],
)
def test_a_training_ends_once_a_leg_brings_neither_accuracy_nor_bytes(value, size, expected):
    rows = rows_of(
        "sc2",
        ("beta_5.4", 0.70, 1000),
        ("beta_5.4-leg_2", value, size),
        ("beta_0.2", 0.99, 10),  # another point, which has no say
    )
    job = Training("hituav", TASKS["hituav"], "sc2", "sc2", {"beta": 5.4}, 1.0)
    assert gained(rows, job)
    assert gained(rows, dataclasses.replace(job, leg=2)) == expected


def test_of_our_own_stream_the_mean_over_its_rates_counts():
    rows = rows_of(
        "sc2_ros",
        *[("rate 0", 0.6, 100), ("rate 1", 0.8, 900)],
        *[("rate 0-leg_2", 0.62, 110), ("rate 1-leg_2", 0.8, 890)],
    )
    job = Training("hituav", TASKS["hituav"], "sc2_ros", "sc2_ros", {}, 1.0, leg=2)
    assert gained(rows, job)
    assert not gained([row | {"value": 0.7} for row in rows], job)


def test_what_was_trained_for_longer_stands_at_the_end():
    rows = rows_of(SHIPPED, ("rate 0", 0.9, 100)) + rows_of("webp", ("1", 0.7, 900))
    assert [row["system"] for row in in_order(rows)] == ["webp", SHIPPED]


def test_our_own_encoder_is_counted_though_it_runs_as_an_onnx_file(monkeypatch):
    data = open_dataset("synthetic:1", "val")
    monkeypatch.setattr(papers_row, "open_dataset", lambda *_: data)
    task = dataclasses.replace(TASKS["hituav"], data="synthetic:1")
    job = papers_row.Setting("t", task, "default", SHIPPED, "rate 0", "0", 0, papers_row.OWN)
    args = argparse.Namespace(threads=1, data=Path(), device="cpu", limit=1)
    height, width = data[0].image.shape[:2]
    per_pixel = papers_row.measure(job, args)["encoder_gmac"] / (height * width)
    assert per_pixel == pytest.approx(0.29 / (640 * 512), rel=0.05)


def test_bd_rate_is_against_the_entropic_student():
    rows = [
        {"task": "t", "system": system, "bytes_per_frame": factor * size, "value": value}
        for system, factor in (("entropic_student", 1.0), ("other", 0.4))
        for size, value in ((100, 0.5), (200, 0.6), (400, 0.65))
    ]
    assert compare(rows) == {"t": {"other": pytest.approx(-0.6)}}


def test_settings_become_folders():
    assert label({"bottleneck": "x", "beta": 0.08, "options": {"channels": 3}}) == (
        "beta_0.08-channels_3"
    )
