# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint is: its card, its id and how large its parts are."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from torch import nn

from sc2_ros import checkpoint as checkpoints
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire.header import VERSION
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split.network import SplitNetwork


def print_checkpoint(console: Console, name: str) -> None:
    """Print a checkpoint's id, sizes and card.

    Raises:
        CheckpointError: there is no such checkpoint.
    """
    path = checkpoints.find(name)
    lines = _split_lines(path) if split_checkpoint.is_split(path) else _lines(name)
    lines.insert(0, ("file", f"{path}, {path.stat().st_size / 1e6:.1f} MB"))
    width = max(len(name) for name, _ in lines) + 2
    for name, value in lines:
        console.print(f"[bold]{name:<{width}}[/]{escape(value)}", soft_wrap=True, highlight=False)


def _lines(name: str) -> list[tuple[str, str]]:
    """Of a checkpoint of the recipe sc2_ros."""
    checkpoint = checkpoints.load(name)
    head = checkpoint.saliency
    return [
        ("id", f"{checkpoint.id:08x}"),
        ("bitstream", _bitstream(checkpoint.tables)),
        ("encoder", f"{parameters(checkpoint.encoder):,} parameters, flies"),
        ("saliency", "none" if head is None else f"{parameters(head):,} parameters, flies"),
        ("ground", f"{parameters(checkpoint.ground):,} parameters"),
        *flatten(checkpoint.card),
    ]


def _bitstream(tables: CodingTables) -> str:
    """What it sends."""
    frames = "keyframes and predicted frames" if tables.skip is not None else "keyframes only"
    return f"version {VERSION}, {frames}, {tables.channels} latent channels"


def _split_lines(path: Path) -> list[tuple[str, str]]:
    """Of a teacher, which does not fly, or of a student with a bottleneck."""
    checkpoint = split_checkpoint.load(path)
    lines = [("id", f"{checkpoint.id:08x}")]
    ground = parameters(checkpoint.ground)
    if isinstance(checkpoint.network, SplitNetwork):
        bottleneck = checkpoint.network.bottleneck
        flies = parameters(bottleneck.encoder) + parameters(bottleneck.prior)
        ground += parameters(bottleneck.decoder)
        lines.append(("encoder", f"{flies:,} parameters with its prior, flies"))
    lines.append(("ground", f"{ground:,} parameters"))
    return lines + flatten(checkpoint.card)


def parameters(network: nn.Module) -> int:
    """Number of weights."""
    return sum(weight.numel() for weight in network.parameters())


def flatten(card: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The card as lines: nested names joined by dots, lists by commas."""
    lines: list[tuple[str, str]] = []
    for key, value in card.items():
        if isinstance(value, dict):
            lines += flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            lines.append((prefix + key, ", ".join(str(item) for item in value)))
        else:
            lines.append((prefix + key, str(value)))
    return lines
