# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipe adapt: from footage without labels to a checkpoint, and what it says about it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from labelled import small_yolo
from recordings import make_video
from torch import nn
from weights import write_untrained

from sc2_ros import checkpoint
from sc2_ros.cli.main import main
from sc2_ros.data import DETECTION_CLASSES, Dataset, Sample, open_dataset
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.network.bottleneck import Bottleneck
from sc2_ros.network.encoder import OnboardEncoder
from sc2_ros.training import sources
from sc2_ros.training.adaptation import fit_prior
from sc2_ros.training.agreement import agreement_loss
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.pseudo_labels import PseudoLabelled, PseudoLabels
from sc2_ros.training.recipes.adapt import images_for_prior
from sc2_ros.training.sources import Source, SourceConfig
from sc2_ros.training.teachers import load_teacher

CONFIG = """
out: {out}
augment: {{crop: 64}}
settings:
  per_batch: 2
  held_out: 2
  context: {{steps: 2, hidden: 8}}
  skip: {{steps: 2, hidden: 8, pair_rates: 1}}
trainer: {{max_steps: 2, muon_lr: 0.05, warmup: 0.01}}
"""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _adapt(tmp_path: Path, footage: Path, *more: str) -> tuple[checkpoint.Parts, checkpoint.Parts]:
    base = write_untrained(tmp_path / "base.safetensors")
    config = tmp_path / "adapt.yaml"
    config.write_text(CONFIG.format(out=tmp_path / "run"))
    arguments = ["train", "adapt", "--config", str(config), "--init", str(base)]
    assert main([*arguments, "--input", str(footage), *more]) == 0
    return checkpoint.read(base), checkpoint.read(tmp_path / "run" / "checkpoint.safetensors")


def _same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_frozen_encoder_keeps_the_stream(tmp_path, capsys):
    before, after = _adapt(tmp_path, make_video(tmp_path / "flight.mp4"), "--freeze-encoder")

    assert after.id == before.id
    assert _same(after.encoder, before.encoder)
    assert not _same(after.ground, before.ground)
    old, new = dict(before.ground.named_buffers()), dict(after.ground.named_buffers())
    assert all(torch.equal(new[name], old[name]) for name in old if "running" in name)
    assert after.card["adapted"]["footage"] == "flight.mp4"
    figures = json.loads((tmp_path / "run" / "adapt.json").read_text())
    sizes = [[p["bytes_per_frame"] for p in figures[when]] for when in ("before", "after")]
    assert sizes[0] == sizes[1]
    assert figures["frames"] == 2
    assert all(0 <= p["miou"] <= 1 for p in figures["before"] + figures["after"])
    assert "agreement with the teacher on 2 frames" in capsys.readouterr().out


def test_the_whole_stream_learns_and_gets_new_tables(tmp_path):
    data = small_yolo(tmp_path / "data")
    before, after = _adapt(tmp_path, data / "images")

    assert before.tables.skip is None
    assert after.tables.skip is not None
    assert after.id != before.id
    assert not _same(after.encoder, before.encoder)
    assert after.card["adapted"]["from"] == f"{before.id:08x}"
    assert after.card["detection_classes"] == before.card["detection_classes"]
    old, new = before.tables.to_arrays(), after.tables.to_arrays()
    assert any(not np.array_equal(old[key], new[key]) for key in old)


def _answers(batch: int = 2) -> dict[str, torch.Tensor]:
    heatmap = torch.full((batch, 4, 8, 8), -6.0)
    heatmap[:, 1, 3, 4] = 3.0
    return {
        "heatmap": heatmap,
        "box": torch.full((batch, 4, 8, 8), 9.0),
        "mask": torch.randn(batch, 6, 8, 8, generator=torch.Generator().manual_seed(0)),
    }


def test_agreement_is_free_and_each_difference_costs():
    cells = torch.ones(2, 1, 8, 8)
    wanted = _answers()
    other = {
        "heatmap": wanted["heatmap"].roll(2, 3),
        "box": wanted["box"] * 2,
        "mask": wanted["mask"].roll(1, 1),
    }

    same = agreement_loss(wanted, wanted, cells)
    for key, part in (("heatmap", "heat"), ("box", "box"), ("mask", "mask")):
        costs = agreement_loss(wanted | {key: other[key]}, wanted, cells)
        assert float(same[part]) == pytest.approx(0, abs=1e-5)
        assert float(costs[part]) > 0.3
        assert all(float(costs[p]) == pytest.approx(0, abs=1e-5) for p in costs if p != part)
        lost = agreement_loss(wanted | {key: other[key]}, wanted, torch.zeros_like(cells))
        assert float(lost[part]) == pytest.approx(0, abs=1e-5)


def test_a_fitted_prior_knows_the_footage():
    torch.manual_seed(0)
    encoder, bottleneck = OnboardEncoder().eval(), Bottleneck()
    images = [np.full((64, 96, 3), level, np.uint8) for level in (20, 120, 220)]
    images += [np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)]
    tensor = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255

    def bits() -> float:
        torch.manual_seed(1)
        with torch.no_grad():
            rates = torch.tensor([0.0, 0.3, 0.7, 1.0])
            return float(bottleneck(encoder(tensor), rates)[1].mean())

    before = bits()
    fit_prior(bottleneck, encoder, images)

    assert bits() < 0.8 * before


