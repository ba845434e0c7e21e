# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What runs the encoder on the drone: ONNX Runtime on a CPU, a GPU, or TensorRT.

::

    uint8 (H, W, 3) RGB or (H, W) grey -> edges repeated to multiples of 16
        -> encoder.onnx: float, normalised, encoder, saliency head
        -> latent (C, h, w) float32, logit of an object (h, w) float32

PyTorch does the same in torch_engine.py, for those who have it anyway; nothing here imports it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from sc2_ros.errors import ParameterError
from sc2_ros.network.imaging import network_input
from sc2_ros.onnx_session import PROVIDERS, check_there, is_there, open_session
from sc2_ros.threads import thread_count

STRIDE = 16
IMAGE, LATENT, LOGIT = "image", "latent", "logit"
"""Names of the exported graph's input and outputs."""
MOST_THREADS = 4
"""The encoder gains nothing from more: its layers are too small."""
SPIN_US = 100
"""At 640x512 a layer takes 20 to 200 microseconds. Beside two busy processes a frame of 1920x1088
took 51 ms of CPU without this bound on two threads, 32 with it, and 30 on one thread."""
_NO_GPU = "cpu (onnxruntime-gpu is installed, but finds no GPU that it can use)"

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Encoding:
    """What the encoder makes of a frame.

    Attributes:
        latent: (C, h, w) float32.
        logit: (h, w) float32 of "some of an object is here"; None: the checkpoint does not tell.
    """

    latent: Floats
    logit: Floats | None


class Engine(Protocol):
    """Runs the encoder; with ONNX Runtime, several threads may use it at a time."""

    @property
    def name(self) -> str:
        """Runtime and device, for people."""

    def encode(self, image: Image, origin: tuple[int, int] = (0, 0)) -> Encoding:
        """Encode uint8 (H, W, 3) RGB or (H, W) grey whose corner is to lie at `origin` (x, y)."""


def warm_up(engine: Engine, width: int, height: int) -> None:
    """Encode an empty frame on every grid that a moving origin may ask for.

    The first frame of a shape is slow: kernels are chosen, memory is taken, and TensorRT builds
    its engine, for minutes where there is none in its cache.
    """
    empty = np.zeros((height, width, 3), np.uint8)
    shapes: set[tuple[int, int]] = set()
    for x in range(STRIDE):
        for y in range(STRIDE):
            shape = (-(-(y + height) // STRIDE), -(-(x + width) // STRIDE))
            if shape not in shapes:
                shapes.add(shape)
                engine.encode(empty, (x, y))


class OnnxEngine:
    """Runs an exported encoder (`sc2 export`) with ONNX Runtime."""

    def __init__(
        self,
        model: bytes,
        device: str = "auto",
        *,
        threads: int = 0,
        fp16: bool = False,
        cache: Path | None = None,
    ) -> None:
        """Load the graph.

        Args:
            model: the ONNX file.
            device: "cpu", "cuda", "cuda:N", "tensorrt", or "auto": the GPU, where there is one that
                this installation can use.
            threads: on the CPU; 0: what threads.py says, at most 4.
            fp16: let TensorRT compute with 16 bits.
            cache: folder in which TensorRT keeps what it built; None: ~/.cache/sc2_ros/tensorrt.

        Raises:
            ParameterError: this machine or this installation does not have the device.
            CheckpointError: ONNX Runtime cannot read the graph, or it is not that of an encoder.
        """
        self._device = check_device(device)
        # Threads spin between two layers, where waking one costs as much as the layer, but not
        # until the next frame, nor while the other one has lost its core to somebody else: that
        # would take a core from the codec.
        spin = {
            "session.force_spinning_stop": "1",
            "session.intra_op.spin_duration_us": str(SPIN_US),
        }
        self._session = open_session(
            model,
            self._device,
            part="encoder",
            inputs={IMAGE},
            outputs={LATENT},
            providers=_providers("cuda" if self._device == "auto" else self._device, fp16, cache),
            threads=threads or min(thread_count(), MOST_THREADS),
            settings=spin,
        )
        if self._device == "auto":
            found = self._session.get_providers()[0]
            self._device = "cuda" if found == PROVIDERS["cuda"] else _NO_GPU
        self._outputs = [output.name for output in self._session.get_outputs()]

    @property
    def name(self) -> str:
        """Runtime and device."""
        return f"ONNX Runtime {onnxruntime.__version__} on {self._device}"

    @property
    def metadata(self) -> dict[str, str]:
        """What the exporter wrote into the file."""
        found: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return found

    def encode(self, image: Image, origin: tuple[int, int] = (0, 0)) -> Encoding:
        """As `Engine.encode`; the frame is copied to the device once."""
        binding = self._session.io_binding()
        binding.bind_cpu_input(IMAGE, network_input(image, origin))
        for name in self._outputs:
            binding.bind_output(name, "cpu")
        self._session.run_with_iobinding(binding)
        found = dict(zip(self._outputs, binding.copy_outputs_to_cpu(), strict=True))
        return Encoding(found[LATENT], found.get(LOGIT))


def check_device(device: str) -> str:
    """The device that is meant; "auto" stays where a GPU has to be tried, else it is the CPU.

    device: "auto", "cpu", "cuda", "cuda:N" or "tensorrt".

    Raises:
        ParameterError: it is unknown, or this installation of ONNX Runtime does not have it.
    """
    kind = device.partition(":")[0]
    if kind != "auto" and kind not in PROVIDERS:
        raise ParameterError(f"device {device!r} is unknown; use auto, {', '.join(PROVIDERS)}")
    if kind == "auto":
        return "auto" if is_there("cuda") else "cpu"
    check_there(device)
    return device


def _providers(device: str, fp16: bool, cache: Path | None) -> list[Any]:
    """The execution provider of a device with its options, and those it may leave nodes to."""
    if device == "cpu":
        return [PROVIDERS["cpu"]]
    # Without a search over all of cuDNN's algorithms, which a new size of frame would start anew.
    kind, _, number = device.partition(":")
    cuda = (
        PROVIDERS["cuda"],
        {"cudnn_conv_algo_search": "HEURISTIC", "device_id": number or "0"},
    )
    if kind == "cuda":
        return [cuda, PROVIDERS["cpu"]]
    folder = cache or Path.home() / ".cache" / "sc2_ros" / "tensorrt"
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": True,
        "trt_fp16_enable": fp16,
    }
    return [(PROVIDERS["tensorrt"], options), cuda, PROVIDERS["cpu"]]
