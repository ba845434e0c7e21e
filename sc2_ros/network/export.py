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

import copy
import io
import warnings
from collections.abc import Mapping

import onnx
import torch
from torch import Tensor, nn

from sc2_ros.onboard.engine import IMAGE, LATENT, LOGIT

OPSET = 15
"""ONNX Runtime reads it since 1.10, TensorRT since 8.5."""
PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16}
_WHITE = 255.0


class OnboardGraph(nn.Module):
    """From a camera's picture to what the codec needs of it."""

    def __init__(self, encoder: nn.Module, saliency: nn.Module | None, dtype: torch.dtype) -> None:
        """encoder: folded (`OnboardEncoder.fold`); neither it nor the head is changed."""
        super().__init__()
        self.encoder = copy.deepcopy(encoder).cpu().float()
        self.saliency = copy.deepcopy(saliency)
        # The first convolution takes pixels as they are: one pass over the picture less.
        first = next(module for module in self.encoder.modules() if isinstance(module, nn.Conv2d))
        first.weight.data /= _WHITE
        self.to(dtype=dtype, memory_format=torch.contiguous_format)
        self.eval().requires_grad_(False)
        self._dtype = dtype

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(H, W, 3) uint8, sides multiples of 16 -> latent (C, h, w), and logit (h, w) if known."""
        latent = self.encoder(image.permute(2, 0, 1)[None].to(self._dtype))
        if self.saliency is None:
            return (latent.float()[0],)
        return latent.float()[0], self.saliency(latent).float()[0, 0]


class GroundGraph(nn.Module):
    """The ground network, its outputs in a fixed order."""

    OUTPUTS = ("heatmap", "box", "mask", "preview")

    def __init__(self, ground: nn.Module, dtype: torch.dtype) -> None:
        """ground: folded; it is not changed."""
        super().__init__()
        self.ground = copy.deepcopy(ground).cpu().to(dtype, memory_format=torch.contiguous_format)
        self.eval().requires_grad_(False)
        self._dtype = dtype

    def forward(self, latent: Tensor, received: Tensor) -> tuple[Tensor, ...]:
        """As `GroundNetwork.forward`, float32 in and out."""
        found = self.ground(latent.to(self._dtype), received.to(self._dtype))
        return tuple(found[name].float() for name in self.OUTPUTS)


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
