# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint is: its card, its id and how large its parts are."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from torch import nn

from sc2_ros import checkpoint as checkpoints


def print_checkpoint(console: Console, name: str) -> None:
    """Print a checkpoint's id, sizes and card.

    Raises:
        CheckpointError: there is no such checkpoint.
    """
    checkpoint = checkpoints.load(name)
    lines = [("id", f"{checkpoint.id:08x}")]
    if checkpoint.path is not None:
        size_mb = checkpoint.path.stat().st_size / 1e6
        lines.insert(0, ("file", f"{checkpoint.path}, {size_mb:.1f} MB"))
    lines.append(("encoder", f"{parameters(checkpoint.encoder):,} parameters, flies"))
    lines.append(("ground", f"{parameters(checkpoint.ground):,} parameters"))
    lines += flatten(checkpoint.card)
    width = max(len(name) for name, _ in lines) + 2
    for name, value in lines:
        console.print(f"[bold]{name:<{width}}[/]{escape(value)}", soft_wrap=True, highlight=False)


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
