# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights to begin with: from a run's last.pt, a finished stream, or a teacher on our own trunk.

A stream (`sc2 train sc2_ros`) and a teacher on the backbone `sc2_ros` are the same network under
other names, the stream with a bottleneck in the middle. So one may begin with the other::

    stream    encoder.body.*      encoder.project  ground.backbone   ground.detection, .segmentation
    teacher   backbone.stages.*   neck.project     neck.synthesis    detect, segment
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sc2_ros import checkpoint
from sc2_ros.errors import CheckpointError
from sc2_ros.network import semantics
from sc2_ros.network.channels import widened
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split import efficientnet
from sc2_ros.split.backbones import OWN
from sc2_ros.training import distributed
from sc2_ros.training.trainer import DAMAGED

_PARTS = {
    "encoder.project.": "neck.project.",
    "ground.backbone.": "neck.synthesis.",
    "ground.detection.": "detect.",
    "ground.segmentation.": "segment.",
}
HEADS = (
    *("ground.detection.", "ground.segmentation.", "ground.preview."),
    *("detect.", "segment.", "classify."),
)


def weights_of(path: str) -> dict[str, Tensor]:
    """What the file holds, under the names of a stream: encoder.*, ground.* and perhaps more.

    Raises:
        CheckpointError: it is none of the three kinds, or a teacher on another backbone.
    """
    if path.endswith(".pt"):
        try:
            return dict[str, Tensor](torch.load(path, map_location="cpu", weights_only=True)["ema"])
        except DAMAGED as error:
            raise CheckpointError(f"cannot start from {path}: no last.pt of a training") from error
    if split_checkpoint.is_split(path):
        loaded = split_checkpoint.load(path)
        weights = loaded.teacher().state_dict()
        if loaded.card["backbone"] == efficientnet.NAME:
            return _as_semantics(weights)
        if loaded.card["backbone"] != OWN:
            raise CheckpointError(
                f"{path} is a teacher on another trunk than our own; train one with "
                f"settings.backbone: {OWN}, or {efficientnet.NAME} for settings.ground.semantics"
            )
        return _as_stream(weights)
    parts = checkpoint.read(path)
    named = {"encoder.": parts.encoder, "ground.": parts.ground}
    return widened(
        {
            prefix + key: value
            for prefix, module in named.items()
            for key, value in module.state_dict().items()
        }
    )


def teacher_weights_of(path: str) -> dict[str, Tensor]:
    """What the file holds, under the names of a TaskNetwork. Raises as `weights_of`."""
    if split_checkpoint.is_split(path):
        return split_checkpoint.load(path).teacher().state_dict()
    return _as_teacher(weights_of(path))


def begin_with(network: nn.Module, given: dict[str, Tensor], path: str) -> None:
    """Load what fits; a head for other classes, and what the file lacks, begin afresh.

    Both are printed, as is what the file has and the network does not.

    Raises:
        CheckpointError: a weight outside the heads has another shape.
    """
    own = network.state_dict()
    shared = given.keys() & own.keys()
    other = sorted(key for key in shared if given[key].shape != own[key].shape)
    if wrong := [key for key in other if not key.startswith(HEADS)]:
        raise CheckpointError(f"{path} is of another shape: {wrong[0]}")
    if not shared - set(other):
        raise CheckpointError(
            f"{path} has no weight of this network (of a teacher on EfficientNet it has some with "
            "settings: {ground: {semantics: true}})"
        )
    network.load_state_dict({key: given[key] for key in shared - set(other)}, strict=False)
    afresh = sorted({".".join(key.split(".")[:2]) for key in own.keys() - (shared - set(other))})
    unused = sorted({".".join(key.split(".")[:4]) for key in given.keys() - own.keys()})
    if (afresh or unused) and distributed.is_main():
        parts = f"; afresh: {', '.join(afresh)}" * bool(afresh)
        parts += f"; left out of it: {', '.join(unused)}" * bool(unused)
        print(f"begins with {path}{parts}")


def ground_shape_of(weights: dict[str, Tensor]) -> dict[str, Any]:
    """Shape of the ground network in `weights_of` a file, as settings.ground has it.

    Empty where the file has none.
    """
    widths, depths = [], []
    for stride in (16, 8, 4):
        prefix = f"ground.backbone.blocks{stride}."
        blocks = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        if not blocks:
            return {}
        depths.append(len({key.partition(".")[0] for key in blocks}))
        widths.append(next(value.shape[0] for value in blocks.values() if value.dim() == 4))
    has_semantics = any(key.startswith("ground.backbone.semantics.") for key in weights)
    return {"widths": tuple(widths), "depths": tuple(depths), "semantics": has_semantics}


def _as_semantics(teacher: dict[str, Tensor]) -> dict[str, Tensor]:
    """The later blocks of a teacher on EfficientNet-Lite0."""
    prefix = "backbone.stages."
    stages = {k.removeprefix(prefix): v for k, v in teacher.items() if k.startswith(prefix)}
    found = semantics.weights_from(stages)
    return {f"ground.backbone.semantics.{key}": value for key, value in found.items()}


def _as_teacher(stream: dict[str, Tensor]) -> dict[str, Tensor]:
    """The latent is neither rounded nor has it gains: the ceiling is without the codec's cost."""
    places = _places()
    found = {}
    for key, value in stream.items():
        if key.startswith("encoder.body."):
            layer, _, rest = key.removeprefix("encoder.body.").partition(".")
            stage, place = places[int(layer)]
            found[f"backbone.stages.{stage}.{place}.{rest}"] = value
        for ours, theirs in _PARTS.items():
            if key.startswith(ours):
                found[theirs + key.removeprefix(ours)] = value
    return found


def _as_stream(teacher: dict[str, Tensor]) -> dict[str, Tensor]:
    layers = {place: number for number, place in enumerate(_places())}
    found = {}
    for key, value in teacher.items():
        if key.startswith("backbone.stages."):
            stage, place, rest = key.removeprefix("backbone.stages.").split(".", 2)
            found[f"encoder.body.{layers[int(stage), int(place)]}.{rest}"] = value
        for ours, theirs in _PARTS.items():
            if key.startswith(theirs):
                found[ours + key.removeprefix(theirs)] = value
    return found


def _places() -> list[tuple[int, int]]:
    """Stage of the trunk and place in it of every layer of the encoder's body."""
    with torch.random.fork_rng(devices=[]):
        stages = split_checkpoint.build_backbone(OWN).stages
    return [(s, p) for s, stage in enumerate(stages) for p in range(len(list(stage.children())))]
