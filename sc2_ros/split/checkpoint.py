# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of split networks: teachers, and students with a bottleneck of any kind.

::

    bottleneck.encoder.*, bottleneck.prior.*   float32, what flies; its SHA-256 is the id
    bottleneck.decoder.*, ground.*             float32, the ground; of a teacher the id's source
    metadata  {"format": "sc2_ros.split/1", "card": JSON}

The card says how to build the network: recipe, task, classes, backbone, bottleneck and options.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from sc2_ros.checkpoint import read_file
from sc2_ros.checkpoint_file import SPLIT_FORMAT, card_of
from sc2_ros.errors import CheckpointError, Sc2Error
from sc2_ros.split.backbones import build_backbone
from sc2_ros.split.fcos import Fcos
from sc2_ros.split.heads import TaskNetwork
from sc2_ros.split.network import SplitNetwork
from sc2_ros.split.registry import build_bottleneck

FORMAT = SPLIT_FORMAT
_FLYING = ("bottleneck.encoder.", "bottleneck.prior.")

Network: TypeAlias = SplitNetwork | TaskNetwork | Fcos
"""A student, a teacher, or a stock detector, which is neither."""


@dataclass(frozen=True)
class SplitCheckpoint:
    """A loaded network in eval mode; a TaskNetwork is a teacher, which has no bottleneck."""

    network: Network
    card: dict[str, Any]
    id: int
    path: Path | None = None

    @property
    def ground(self) -> TaskNetwork | Fcos:
        """The part that gives answers."""
        return self.network.ground if isinstance(self.network, SplitNetwork) else self.network

    def teacher(self) -> TaskNetwork:
        """The network, which must be a teacher. Raises CheckpointError where it is another kind."""
        if not isinstance(self.network, TaskNetwork):
            raise CheckpointError(f"{self.path} is no teacher; make one: sc2 train teacher")
        return self.network


def make_card(
    *, recipe: str, task: str, classes: tuple[str, ...], backbone: str, **more: Any
) -> dict[str, Any]:
    """The least that a card says; `more` goes into it too, for example bottleneck and figures."""
    return {
        "recipe": recipe,
        "task": task,
        "classes": list(classes),
        "backbone": backbone,
        "bottleneck": None,
    } | more


def build_network(card: dict[str, Any], *, pretrained: bool = False) -> Network:
    """A network of the shape that the card describes, untrained but for torchvision's weights."""
    backbone = build_backbone(card["backbone"], pretrained=pretrained)
    if "detector" in card:
        return Fcos(backbone, len(card["classes"]), card["detector"]["width"])
    network = TaskNetwork(backbone, card["task"], len(card["classes"]))
    if card["bottleneck"] is None:
        return network
    chosen = card["bottleneck"]
    bottleneck = build_bottleneck(chosen["name"], backbone, chosen["options"])
    return SplitNetwork(bottleneck, network.without(bottleneck.split))


def save(path: str | Path, network: Network, card: dict[str, Any]) -> int:
    """Write a checkpoint; returns its id."""
    tensors = _tensors(network)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(path), {"format": FORMAT, "card": json.dumps(card)})
    Path(path).chmod(0o644)  # safetensors writes files that only their owner reads
    return _number(tensors)


def is_split(path: str | Path) -> bool:
    """Whether the file is a checkpoint of this format."""
    return _metadata(path).get("format") == FORMAT


def bottleneck_of(path: str | Path) -> str | None:
    """The name of the bottleneck in a file of this format; None where it has none.

    Raises:
        CheckpointError: it has no readable card.
    """
    chosen = card_of(_metadata(path), path).get("bottleneck")
    if chosen is None:
        return None
    if not isinstance(chosen, dict) or "name" not in chosen:
        raise CheckpointError(f"{path} has no readable card (bottleneck: {chosen!r})")
    return str(chosen["name"])


def _metadata(path: str | Path) -> dict[str, str]:
    try:
        with safe_open(str(path), "pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError):
        return {}


def load(path: str | Path, device: str = "cpu") -> SplitCheckpoint:
    """Load a checkpoint, ready to run.

    Raises:
        CheckpointError: missing, of another format, or not fitting its own card; or its
            bottleneck is of a package that is not installed.
    """
    metadata, tensors = read_file(path, FORMAT, "one of the recipes of split networks")
    try:
        card = json.loads(metadata["card"])
        network = build_network(card)
        load_resizing(
            network,
            {
                key.removeprefix("ground.") if card["bottleneck"] is None else key: value
                for key, value in tensors.items()
            },
        )
    except Sc2Error as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{path}: its weights do not fit its card ({reason})") from error
    network.eval().requires_grad_(False).to(device)
    return SplitCheckpoint(network, card, _number(tensors), Path(path))


def load_resizing(module: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """load_state_dict for modules whose buffers (coding tables) have a size found in training."""
    for name, buffer in list(module.named_buffers()):
        if name in state and buffer.shape != state[name].shape:
            owner = module.get_submodule(name.rpartition(".")[0])
            owner.register_buffer(name.rpartition(".")[2], torch.empty_like(state[name]))
    module.load_state_dict(state)


def _tensors(network: Network) -> dict[str, torch.Tensor]:
    prefix = "" if isinstance(network, SplitNetwork) else "ground."
    state = network.state_dict()
    return {prefix + key: value.detach().cpu().contiguous().clone() for key, value in state.items()}


def _number(tensors: dict[str, torch.Tensor]) -> int:
    digest = hashlib.sha256()
    flying = [key for key in tensors if key.startswith(_FLYING)] or list(tensors)
    for key in sorted(flying):
        digest.update(key.encode())
        digest.update(tensors[key].numpy().tobytes())
    return int.from_bytes(digest.digest()[:4], "little")
