# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: one safetensors file with the encoder, the coding tables and the ground network.

ground.*   float16 weights of the ground network
saliency.* float16 weights of the head that flies beside the encoder, if there is one

and what flies: checkpoint_file.py, which needs no PyTorch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from sc2_ros import checkpoint_file
from sc2_ros.checkpoint_file import FORMAT, find, models_folders, read_card
from sc2_ros.codec.tables import CodingTables, untrained_tables
from sc2_ros.codec.wire import RATE_CODES
from sc2_ros.errors import CheckpointError
from sc2_ros.files import replacing
from sc2_ros.network.channels import LATENT_CHANNELS, kept
from sc2_ros.network.encoder import OnboardEncoder
from sc2_ros.network.layers import fold_batch_norm
from sc2_ros.network.model import GroundNetwork
from sc2_ros.network.saliency import SaliencyHead

__all__ = [
    "FORMAT", "Checkpoint", "Parts", "build_networks", "checkpoint_id", "default_card", "find",
    "load", "models_folders", "networks_of", "read", "read_card", "read_file", "save", "untrained",
    "with_channels", "write_exported", "write_file",
]  # fmt: skip

DETECTION_CLASSES = ("person", "car", "bicycle", "other_vehicle")
_UNTRAINED_MOST, _UNTRAINED_SPREAD = 6.0, 0.4
"""Highest gain of an untrained checkpoint, and how much its latents are taken to spread."""
MASK_CLASSES = ("road", "building", "vegetation", "vehicle", "person", "other")


@dataclass(frozen=True)
class Checkpoint:
    """A loaded model. encoder and ground are in eval mode, batch norms folded, channels last.

    saliency: on the CPU; None: the file has none. exported: as of FlyingCheckpoint.
    """

    encoder: nn.Module
    ground: nn.Module
    tables: CodingTables
    card: dict[str, Any]
    id: int
    path: Path | None = None
    saliency: SaliencyHead | None = None
    exported: bytes | None = None


def build_networks(card: dict[str, Any]) -> tuple[OnboardEncoder, GroundNetwork]:
    """Networks of the shape that the card describes, with random weights."""
    shape = card["network"]
    encoder = OnboardEncoder(
        shape["channels"], tuple(shape["encoder_widths"]), tuple(shape["encoder_depths"])
    )
    ground = GroundNetwork(
        shape["channels"],
        len(card["detection_classes"]),
        len(card["mask_classes"]),
        tuple(shape["ground_widths"]),
        tuple(shape["ground_depths"]),
        semantics=bool(shape.get("ground_semantics", False)),
    )
    return encoder, ground


def networks_of(
    state: dict[str, torch.Tensor], card: dict[str, Any]
) -> tuple[OnboardEncoder, GroundNetwork]:
    """Networks of the shape that the card describes, with weights named encoder.* and ground.*.

    Raises:
        KeyError, RuntimeError, TypeError, ValueError: the weights do not fit the card.
    """
    _check_size(state, card)
    encoder, ground = build_networks(card)
    encoder.load_state_dict(_part(state, "encoder."))
    ground.load_state_dict(_part(state, "ground."))
    return encoder, ground


def _check_size(state: dict[str, torch.Tensor], card: dict[str, Any]) -> None:
    """Raise ValueError for a card that asks for more than the file has, before any memory is taken.

    A number changed in a card would else build networks until memory ends. Each block has a weight
    at least for each pair of its channels; the file has those of both networks.
    """
    shape, least = card["network"], 0
    for part in ("encoder", "ground"):
        for width, depth in zip(shape[f"{part}_widths"], shape[f"{part}_depths"], strict=True):
            least += max(depth, 1) * width**2
    given = sum(tensor.numel() for tensor in state.values())
    if least > given:
        raise ValueError(f"{least} weights at least, but the file has {given}")


def default_card() -> dict[str, Any]:
    """The card of a network of the default shape; training adds data, licence and figures."""
    return {
        "name": "untrained",
        "detection_classes": list(DETECTION_CLASSES),
        "mask_classes": list(MASK_CLASSES),
        "network": {
            "channels": LATENT_CHANNELS,
            "encoder_widths": [32, 64, 128],
            "encoder_depths": [1, 2, 3],
            "ground_widths": [128, 96, 64],
            "ground_depths": [3, 2, 1],
        },
    }


def _half(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        key: value.half().contiguous() if value.dtype.is_floating_point else value.contiguous()
        for key, value in state.items()
    }


def checkpoint_id(tensors: dict[str, torch.Tensor]) -> int:
    """First 32 bits of the SHA-256 over encoder and tables, in the order of their names."""
    return checkpoint_file.checkpoint_id({k: v.cpu().numpy() for k, v in tensors.items()})


def save(
    path: str | Path,
    encoder: nn.Module,
    ground: nn.Module,
    tables: CodingTables,
    card: dict[str, Any],
    saliency: SaliencyHead | None = None,
) -> int:
    """Write a checkpoint of networks whose batch norms are not folded; returns its id."""
    tensors = {f"encoder.{k}": v for k, v in _half(encoder.state_dict()).items()}
    tensors |= {f"ground.{k}": v for k, v in _half(ground.state_dict()).items()}
    if saliency is not None:
        tensors |= {f"saliency.{k}": v for k, v in _half(saliency.state_dict()).items()}
    arrays = tables.to_arrays()
    tensors |= {f"tables.{k}": torch.from_numpy(np.array(v)) for k, v in arrays.items()}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(path), {"format": FORMAT, "card": json.dumps(card)})
    Path(path).chmod(0o644)  # safetensors writes files that only their owner reads
    return checkpoint_id(tensors)


