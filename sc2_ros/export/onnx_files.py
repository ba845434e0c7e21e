# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks as ONNX files, for ONNX Runtime 1.16 and TensorRT 8.6 or later.

::

    encoder.onnx   image (H, W, 3) uint8 -> latent (C, h, w), logit (h, w) float32
    ground.onnx    latent (1, C, h, w), received (1, 1, h, w) float32
                                         -> heatmap, box, mask, preview, as GroundNetwork gives them

H, W, h and w may change from call to call. Batch norms are folded.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping

import onnx
import torch
from torch import Tensor, nn

from sc2_ros.network.graphs import GroundGraph, OnboardGraph
from sc2_ros.onboard.engine import IMAGE, LATENT, LOGIT

OPSET = 15
"""ONNX Runtime reads it since 1.10, TensorRT since 8.5."""
PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16}


def export_encoder(
    encoder: nn.Module,
    saliency: nn.Module | None,
    metadata: Mapping[str, str],
    precision: str = "fp32",
) -> bytes:
    """encoder.onnx of a loaded checkpoint's networks; precision: "fp32" or "fp16"."""
    graph = OnboardGraph(encoder, saliency, PRECISIONS[precision])
    axes = {IMAGE: {0: "H", 1: "W"}, LATENT: {1: "h", 2: "w"}}
    outputs = [LATENT]
    if saliency is not None:
        axes[LOGIT] = {0: "h", 1: "w"}
        outputs.append(LOGIT)
    picture = torch.zeros((64, 96, 3), dtype=torch.uint8)
    return _export(graph, (picture,), [IMAGE], outputs, axes, metadata)


def export_ground(
    ground: nn.Module, channels: int, metadata: Mapping[str, str], precision: str = "fp32"
) -> bytes:
    """ground.onnx of a loaded checkpoint's network for `channels` C; precision: as above."""
    graph = GroundGraph(ground, PRECISIONS[precision])
    inputs = (torch.zeros((1, channels, 8, 12)), torch.ones((1, 1, 8, 12)))
    axes = {name: {2: "h", 3: "w"} for name in ("latent", "received")}
    axes |= {name: {2: "4h", 3: "4w"} for name in GroundGraph.OUTPUTS}
    return _export(graph, inputs, ["latent", "received"], [*GroundGraph.OUTPUTS], axes, metadata)


def _export(
    graph: nn.Module,
    inputs: tuple[Tensor, ...],
    names: list[str],
    outputs: list[str],
    axes: Mapping[str, Mapping[int, str]],
    metadata: Mapping[str, str],
) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter writes opset 18 and later, which TensorRT 8.6 does not read.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph, inputs, file, input_names=names, output_names=outputs,
            dynamic_axes={name: dict(axis) for name, axis in axes.items()},
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    model = onnx.load_from_string(file.getvalue())
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
