# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The encoder on PyTorch, for machines that have it anyway: CPU, or CUDA with fp16 and CUDA graphs.

::

    uint8 (H, W, 3) -> pinned memory -> device -> [float, encoder, saliency head] -> host
                                                   one CUDA graph for each size of frame
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sc2_ros.errors import ParameterError
from sc2_ros.network.devices import PRECISIONS
from sc2_ros.network.graphs import OnboardGraph
from sc2_ros.network.imaging import network_input
from sc2_ros.onboard.engine import Encoding, Image

_MOST_GRAPHS = 8
_WARM_UP_RUNS = 3


@dataclass(frozen=True, eq=False)
class _Recorded:
    """A CUDA graph for one size of frame, and the memory that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    picture: Tensor
    outputs: tuple[Tensor, ...]


class TorchEngine:
    """Runs a checkpoint's encoder with PyTorch; see `engine.Engine`."""

    def __init__(
        self,
        encoder: nn.Module,
        saliency: nn.Module | None,
        device: str = "cpu",
        *,
        precision: str = "fp32",
        graphs: bool = True,
    ) -> None:
        """Copy the networks to the device.

        Args:
            encoder: folded.
            saliency: head of the checkpoint, if it has one.
            device: "cpu", "cuda" or "cuda:N".
            precision: "fp32", "bf16", or on a GPU "fp16".
            graphs: on a GPU, record a CUDA graph for each size of frame: the encoder's 40 small
                kernels take longer to start than to run.

        Raises:
            ParameterError: this machine does not have the device, or it not the precision.
        """
        kind, number = torch.device(device).type, torch.device(device).index or 0
        if kind == "cuda" and number >= torch.cuda.device_count():
            raise ParameterError(
                f"device {device!r} is not there: PyTorch {torch.__version__} finds "
                f"{torch.cuda.device_count()} CUDA devices; use cpu"
            )
        if precision not in PRECISIONS or (kind == "cpu" and precision == "fp16"):
            raise ParameterError(f"precision {precision!r}; use fp32, bf16, or on a GPU fp16")
        self._device = torch.device(device)
        self._graph = OnboardGraph(encoder, saliency, PRECISIONS[precision])
        self._graph.to(self._device, memory_format=torch.channels_last)
        self._precision = precision
        self._records = graphs and kind == "cuda"
        self._recorded: dict[tuple[int, ...], _Recorded] = {}

    @property
    def name(self) -> str:
        """Runtime and device."""
        return f"PyTorch {torch.__version__} on {self._device}, {self._precision}"

    @torch.inference_mode()
    def encode(self, image: Image, origin: tuple[int, int] = (0, 0)) -> Encoding:
        """As `Engine.encode`."""
        pixels = network_input(image, origin)
        if not pixels.flags.writeable:
            pixels = pixels.copy()  # torch wants no memory that it may not write
        picture = torch.from_numpy(pixels)
        if self._device.type == "cpu":
            outputs = self._graph(picture)
        elif self._records:
            recorded = self._recorded.get(pixels.shape) or self._record(pixels.shape)
            recorded.picture.copy_(picture)
            recorded.graph.replay()
            outputs = recorded.outputs
        else:
            outputs = self._graph(picture.to(self._device))
        latent, *logit = (output.cpu().contiguous().numpy() for output in outputs)
        return Encoding(latent, logit[0] if logit else None)

    def _record(self, shape: tuple[int, ...]) -> _Recorded:
        """A CUDA graph for frames of this shape; the oldest makes room where there are many."""
        picture = torch.zeros(shape, dtype=torch.uint8, device=self._device)
        stream = torch.cuda.Stream(self._device)
        stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(stream):  # what is set up on the first runs is not to be recorded
            for _ in range(_WARM_UP_RUNS):
                self._graph(picture)
        torch.cuda.current_stream(self._device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outputs = self._graph(picture)
        if len(self._recorded) >= _MOST_GRAPHS:
            del self._recorded[next(iter(self._recorded))]
        self._recorded[shape] = _Recorded(graph, picture, outputs)
        return self._recorded[shape]
