# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Systems under test by name, so that another process can build them from a few words.

    sc2_ros:R                    our stream at rate index R           checkpoint of a stream
    split                        the checkpoint's own bottleneck      checkpoint of a recipe
    uncompressed png jpeg:Q webp:Q avif:Q hevc:QP av1:Q               image codecs, any checkpoint
    h264-video:QP hevc-video:QP  low-delay video, frames in order
    compressai:Q                 learned image codec
    feature-jpeg:Q feature-webp:Q crbq:K                              our latents, other codecs
    onboard-only                 the checkpoint's whole network flies
    onboard-only:light           the light detector flies

Other packages add baselines by entry points of the group `sc2_ros.baselines`: a function
`(setting, Context) -> PacketSystem`, called for NAME:SETTING.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sc2_ros import checkpoint as checkpoints
from sc2_ros import plugins
from sc2_ros.data import open_dataset
from sc2_ros.data.splits import choose
from sc2_ros.errors import ParameterError
from sc2_ros.evaluation.systems import image_codec_network, image_codecs, light, video_codecs
from sc2_ros.evaluation.systems.baselines import ImageSystem
from sc2_ros.evaluation.systems.feature_codecs import MosaicSystem, ReducedSystem
from sc2_ros.evaluation.systems.image_codecs import ImageCodec
from sc2_ros.evaluation.systems.image_network import ImageNetwork, SplitWholeNetwork, WholeNetwork
from sc2_ros.evaluation.systems.onboard_only import OnboardOnly
from sc2_ros.evaluation.systems.split_system import SplitSystem
from sc2_ros.evaluation.systems.stream import StreamSystem
from sc2_ros.evaluation.systems.system import PacketSystem
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split.registry import GROUP as BOTTLENECKS

GROUP = "sc2_ros.baselines"
BASELINES = (
    *(*image_codecs.STILL_CODECS, *video_codecs.VIDEO_CODECS, "compressai:Q"),
    *("feature-jpeg:Q", "feature-webp:Q", "crbq:K", "onboard-only", "onboard-only:light"),
)
_REDUCTION_IMAGES = 24


@dataclass(frozen=True)
class Context:
    """What a system is built for: a checkpoint by name or file, a data set, and how it runs."""

    checkpoint: str
    data: str
    split: str
    mask: bool = True
    device: str = "cpu"


def build(spec: str, context: Context) -> PacketSystem:
    """The system that `spec` names.

    Raises:
        ParameterError: there is none of that name, or its setting is out of range.
        CheckpointError: the checkpoint, or the weights of a baseline, cannot be used.
    """
    spec = spec.strip().lower()
    family, _, setting = spec.partition(":")
    if spec == "split":
        return SplitSystem.load(path_of(context.checkpoint), context.device)
    if family == "sc2_ros":
        stream = _stream(context)
        return StreamSystem(stream, float(setting), mask=context.mask, device=context.device)
    codec = parse_codec(spec)
    if codec is not None:
        return ImageSystem(network(context), codec)
    if spec == "onboard-only":
        return OnboardOnly(network(context))
    if spec == "onboard-only:light":
        return OnboardOnly(light.LightNetwork(mask=context.mask, device=context.device), "light")
    if family in ("feature-jpeg", "feature-webp"):
        codec = image_codecs.parse_codec(spec.removeprefix("feature-"))
        assert codec is not None
        return MosaicSystem(_stream(context), codec, mask=context.mask, device=context.device)
    if family == "crbq":
        return _reduced(setting, context)
    baseline = plugins.load(GROUP, family)
    if baseline is not None:
        system: PacketSystem = baseline(setting, context)
        return system
    raise _unknown(spec)


def check(spec: str) -> None:
    """Raise ParameterError unless `build` knows the name, without loading what can be missing."""
    family, _, _ = spec.partition(":")
    if family == "compressai" or spec in ("onboard-only", "onboard-only:light"):
        return
    plain = spec.removeprefix("feature-") if family in ("feature-jpeg", "feature-webp") else spec
    if parse_codec(plain) is None and family != "crbq" and plugins.load(GROUP, family) is None:
        raise _unknown(spec)


