# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An exported encoder with 8-bit integers, calibrated on pictures (ONNX Runtime's static scheme).

Weights get a scale for each output channel, activations one for each tensor (B. Jacob et al.,
"Quantization and training of neural networks for efficient integer-arithmetic-only inference",
2018). The last convolution of each output stays in floats: its answer is rounded anyway.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from sc2_ros.errors import InputError
from sc2_ros.network.imaging import network_input
from sc2_ros.onboard.engine import IMAGE, Image


class _Pictures(CalibrationDataReader):
    """Hands pictures over, one by one."""

    def __init__(self, pictures: Iterable[Image]) -> None:
        self._pictures: Iterator[Image] = iter(pictures)
        self.count = 0

    def get_next(self) -> dict[str, Image] | None:
        """The next picture as the graph takes it; None after the last."""
        picture = next(self._pictures, None)
        if picture is None:
            return None
        self.count += 1
        return {IMAGE: network_input(picture, (0, 0))}


def quantise(model: bytes, pictures: Iterable[Image]) -> bytes:
    """encoder.onnx with 8-bit integers; float32 outputs.

    Args:
        model: as `export_encoder` makes it, fp32.
        pictures: uint8 (H, W, 3) RGB or (H, W) grey, of the kind that will be seen; 20 or more.

    Raises:
        InputError: there are no pictures.
    """
    graph = onnx.load_from_string(model)
    last = [node.name for node in graph.graph.node if node.op_type == "Conv"][-3:]
    reader = _Pictures(pictures)
    noisy = logging.getLogger()
    level = noisy.level
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "int8.onnx"
        try:
            noisy.setLevel(logging.ERROR)  # it recommends steps that change nothing here
            quantize_static(
                graph,
                str(target),
                reader,
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                nodes_to_exclude=last,
            )
        except ValueError as error:
            if reader.count:
                raise
            raise InputError("no pictures to calibrate on; give a video, folder or bag") from error
        finally:
            noisy.setLevel(level)
        return target.read_bytes()
