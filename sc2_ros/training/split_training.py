# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the recipes of split networks share: data, teacher, stages, and the checkpoint at the end.

::

    teacher --> student with the teacher's stages --> stage 1 --> stage 2 --> tables --> checkpoint
                                                      OUT/stage1  OUT/stage2
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.data import DETECTION_CLASSES, open_dataset
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.network import imaging
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split.heads import TASKS, TaskNetwork
from sc2_ros.split.network import SplitNetwork
from sc2_ros.training import distributed
from sc2_ros.training.augment import whole
from sc2_ros.training.batches import Batch, Source, open_sources, stream_batches
from sc2_ros.training.config import RunOptions, TrainConfig
from sc2_ros.training.trainer import LAST, LossFunction, Trainer, Validation, set_aside

NEEDS = {"detection": "boxes", "segmentation": "masks", "classification": "categories"}
MULTIPLE = 32
IMAGES_FOR_TABLES = 200
FLYING = ("encoder", "prior")


@dataclass(frozen=True)
class Teacher:
    """A trained TaskNetwork in eval mode, without gradients, and its card."""

    network: TaskNetwork
    card: dict[str, Any]
    id: int

    @torch.no_grad()
    def __call__(self, image: Tensor) -> dict[str, Any]:
        """Image (B, 3, H, W) -> features of every stage, and answers."""
        found: dict[str, Any] = self.network(image)
        return found


def load_teacher(config: TrainConfig, options: RunOptions) -> Teacher:
    """The teacher of --teacher, or of the configuration. Raises ParameterError, CheckpointError."""
    path = options.teacher or config.teacher
    if not path:
        raise ParameterError(
            "this recipe needs a teacher: train one with `sc2 train teacher` and name its "
            "checkpoint.safetensors by --teacher, or as teacher in the configuration"
        )
    loaded = split_checkpoint.load(path, options.device)
    return Teacher(loaded.teacher(), loaded.card, loaded.id)


def begin(config: TrainConfig, options: RunOptions) -> tuple[Teacher, list[Source]]:
    """How every student's recipe opens: its teacher, the data for that task, and the seed."""
    teacher = load_teacher(config, options)
    sources, _ = sources_for(teacher.card["task"], config)
    if not options.resume:
        for folder in Path(config.out).glob("stage*"):
            set_aside(folder)
    torch.manual_seed(config.trainer.seed)
    return teacher, sources


def sources_for(task: str, config: TrainConfig) -> tuple[list[Source], tuple[str, ...]]:
    """The data sets of a task and the names of its classes, which all of them share.

    Raises:
        ParameterError: the task is unknown, or no data set has labels for it.
    """
    if task not in TASKS:
        raise ParameterError(f"no task '{task}'; known are {', '.join(TASKS)}")
    if config.augment.crop % MULTIPLE:
        raise ParameterError(
            f"augment: crop is {config.augment.crop}; this recipe needs a multiple of {MULTIPLE} px"
        )
    need = (NEEDS[task],)
    if task == "segmentation":  # masks come in the data set's own classes, which must be known
        data = [open_dataset(source.path, "train") for source in config.sources]
        classes = _shared([one.mask_classes for one in data], task)
        return open_sources(config.sources, config.augment, "train", classes, need), classes
    sources = open_sources(config.sources, config.augment, need=need)
    if task == "detection":
        return sources, DETECTION_CLASSES
    return sources, _shared([source.data.image_classes for source in sources], task)


def _shared(classes: list[tuple[str, ...]], task: str) -> tuple[str, ...]:
    """The one tuple of names among them; none where no data set has any."""
    kinds = set(classes) - {()}
    if len(kinds) > 1:
        raise ParameterError(f"the data sets have different classes for {task}: {kinds}")
    return kinds.pop() if kinds else ()


def batches(sources: list[Source], config: TrainConfig, start: int = 0) -> Iterator[Batch]:
    """Endless batches, from the given step on."""
    return stream_batches(sources, config.trainer.seed, config.augment.crop, start=start)


def run_stage(
    network: nn.Module,
    loss: LossFunction,
    sources: list[Source],
    config: TrainConfig,
    options: RunOptions,
    *,
    stage: str = "",
    share: float = 1.0,
    lr_factor: float = 1.0,
    validate: Validation | None = None,
) -> tuple[nn.Module, Trainer]:
    """Train for a share of the schedule in OUT/stage; returns the averaged network and the trainer.

    With `validate` (of the Trainer) it is the average at the best validation.

    With options.resume a stage that was begun goes on, and one that is over is only read; one that
    was not begun begins, if another stage was.

    Raises:
        CheckpointError: options.resume, and no stage was begun; or its last.pt does not fit.
    """
    settings = config.trainer
    settings = replace(
        settings,
        max_steps=max(math.ceil(settings.max_steps * share), 1),
        max_minutes=settings.max_minutes * share,
        lr=settings.lr * lr_factor,
        muon_lr=settings.muon_lr * lr_factor,
    )
    folder = Path(config.out) / stage
    trainer = Trainer(network, loss, settings, folder, options.device, validate)
    if options.resume and (not stage or (folder / LAST).is_file() or not _begun(config)):
        trainer.resume()
    trainer.run(batches(sources, config, trainer.step))
    best = network
    best.load_state_dict(trainer.best_model().state_dict())
    return best, trainer


