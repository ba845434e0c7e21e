# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stock detector learns from our data sets and is measured by our evaluator."""

import json

import pytest
import torch
import yaml
from labelled import small_yolo

from sc2_ros.cli.main import main
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.evaluation.systems import registry
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split.backbones import build_backbone
from sc2_ros.split.fcos import Fcos, targets_of
from sc2_ros.training.teachers import load_teacher

BACKBONE = "resnet:8-16-24-32:1-1-1-1"


@pytest.fixture
def run(tmp_path):
    """Train so many steps on the data; the checkpoint."""

    def go(data, steps, **source):
        torch.set_num_threads(1)
        config = {
            "out": str(tmp_path / "run"),
            "sources": [{"path": str(data), "per_batch": 4, **source}],
            "augment": {"crop": 96},
            "trainer": {"max_steps": steps, "optimizer": "adamw", "lr": 0.01, "ema": 0.8},
            "settings": {"backbone": BACKBONE, "pretrained": False, "width": 64},
        }
        (tmp_path / "fcos.yaml").write_text(yaml.safe_dump(config))
        assert main(["train", "fcos", "--config", str(tmp_path / "fcos.yaml")]) == 0
        return tmp_path / "run" / "checkpoint.safetensors"

    return go


def test_it_finds_what_it_was_shown_and_evaluate_says_so(tmp_path, run):
    data = small_yolo(tmp_path / "data", 10)
    checkpoint = run(data, 120, scale_min=1.0, scale_max=1.0)
    report = tmp_path / "rows.json"
    arguments = ["--checkpoint", str(checkpoint), "--data", str(data), "--json", str(report)]
    assert main(["evaluate", *arguments, "--no-cache", "--baselines", "jpeg:90"]) == 0

    rows = {row["system"]: row for row in json.loads(report.read_text())}
    assert set(rows) == {"uncompressed", "jpeg:90"}
    assert rows["uncompressed"]["mean_ap50"] > 0.6
    assert split_checkpoint.load(checkpoint).card["classes"] == ["car"]


def test_boxes_stay_in_images_whose_sides_are_no_multiples_of_32():
    network = Fcos(build_backbone(BACKBONE), 2, 64).eval()
    found = network(torch.rand(1, 3, 50, 70))[0]
    assert len(found["boxes"]) > 0
    assert (found["boxes"].amax(0) <= torch.tensor([70.0, 50.0, 70.0, 50.0])).all()


def test_objects_cut_to_nothing_are_no_targets():
    boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [5.0, 5.0, 5.0, 9.0]])
    assert targets_of(boxes, torch.tensor([1, 0]))["labels"].tolist() == [1]


def test_what_it_is_not_is_said(tmp_path, run):
    checkpoint = str(run(small_yolo(tmp_path / "data"), 1))
    with pytest.raises(CheckpointError, match="no teacher"):
        load_teacher(checkpoint)
    with pytest.raises(ParameterError, match="stock detector.*--baselines"):
        registry.build("split", registry.Context(checkpoint, "x", "val"))
    with pytest.raises(ParameterError, match="four stages"):
        Fcos(build_backbone("resnet:8-16-24:1-1-1"), 2)
    with pytest.raises(ParameterError, match="multiple of 32"):
        Fcos(build_backbone(BACKBONE), 2, 100)