@dataclass(frozen=True)
class Parts:
    """What a file holds, batch norms not folded: for training on."""

    encoder: OnboardEncoder
    ground: GroundNetwork
    tables: CodingTables
    card: dict[str, Any]
    id: int
    path: Path | None
    saliency: SaliencyHead | None = None
    exported: bytes | None = None


def read_file(
    path: str | Path, expected: str, maker: str
) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """Metadata and tensors of a safetensors file of that format.

    Raises:
        CheckpointError: missing, unreadable, or of another format, so not made by `maker`.
    """
    return checkpoint_file.read_tensors(path, expected, maker, framework="pt")


def write_exported(name: str | Path, exported: bytes, path: Path) -> None:
    """Write a checkpoint, with the encoder as an ONNX file in it, to `path`; its id stays.

    Raises:
        CheckpointError: it cannot be read, or the file cannot be written.
    """
    metadata, tensors = read_file(find(name), FORMAT, "sc2 train")
    tensors[checkpoint_file.EXPORTED] = torch.from_numpy(np.frombuffer(exported, np.uint8).copy())
    write_file(path, tensors, metadata)


def write_file(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file; one that is there already is replaced in one step.

    Raises:
        CheckpointError: it cannot be written.
    """
    try:
        with replacing(path) as unfinished:
            save_file(tensors, str(unfinished), metadata)
            unfinished.chmod(0o644)  # safetensors writes files that only their owner reads
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be written: {error}") from error


def read(name: str | Path = "default") -> Parts:
    """Read a checkpoint by path or shipped name.

    Raises:
        CheckpointError: missing, unreadable, of another format, or not fitting its own card.
    """
    path = find(name)
    metadata, tensors = read_file(path, FORMAT, "sc2 train")
    try:
        card = json.loads(metadata["card"])
        encoder, ground = networks_of(tensors, card)
        saliency = _saliency(_part(tensors, "saliency."), card["network"]["channels"])
    except (IndexError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{path}: its weights do not fit its card ({reason})") from error
    arrays = {key: value.numpy() for key, value in tensors.items()}
    tables = checkpoint_file.tables_of(arrays, path)
    exported = checkpoint_file.exported_of(arrays)
    return Parts(encoder, ground, tables, card, checkpoint_id(tensors), path, saliency, exported)


def with_channels(parts: Parts, channels: list[int]) -> Parts:
    """The networks with these channels of the latent, in this order; the tables are as before."""
    state = {f"encoder.{k}": v for k, v in parts.encoder.state_dict().items()}
    state |= {f"ground.{k}": v for k, v in parts.ground.state_dict().items()}
    if parts.saliency is not None:
        state |= {f"saliency.{k}": v for k, v in parts.saliency.state_dict().items()}
    state = kept(state, channels)
    card = parts.card | {"network": parts.card["network"] | {"channels": len(channels)}}
    encoder, ground = networks_of(state, card)
    saliency = _saliency(_part(state, "saliency."), len(channels))
    return replace(
        parts, encoder=encoder, ground=ground, card=card, saliency=saliency, exported=None
    )


def load(name: str | Path = "default", device: str = "cpu") -> Checkpoint:
    """Load a checkpoint by path or shipped name, ready to run. Raises as `read` does."""
    return _ready(read(name), device)


def untrained(seed: int = 0, device: str = "cpu") -> Checkpoint:
    """A checkpoint with random weights, for tests and benchmarks of everything but accuracy."""
    card = default_card()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder, ground = build_networks(card)
    with torch.no_grad():  # batch norms without statistics shrink the latents: undo that
        encoder.project.weight.mul_(4.0)
    gains = np.geomspace(1.0, _UNTRAINED_MOST, RATE_CODES)[:, None]
    gains = gains.repeat(card["network"]["channels"], 1).astype(np.float32)
    tables = untrained_tables(gains, _UNTRAINED_SPREAD * gains)
    tensors = {f"encoder.{k}": v for k, v in _half(encoder.state_dict()).items()}
    return _ready(Parts(encoder, ground, tables, card, checkpoint_id(tensors), None), device)


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {
        key.removeprefix(prefix): value.float() if value.dtype.is_floating_point else value
        for key, value in tensors.items()
        if key.startswith(prefix)
    }


def _saliency(state: dict[str, torch.Tensor], channels: int) -> SaliencyHead | None:
    if not state:
        return None
    head = SaliencyHead(channels, hidden=len(state["enter.weight"]))
    head.load_state_dict(state)
    return head


def _ready(parts: Parts, device: str) -> Checkpoint:
    parts.encoder.eval().fold()
    fold_batch_norm(parts.ground.eval())
    networks: list[nn.Module] = []
    for network in (parts.encoder, parts.ground):
        network.requires_grad_(False)
        networks.append(network.to(device).to(memory_format=torch.channels_last))
    if parts.saliency is not None:
        parts.saliency.eval().requires_grad_(False)
    encoder, ground = networks
    return Checkpoint(
        encoder, ground, parts.tables, parts.card, parts.id, parts.path, parts.saliency,
        parts.exported,
    )  # fmt: skip