def parse_codec(spec: str) -> ImageCodec | None:
    """The image codec of that name; None where it names another kind of system."""
    for parse in (image_codecs.parse_codec, video_codecs.parse_codec):
        codec = parse(spec)
        if codec is not None:
            return codec
    return image_codec_network.parse_codec(spec)


def network(context: Context) -> ImageNetwork:
    """The checkpoint's network for whole images: of our stream, or a teacher."""
    path = path_of(context.checkpoint)
    if split_checkpoint.is_split(path):
        return SplitWholeNetwork(split_checkpoint.load(path, context.device))
    return WholeNetwork(_stream(context), mask=context.mask, device=context.device)


def own_systems(checkpoint: str, rates: Sequence[float]) -> list[str]:
    """What a checkpoint is by itself: a stream at its rates, a split network, or whole on an image.

    The last is a teacher or a stock detector: no packets of ours hold a large image without loss.
    """
    path = path_of(checkpoint)
    if not split_checkpoint.is_split(path):
        return [f"sc2_ros:{rate:g}" for rate in rates]
    return ["split" if split_checkpoint.bottleneck_of(path) else "uncompressed"]


def path_of(checkpoint: str) -> Path:
    """The file of a checkpoint. Raises CheckpointError where there is none."""
    return checkpoints.find(checkpoint)


def digest(spec: str, context: Context) -> str:
    """Of every weight that the system is made of."""
    files = [path_of(context.checkpoint)]
    if spec.startswith("compressai"):
        files.append(image_codec_network.weights_file(image_codec_network.KIND))
    if spec == "onboard-only:light":
        files.append(image_codec_network.weights_file(light.KIND))
    return "-".join(hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in files)


def runs_other_packages(spec: str, context: Context) -> bool:
    """Whether the system, or the checkpoint's bottleneck, is code of another package.

    Nobody here knows all of its sources, nor what weights it loads, so no digest covers them.
    """
    family, _, _ = spec.strip().lower().partition(":")
    if plugins.is_of_another_package(GROUP, family):
        return True
    path = path_of(context.checkpoint)
    name = split_checkpoint.bottleneck_of(path) if split_checkpoint.is_split(path) else None
    return name is not None and plugins.is_of_another_package(BOTTLENECKS, name)


def identity(path: Path) -> str:
    """What rows call a checkpoint: the id of a stream's, the first bytes of another file's hash."""
    if split_checkpoint.is_split(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return f"{checkpoints.read(path).id:08x}"


@lru_cache(maxsize=1)
def _load(path: Path, device: str) -> checkpoints.Checkpoint:
    return checkpoints.load(path, device=device)


def _stream(context: Context) -> checkpoints.Checkpoint:
    path = path_of(context.checkpoint)
    if split_checkpoint.is_split(path):
        raise ParameterError(
            f"{path.name} is no checkpoint of a stream, which rate indices, feature-* and crbq "
            "need; use --baselines with image codecs"
        )
    return _load(path, context.device)


def _reduced(setting: str, context: Context) -> ReducedSystem:
    stream = _stream(context)
    most = stream.tables.gains.shape[1]
    if not setting.isdecimal() or not 1 <= int(setting) <= most:
        raise ParameterError(f"'crbq:{setting}' is not a baseline: use crbq:K, K from 1 to {most}")
    data = open_dataset(context.data, "train")
    images = (data[index].image for index in choose(len(data), _REDUCTION_IMAGES))
    return ReducedSystem(stream, int(setting), images, mask=context.mask, device=context.device)


def _unknown(spec: str) -> ParameterError:
    return ParameterError(f"'{spec}' is not a baseline: use one of {', '.join(BASELINES)}")
