# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How close exported networks come to those they were made of, on real pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import torch
from rich.console import Console
from rich.table import Table

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.network import imaging
from sc2_ros.network.graphs import GroundGraph
from sc2_ros.onboard.engine import Image, OnnxEngine

_CODES = (16, 32, 48)
"""Rate codes at which symbols are compared: rate indices 0.25, 0.5 and 0.75."""


def compare_encoder(model: Checkpoint, exported: bytes, pictures: list[Image]) -> dict[str, Any]:
    """Largest and mean difference of latents, and the share of symbols that differ, by rate."""
    engine = OnnxEngine(exported, "cpu")
    gains = model.tables.gains[_CODES, :, None, None]
    most, squares, differ, active = 0.0, [], [], []
    for picture in pictures:
        with torch.inference_mode():
            latent = model.encoder(imaging.to_tensor(picture))[0].float().cpu().numpy()
        found = engine.encode(picture).latent
        most = max(most, float(np.abs(found - latent).max()))
        squares.append(float(np.mean((found - latent) ** 2)))
        symbols = np.rint(latent * gains)
        differ.append(np.mean(symbols != np.rint(found * gains), axis=(1, 2, 3)))
        active.append(np.mean(symbols != 0, axis=(1, 2, 3)))
    return {
        "size_bytes": len(exported),
        "latent_max_difference": most,
        "latent_rms_difference": float(np.sqrt(np.mean(squares))),
        "rate_indices": [code / 64 for code in _CODES],
        "symbols_not_zero": np.mean(active, axis=0).tolist(),
        "symbols_that_differ": np.mean(differ, axis=0).tolist(),
    }


def compare_ground(model: Checkpoint, exported: bytes, pictures: list[Image]) -> dict[str, Any]:
    """Largest difference of each output, of uncompressed latents."""
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    most = dict.fromkeys(GroundGraph.OUTPUTS, 0.0)
    for picture in pictures:
        with torch.inference_mode():
            latent = model.encoder(imaging.to_tensor(picture)).float().contiguous()
            received = torch.ones_like(latent[:, :1])
            expected = model.ground(latent, received)
        inputs = {"latent": latent.numpy(), "received": received.numpy()}
        for name, found in zip(most, session.run([*most], inputs), strict=True):
            difference = np.abs(found - expected[name].float().numpy()).max()
            most[name] = max(most[name], float(difference))
    return {"size_bytes": len(exported), "max_difference": most}


def print_parity(console: Console, report: dict[str, Any]) -> None:
    """Print the report as a table."""
    encoder, ground = report["encoder"], report["ground"]
    table = Table(
        title=f"checkpoint {report['checkpoint']}, {report['precision']}, "
        f"{report['pictures']} pictures of {report['input']}",
        title_justify="left",
    )
    table.add_column("network")
    table.add_column("what")
    table.add_column("value", justify="right")
    table.add_row("encoder", "file", f"{encoder['size_bytes'] / 1e6:.2f} MB")
    table.add_row(
        "encoder", "latent, largest difference", f"{encoder['latent_max_difference']:.2g}"
    )
    table.add_row("encoder", "latent, rms difference", f"{encoder['latent_rms_difference']:.2g}")
    for rate, differ, active in zip(
        encoder["rate_indices"],
        encoder["symbols_that_differ"],
        encoder["symbols_not_zero"],
        strict=True,
    ):
        table.add_row(
            "encoder", f"symbols that differ at rate index {rate:g}",
            f"{differ:.3%} ({active:.1%} are not zero)",
        )  # fmt: skip
    table.add_row("ground", "file", f"{ground['size_bytes'] / 1e6:.2f} MB")
    for name, most in ground["max_difference"].items():
        table.add_row("ground", f"{name}, largest difference", f"{most:.2g}")
    console.print(table)