def _begun(config: TrainConfig) -> bool:
    """Whether any stage was."""
    return any(Path(config.out).glob(f"*/{LAST}"))


def start_student(
    teacher: Teacher,
    name: str,
    options: dict[str, Any],
    encoder_from: str | None = None,
    init: str | None = None,
) -> SplitNetwork:
    """A bottleneck before the teacher's own stages and head.

    Args:
        teacher: whose stages and head the student begins with.
        name: of the bottleneck, in the registry.
        options: the bottleneck's own.
        encoder_from: a student's checkpoint whose encoder and prior are taken over and stay frozen,
            so that one encoder serves several tasks or several ground networks.
        init: a student's checkpoint of the same shape whose bottleneck is the start, for example
            that of another rate.
    """
    card = teacher.card | {"bottleneck": {"name": name, "options": options}}
    student = split_checkpoint.build_network(card)
    assert isinstance(student, SplitNetwork)
    split = student.bottleneck.split
    student.ground.load_state_dict(teacher.network.without(split).state_dict())
    for part in student.bottleneck.never_trained:
        _take_stages(student.bottleneck.get_submodule(part), teacher.network)
    for path, parts in ((init, ("encoder", "prior", "decoder")), (encoder_from, FLYING)):
        if path is not None:
            _take(student, path, parts)
    return student


def _take_stages(head: nn.Module, teacher: TaskNetwork) -> None:
    state = {f"backbone.{key}": value for key, value in teacher.backbone.state_dict().items()}
    head.load_state_dict({key: state[key] for key in head.state_dict()})


def _take(student: SplitNetwork, path: str, parts: tuple[str, ...]) -> None:
    """Copy these parts of another student's bottleneck."""
    loaded = split_checkpoint.load(path)
    if not isinstance(loaded.network, SplitNetwork):
        raise CheckpointError(f"{path} is a teacher; a bottleneck comes from a student")
    try:
        for part in parts:
            given = getattr(loaded.network.bottleneck, part).state_dict()
            split_checkpoint.load_resizing(getattr(student.bottleneck, part), given)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"the bottleneck of {path} does not fit here ({reason})") from error


def finish(
    network: split_checkpoint.Network,
    sources: list[Source],
    config: TrainConfig,
    card: dict[str, Any],
    *,
    steps: int,
    minutes: float,
    keep_tables: bool = False,
) -> Path:
    """Fit the coding tables on training images, write OUT/checkpoint.safetensors, return its path.

    keep_tables: an encoder that is taken over keeps its tables, and with them its checkpoint id.
    """
    network = network.cpu().float().eval()
    if isinstance(network, SplitNetwork) and not keep_tables:
        network.bottleneck.fit(images_for_tables(sources, config))
    figures = {
        "steps": steps,
        "minutes": round(minutes, 1),
        "trained": date.today().isoformat(),
        "data": [Path(source.path).name for source in config.sources],
    }
    path = Path(config.out) / "checkpoint.safetensors"
    if not distributed.is_main():
        return path
    number = split_checkpoint.save(path, network, card | figures | config.card)
    print(f"wrote {path}, checkpoint id {number:08x}")
    return path


def images_for_tables(sources: list[Source], config: TrainConfig) -> Iterator[Tensor]:
    """Some training images (1, 3, H, W) of every source, as they come, edges repeated."""
    rng = np.random.default_rng(config.trainer.seed)
    for source in sources:
        count = max(IMAGES_FOR_TABLES // len(sources), 1)
        for number in rng.permutation(len(source.samples))[:count]:
            sample = source.samples[int(number)]
            if sample.category is not None:
                sample = whole(sample, config.augment.crop)
            tensor = imaging.to_tensor(sample.image)
            below, right = -tensor.shape[2] % MULTIPLE, -tensor.shape[3] % MULTIPLE
            yield F.pad(tensor, (0, right, 0, below), mode="replicate")


def bits_per_pixel(found: dict[str, Any], batch: Batch) -> Tensor:
    """Mean of the batch."""
    pixels = batch.image.shape[2] * batch.image.shape[3]
    result: Tensor = found["bits"].mean() / pixels
    return result


def log_parts(**parts: Tensor) -> dict[str, float]:
    """Numbers for the log."""
    return {name: float(value.detach()) for name, value in parts.items()}
