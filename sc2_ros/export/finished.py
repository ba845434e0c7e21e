# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A finished checkpoint: its networks, and its encoder as an ONNX file, so that it can fly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from sc2_ros import checkpoint
from sc2_ros.codec.tables import CodingTables
from sc2_ros.export.onnx_files import export_encoder
from sc2_ros.network.saliency import SaliencyHead


def save(
    path: Path,
    encoder: nn.Module,
    ground: nn.Module,
    tables: CodingTables,
    card: dict[str, Any],
    saliency: SaliencyHead | None = None,
) -> int:
    """Write a checkpoint as `checkpoint.save` does, with its exported encoder; returns its id."""
    number = checkpoint.save(path, encoder, ground, tables, card, saliency)
    model = checkpoint.load(path)
    exported = export_encoder(model.encoder, model.saliency, describe(model))
    checkpoint.write_exported(path, exported, path)
    return number


def describe(model: checkpoint.Checkpoint) -> dict[str, str]:
    """What whoever finds an exported file needs to know."""
    card = model.card
    return {
        "checkpoint": str(card.get("name", "")),
        "checkpoint_id": f"{model.id:08x}",
        "detection_classes": ",".join(card["detection_classes"]),
        "mask_classes": ",".join(card["mask_classes"]),
        "stride": "16",
        "normalisation": "none: uint8 RGB in, the scaling is part of the graph",
        "licence": str(card.get("licence", "")),
    }
