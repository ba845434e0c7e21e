# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint improved on a user's own footage, without labels.

The teacher is the same network with nothing quantised and nothing lost, frozen as it was, or any
other one. The footage is divided in time: what is learned from, and a held-out part on which rate
and agreement are measured before and after. With freeze_encoder the encoder, the coding tables and
the checkpoint id stay, so drones in the air need no update.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sc2_ros import checkpoint
from sc2_ros.data import Dataset, Sample, open_dataset
from sc2_ros.errors import ParameterError
from sc2_ros.evaluation.sweep.adaptation import Gain, gain
from sc2_ros.export import finished
from sc2_ros.training.adaptation import FixedStream, adapt_loss, fit_prior
from sc2_ros.training.batches import Batch, Source, SourceConfig, train_on
from sc2_ros.training.config import RunOptions, TrainConfig, build
from sc2_ros.training.fit_settings import fit_settings
from sc2_ros.training.pairs import bounded
from sc2_ros.training.pseudo_labels import PseudoLabelled, PseudoLabels
from sc2_ros.training.recipes.sc2_ros import export, unpacked
from sc2_ros.training.teachers import load_teacher
from sc2_ros.training.trainer import Trainer

TAKES = ("init", "resume", "input", "teacher", "freeze_encoder")
_IMAGES_FOR_PRIOR = 24
_IMAGES_PER_SOURCE = 100


@dataclass(frozen=True)
class AdaptSettings:
    """What only this recipe knows.

    input: footage (images, video, bag, or a data set, whose labels are not used); per_batch,
    scale_min, scale_max: as of a source; frames: how many of it are learned from at most; held_out:
    how many are measured on at most; freeze_encoder: only the ground network learns; context, skip:
    of the networks that code the new latents, as in sc2_ros.
    """

    input: str | None = None
    per_batch: int = 8
    scale_min: float | None = None
    scale_max: float | None = None
    frames: int = 200
    held_out: int = 32
    freeze_encoder: bool = False
    context: dict[str, Any] = field(default_factory=dict)
    skip: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ParameterError for what no source can have."""
        SourceConfig("", self.per_batch)
        for name in ("frames", "held_out"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; give 1 or more")


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Adapt the checkpoint --init (default: the shipped one); write OUT/checkpoint.safetensors.

    OUT/adapt.json has the figures that are printed.
    """
    settings = _settings(config, options)
    assert settings.input is not None
    start = options.init or "default"
    parts = checkpoint.read(start)
    teacher = load_teacher(options.teacher or config.teacher or start, options.device)
    labels = PseudoLabels(teacher, options.device)
    dense = teacher.mask_classes == tuple(parts.card["mask_classes"])
    dense = dense and teacher.detection_classes == tuple(parts.card["detection_classes"])
    truth = _held_out(open_dataset(settings.input, "val"), labels, settings.held_out)
    sources = _sources(config, settings, labels)

    torch.manual_seed(config.trainer.seed)
    model: nn.Module
    if settings.freeze_encoder:
        model = FixedStream(parts)
    else:
        model = unpacked(parts)
        fit_prior(model.bottleneck, model.encoder, images_for_prior(sources))

    def loss(net: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        # Batch norms keep their statistics: those of a few crops of one scene make another network
        # of it (in a trial the agreement of masks fell from 0.59 to 0.33).
        return adapt_loss(net.eval(), batch, teacher, config.loss, dense)

    folder = Path(config.out)
    trainer = Trainer(model, loss, config.trainer, folder, options.device)
    train_on(sources, trainer, config.augment.crop, resume=options.resume)
    if not trainer.is_main:
        return folder
    card = parts.card | {
        "adapted": {
            "from": f"{parts.id:08x}",
            "teacher": teacher.name,
            "footage": Path(settings.input).name,
            "frames": len(sources[0].samples),
            "steps": trainer.step,
            "trained": date.today().isoformat(),
        }
    }
    best = trainer.best_model().cpu().float()
    if isinstance(best, FixedStream):
        path = folder / "checkpoint.safetensors"
        finished.save(
            path, best.encoder, best.ground, parts.tables, card | config.card, parts.saliency
        )
        print(f"wrote {path}, checkpoint id {parts.id:08x} as before: no drone needs an update")
    else:
        config = replace(config, sources=tuple(source.config for source in sources))
        clip = [bounded(sample.image) for sample in sources[0].samples]
        path = export(
            best, sources, config, trainer.step, trainer.minutes, card, [clip], parts.tables
        )
    before, after = checkpoint.load(start), checkpoint.load(path)
    _report(gain(before, after, truth, labels.mask_classes), folder)
    return path


def _settings(config: TrainConfig, options: RunOptions) -> AdaptSettings:
    settings = build(AdaptSettings, config.settings, "settings")
    if options.input is not None:
        settings = replace(settings, input=options.input)
    if options.freeze_encoder:
        settings = replace(settings, freeze_encoder=True)
    fit_settings(config.settings)  # an error in them is told now, not after the training
    if settings.input is None:
        raise ParameterError("adapt needs footage: --input flight.mcap, a video or an image folder")
    _source_of(settings).augmentation(config.augment)
    return settings


def _source_of(settings: AdaptSettings) -> SourceConfig:
    """The footage as a source of the mixture."""
    return SourceConfig(
        str(settings.input), settings.per_batch, settings.scale_min, settings.scale_max
    )


def _held_out(data: Dataset, labels: PseudoLabels, limit: int) -> list[Sample]:
    """Frames that are not learned from, with the teacher's answers as their truth."""
    count = min(limit, len(data))
    chosen = (data[i * len(data) // count] for i in range(count))
    samples = [labels(sample.image, sample.name) for sample in chosen]
    boxes = sum(len(sample.boxes) for sample in samples)
    print(f"held out: {count} frames of {data.name}, the teacher sees {boxes} objects", flush=True)
    return samples


def _sources(config: TrainConfig, settings: AdaptSettings, labels: PseudoLabels) -> list[Source]:
    """The footage, and beside it what the configuration names against forgetting."""
    sources = []
    for source, limit in [(_source_of(settings), settings.frames)] + [
        (other, _IMAGES_PER_SOURCE) for other in config.sources
    ]:
        data = PseudoLabelled(open_dataset(source.path, "train"), labels, limit)
        sources.append(Source(source, config.augment, data=data))
        print(f"{source.path}: {len(data)} frames, {source.per_batch} per batch", flush=True)
    return sources


def images_for_prior(sources: Sequence[Source]) -> list[NDArray[np.uint8]]:
    """About _IMAGES_FOR_PRIOR images, evenly spread over all; the others are not read."""
    places = [
        (source.samples, number) for source in sources for number in range(len(source.samples))
    ]
    step = max(1, len(places) // _IMAGES_FOR_PRIOR)
    return [samples[number].image for samples, number in places[::step]]


def _report(figures: Gain, folder: Path) -> None:
    content: dict[str, Any] = figures.to_json()
    (folder / "adapt.json").write_text(json.dumps(content, indent=2) + "\n")
    print(f"agreement with the teacher on {figures.frames} frames that were not learned from:")
    print("\n".join(figures.lines()))