class ConstantBoxes(nn.Module):
    """Sees three things in every picture."""

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        zero = image.mean() * 0
        boxes = torch.tensor([[4.0, 5, 20, 25], [8, 8, 16, 16], [1, 1, 9, 9]]) + zero
        return {
            "boxes": boxes,
            "scores": torch.tensor([0.9, 0.2, 0.9]) + zero,
            "labels": torch.tensor([1, 2, 0]),
            "image": torch.zeros(3, dtype=torch.long),
        }


def test_any_exported_detector_may_teach(tmp_path):
    sizes = ({2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO},)
    program = torch.export.export(
        ConstantBoxes(), (torch.rand(1, 3, 64, 80),), dynamic_shapes=sizes
    )
    torch.export.save(program, tmp_path / "boxes.pt2")
    classes = ["kite", "pedestrian", "van"]
    (tmp_path / "boxes.json").write_text(json.dumps({"detection_classes": classes}))
    footage = small_yolo(tmp_path / "data")

    labels = PseudoLabels(load_teacher(str(tmp_path / "boxes.pt2")))
    data = PseudoLabelled(open_dataset(footage, "train"), labels, limit=3)

    assert [s.name for s in data] == ["f0.png", "f1.png", "f3.png"]
    assert data.detection_classes == ("person", "car")
    assert data[0].boxes.tolist() == [[4, 5, 20, 25]]
    assert data[0].labels.tolist() == [DETECTION_CLASSES.index("person")]
    assert data[0].ignore.tolist() == [[8, 8, 16, 16]]


class ConstantBoxesAndMask(ConstantBoxes):
    """Sees them in front of the first class of its mask."""

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        mask = torch.stack((image[:, 0] * 0 + 1, image[:, 0] * 0), 1)[..., ::4, ::4]
        return super().forward(image) | {"mask": mask}


@pytest.mark.parametrize("classes", [["sky", "sea"], ["sky", "road"]])
def test_a_teacher_with_other_mask_classes_is_not_held_against_ours(tmp_path, capsys, classes):
    program = torch.export.export(ConstantBoxesAndMask(), (torch.rand(1, 3, 64, 96),))
    torch.export.save(program, tmp_path / "both.pt2")
    card = {"detection_classes": ["kite", "pedestrian", "van"], "mask_classes": classes}
    (tmp_path / "both.json").write_text(json.dumps(card))

    video = make_video(tmp_path / "flight.mp4")
    _adapt(tmp_path, video, "--freeze-encoder", "--teacher", str(tmp_path / "both.pt2"))

    figures = json.loads((tmp_path / "run" / "adapt.json").read_text())
    shared = [name for name in classes if name == "road"]
    assert figures["mask_classes"] == shared
    # All is sky, of which the checkpoint says nothing.
    assert all(p["miou"] is None for p in figures["before"] + figures["after"])
    assert ("no mask class in common" in capsys.readouterr().out) is not bool(shared)


class BoxesWithoutNames(ConstantBoxes):
    """Answers with a tuple, as detectors do that were written for something else."""

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = super().forward(image)
        return found["boxes"], found["scores"]


def test_a_detector_says_which_of_its_answers_are_boxes(tmp_path):
    program = torch.export.export(BoxesWithoutNames(), (torch.rand(1, 3, 64, 80),))
    torch.export.save(program, tmp_path / "boxes.pt2")
    (tmp_path / "boxes.json").write_text(json.dumps({"detection_classes": ["car", "person"]}))

    labels = PseudoLabels(load_teacher(str(tmp_path / "boxes.pt2")))
    with pytest.raises(CheckpointError, match="boxes answers with out0, out1; .* scores"):
        labels(np.zeros((64, 80, 3), np.uint8), "x")


class Counted(Dataset):
    """A hundred pictures; remembers which were read."""

    name, split = "x", "train"

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        self.read.append(index)
        return Sample(np.full((16, 16, 3), index, np.uint8), str(index))


def test_footage_that_does_not_fit_into_memory_is_read_when_it_is_wanted(monkeypatch):
    frames = Counted()
    data = PseudoLabelled(frames, PseudoLabels(load_teacher("default")), limit=50)
    assert frames.read == list(range(0, 100, 2))
    monkeypatch.setattr(sources, "MEMORY_BYTES", 0)
    source = Source(SourceConfig("x", 1), AugmentConfig(crop=16), data=data)
    frames.read.clear()

    images = images_for_prior([source])

    assert frames.read == list(range(0, 100, 4))
    assert [int(image[0, 0, 0]) for image in images] == frames.read


def test_a_teacher_that_detects_nothing_of_ours_is_refused():
    with pytest.raises(ParameterError, match="resnet18 detects none of person"):
        PseudoLabels(load_teacher("torchvision:resnet18:none"))


def test_footage_is_asked_for(tmp_path, capsys):
    config = tmp_path / "adapt.yaml"
    config.write_text(CONFIG.format(out=tmp_path / "run"))

    assert main(["train", "adapt", "--config", str(config)]) == 2
    assert "adapt needs footage" in capsys.readouterr().err
