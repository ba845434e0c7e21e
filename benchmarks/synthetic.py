# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
r"""What each part of the synthetic flight brings a network that sees real pictures.

    python benchmarks/synthetic.py --root ../shared/data --jobs 2 \
        --json benchmarks/results/synthetic_parts.json

The light detector is trained from random weights on RGB flights alone, each row with one part more
than the row above it, all with the same number of frames and steps. Then it sees real colour
pictures that no training has seen. One seed each: differences of a point or two are chance.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from helpers.program import exit_with
from torch import nn

from sc2_ros.data import DETECTION_CLASSES, MASK_CLASSES, Dataset, Sample, open_dataset
from sc2_ros.data.synthetic import sample_of
from sc2_ros.evaluation.metrics.detection import DetectionScore
from sc2_ros.evaluation.metrics.segmentation import SegmentationScore
from sc2_ros.evaluation.systems.image_network import outputs
from sc2_ros.media.flight import EFFECTS, SyntheticFlight
from sc2_ros.network import imaging
from sc2_ros.network.light_detector import LightDetector
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.batches import Source, stream_batches
from sc2_ros.training.recipes.light_detector import light_loss
from sc2_ros.training.sc2_model import LossConfig
from sc2_ros.training.sources import SourceConfig
from sc2_ros.training.trainer import Trainer, TrainerConfig

SETS = ("semantic_drone", "rgb_oblique", "aerial_cars")
CROP = 256
BATCH = 16
FRAMES = 320
_FRAMES_PER_TOWN = 8
_CYCLE_FRAMES = 45 * 32


@dataclass(frozen=True)
class Recipe:
    """One row: how many towns, which effects, and whether the trainer varies scale and colour."""

    name: str
    towns: int = FRAMES // _FRAMES_PER_TOWN
    effects: tuple[str, ...] = EFFECTS
    varied: bool = False


RECIPES = (
    Recipe("one town, flat light, straight down", towns=1, effects=()),
    Recipe("forty towns", effects=()),
    Recipe("+ shadows", effects=EFFECTS[:1]),
    Recipe("+ oblique views", effects=EFFECTS[:2]),
    Recipe("+ blur, exposure, noise"),
    Recipe("+ scale, colour and light varied by the trainer", varied=True),
)


class Flights(Dataset):
    """RGB frames of some towns, in memory; none of them is a validation flight."""

    name, split = "synthetic", "train"
    detection_classes, mask_classes = DETECTION_CLASSES, MASK_CLASSES

    def __init__(self, towns: int, effects: tuple[str, ...]) -> None:
        self._samples: list[Sample] = []
        step = _CYCLE_FRAMES * towns // FRAMES
        for town in range(towns):
            flight = SyntheticFlight(2 * town, effects=effects)
            self._samples += [
                sample_of(flight, 2 * town, index * step) for index in range(FRAMES // towns)
            ]

    def __len__(self) -> int:
        """All frames."""
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """One frame."""
        return self._samples[index]


def train(recipe: Recipe, steps: int) -> nn.Module:
    """The light detector after so many steps on a recipe's flights."""
    torch.manual_seed(0)
    low, high = (0.5, 3.0) if recipe.varied else (0.9, 1.1)
    source = SourceConfig(
        "synthetic", BATCH, low, high, vertical_flip=0.5 * recipe.varied, turn=0.5 * recipe.varied
    )
    plain = AugmentConfig(crop=CROP, colour=0, grey=0, light=0, invert=0)
    augment = (
        dataclasses.replace(plain, colour=0.2, grey=0.1, light=0.2) if recipe.varied else plain
    )
    data = Source(source, augment, data=Flights(recipe.towns, recipe.effects))
    network = LightDetector(len(DETECTION_CLASSES), len(MASK_CLASSES))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            network,
            lambda model, batch: light_loss(model, batch, LossConfig()),
            TrainerConfig(max_steps=steps, lr=0.002, muon_lr=0.02, ema=0.99),
            Path(folder),
        )
        trainer.run(stream_batches([data], 0, CROP))
    ema: nn.Module = trainer.ema
    return ema.eval()


@torch.inference_mode()
def score(network: nn.Module, data: Dataset) -> dict[str, Any]:
    """AP50 by class, and mIoU where there are masks."""
    boxes = DetectionScore(data.detection_classes)
    masks = SegmentationScore(MASK_CLASSES, data.mask_classes) if data.mask_classes else None
    for index in range(len(data)):
        sample = data[index]
        height, width = sample.image.shape[:2]
        found = outputs(network(imaging.to_tensor(sample.image)), (width, height))
        boxes.add(sample, found.boxes, found.scores, found.labels)
        if masks is not None and sample.mask is not None:
            masks.add(sample.mask, found.mask)
    ap50 = boxes.result().ap50.items()
    scores: dict[str, Any] = {"ap50": {name: round(v, 3) for name, v in ap50 if v is not None}}
    if masks is not None:
        scores["miou"] = round(masks.miou() or 0.0, 3)
    return scores


def measure(recipe: Recipe, steps: int, root: Path) -> dict[str, Any]:
    """Train one row and see every set."""
    torch.set_num_threads(1)
    network = train(recipe, steps)
    sets = {name: score(network, open_dataset(str(root / name), "val")) for name in SETS}
    return {"name": recipe.name, "frames": FRAMES, "steps": steps, "batch": BATCH} | sets


def main() -> int:
    """Measure what is missing, one process a row, and write the JSON after each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--steps", type=int, default=700, help="of 16 crops (default 700)")
    parser.add_argument("--jobs", type=int, default=1, help="rows at a time (default 1)")
    parser.add_argument("--json", type=Path, required=True, help="rows in it are kept")
    args = parser.parse_args()
    rows = json.loads(args.json.read_text()) if args.json.exists() else []
    done = {row["name"] for row in rows if row["steps"] == args.steps}
    rows = [row for row in rows if row["name"] in done]
    missing = [recipe for recipe in RECIPES if recipe.name not in done]
    names = [recipe.name for recipe in RECIPES]
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("spawn")) as pool:
        for future in [pool.submit(measure, recipe, args.steps, args.root) for recipe in missing]:
            row = future.result()
            print(row)
            rows = sorted([*rows, row], key=lambda one: names.index(one["name"]))
            args.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    exit_with(main)
