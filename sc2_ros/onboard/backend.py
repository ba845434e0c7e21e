# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What encodes a drone's frames, and where: ONNX Runtime, or PyTorch where asked for.

::

    backend auto -> onnxruntime, if the checkpoint carries its exported encoder and this
                    installation has the device and the precision; else torch, if it is installed
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakValueDictionary

from sc2_ros.codec.tables import CodingTables
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.onboard.engine import Engine, OnnxEngine, check_device

BACKENDS = ("auto", "onnxruntime", "torch")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
DEVICE_FORM = r"auto|cpu|cuda(:\d+)?|tensorrt"


class Flying(Protocol):
    """A checkpoint as the drone needs it: checkpoint_file.FlyingCheckpoint, or a complete one."""

    @property
    def tables(self) -> CodingTables:
        """What latents are coded with."""

    @property
    def card(self) -> dict[str, Any]:
        """What the checkpoint says of itself."""

    @property
    def id(self) -> int:
        """The same on both ends of a link."""

    @property
    def path(self) -> Path | None:
        """The file it was read from."""

    @property
    def exported(self) -> bytes | None:
        """The encoder as an ONNX file."""


@dataclass(frozen=True)
class Choice:
    """What an engine is made of: "onnxruntime" or "torch", a device, and a precision."""

    backend: str
    device: str
    precision: str


def choose(backend: str, device: str, precision: str, *, exported: bool = True) -> Choice:
    """What `auto` stands for in this installation; exported: whether there is an ONNX file.

    Raises:
        ParameterError: a word is unknown, or this installation does not have what it asks for.
        CheckpointError: nothing here can run the encoder as the checkpoint carries it.
    """
    for what, value, known in (
        ("backend", backend, BACKENDS),
        ("precision", precision, PRECISIONS),
    ):
        if value not in known:
            raise ParameterError(f"{what} {value!r}; known: {', '.join(known)}")
    if not re.fullmatch(DEVICE_FORM, device):
        raise ParameterError(f"device {device!r} is unknown; use auto, cpu, cuda, cuda:N, tensorrt")
    if backend == "torch":
        return _with_torch(device, precision)
    if exported:
        try:
            return _with_onnxruntime(device, precision)
        except ParameterError:
            if backend == "onnxruntime" or device == "tensorrt" or find_spec("torch") is None:
                raise
    elif backend == "onnxruntime" or find_spec("torch") is None:
        raise CheckpointError(
            "the checkpoint does not carry its encoder as an ONNX file: run `sc2 export CHECKPOINT "
            "--out DIR` and use the checkpoint that it writes, or install torch"
        )
    return _with_torch(device, precision)


def make(model: Flying, choice: Choice) -> Engine:
    """The engine of a checkpoint.

    Raises:
        ParameterError: this machine does not have the device.
        CheckpointError: the encoder cannot be read, or is not that of the checkpoint.
    """
    if choice.backend == "torch":
        from sc2_ros import checkpoint
        from sc2_ros.onboard.torch_engine import TorchEngine

        if not isinstance(model, checkpoint.Checkpoint):
            assert model.path is not None
            model = checkpoint.load(model.path)
        networks = model.encoder, model.saliency
        return TorchEngine(*networks, choice.device, precision=choice.precision)
    assert model.exported is not None
    key = (model.id, hashlib.sha256(model.exported).digest(), choice)
    with _making:
        engine = _engines.get(key)
        if engine is None:
            engine = _engines[key] = _with_exported(model, model.exported, choice)
    return engine


def _with_exported(model: Flying, exported: bytes, choice: Choice) -> OnnxEngine:
    engine = OnnxEngine(exported, choice.device, fp16=choice.precision == "fp16")
    told = engine.metadata.get("checkpoint_id")
    if told != f"{model.id:08x}":
        raise CheckpointError(
            f"the exported encoder is that of checkpoint {told}, not of {model.id:08x}; export it "
            "again: sc2 export CHECKPOINT --out DIR"
        )
    return engine


_engines: WeakValueDictionary[tuple[int, bytes, Choice], OnnxEngine] = WeakValueDictionary()
"""Of the cameras of this process, which share them; ONNX Runtime lets several threads run one."""
_making = threading.Lock()


def release_gpu() -> None:
    """Give memory that PyTorch, if it is here, no longer uses back to the GPU's other users."""
    if "torch" in sys.modules:
        from sc2_ros.network import devices

        devices.release_gpu()


def _with_onnxruntime(device: str, precision: str) -> Choice:
    there = check_device(device)
    if precision not in ("auto", "fp32") and (there, precision) != ("tensorrt", "fp16"):
        raise ParameterError(
            f"precision {precision} on {there}: ONNX Runtime computes with fp32, on TensorRT with "
            f"fp16, too; other precisions need backend torch, and fp16 a CUDA device"
        )
    return Choice("onnxruntime", there, "fp32" if precision == "auto" else precision)


def _with_torch(device: str, precision: str) -> Choice:
    if find_spec("torch") is None:
        raise ParameterError("backend torch: PyTorch is not installed; pip install torch")
    if device == "tensorrt":
        raise ParameterError("device tensorrt needs backend onnxruntime")
    if device == "cpu" and precision == "fp32":
        return Choice("torch", device, precision)
    from sc2_ros.network import devices

    if device == "auto":
        device = devices.best_device()
    devices.check_device(device, precision)
    return Choice("torch", device, devices.precision_of(device, precision))
