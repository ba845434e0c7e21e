# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights of networks that are no checkpoint of a stream: baselines that are measured beside it.

One safetensors file of float16 weights; metadata {"format": "sc2_ros/KIND", "card": JSON}.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from sc2_ros.errors import CheckpointError


def save(path: str | Path, network: nn.Module, kind: str, card: dict[str, Any]) -> None:
    """Write the network's state, floating point as float16."""
    tensors = {
        key: (value.half() if value.dtype.is_floating_point else value).contiguous()
        for key, value in network.state_dict().items()
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(path), {"format": f"sc2_ros/{kind}", "card": json.dumps(card)})
    Path(path).chmod(0o644)  # safetensors writes files that only their owner reads


def load(path: str | Path, kind: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """State (float32) and card of a file that `save` wrote.

    Raises:
        CheckpointError: missing, unreadable, of another kind, or without a readable card.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"no weights at {path}; make them: sc2 train {kind}")
    try:
        with safe_open(str(path), "pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a readable safetensors file ({error})") from error
    if metadata.get("format") != f"sc2_ros/{kind}":
        raise CheckpointError(
            f"{path} has format '{metadata.get('format')}', expected 'sc2_ros/{kind}'; "
            f"it was not made by sc2 train {kind}"
        )
    state = {
        key: value.float() if value.dtype.is_floating_point else value
        for key, value in tensors.items()
    }
    try:
        return state, dict(json.loads(metadata.get("card", "{}")))
    except (TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} has no readable card ({error})") from error
