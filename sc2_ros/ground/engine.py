# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What runs the ground network: PyTorch (torch_engine.py) or ONNX Runtime.

::

    latent (C, h, w), known (h, w) -> network -> heatmap, box, mask, preview -> maps.py -> Seen
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.ground.maps import Boxes, Window, find_boxes, mask_of, preview_of
from sc2_ros.onnx_session import check_there, open_session

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Image = npt.NDArray[np.uint8]

BACKENDS = ("torch", "onnxruntime")
EXPORTED = "ground.onnx"
"""What `sc2 export` calls the ground network, beside the checkpoint that it writes."""
_INPUTS = {"latent", "received"}
_OUTPUTS = {"heatmap", "box", "mask", "preview"}
DEVICES = ("cpu", "cuda")
"""Of backend onnxruntime."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is to be read from the network's maps.

    Attributes:
        score_threshold: lowest score of a detection.
        nms_iou: of two boxes of one class that overlap by more, the weaker goes.
        max_detections: at most so many.
        classes: (K,) bool; None: all.
        mask: whether a mask is wanted.
        preview: whether a preview is wanted.
    """

    score_threshold: float = 0.3
    nms_iou: float = 0.6
    max_detections: int = 200
    classes: Flags | None = None
    mask: bool = True
    preview: bool = True


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network sees in a frame: boxes in pixels of the latent's grid, mask and preview."""

    boxes: Boxes
    mask: Image | None
    preview: Image | None


class GroundEngine(Protocol):
    """Runs the ground network; used by one thread at a time."""

    @property
    def name(self) -> str:
        """Runtime, device and precision, for people."""

    def run(self, latent: Floats, known: Flags, window: Window, wanted: Wanted) -> Seen:
        """Run a latent (C, h, w), of which the positions `known` (h, w) are there."""


def check_onnx_device(device: str) -> None:
    """ParameterError if backend onnxruntime does not know the device, or this installation."""
    if device not in DEVICES:
        raise ParameterError(f"device {device!r} is unknown; use {', '.join(DEVICES)}")
    check_there(device)


def warm_up(engine: GroundEngine, channels: int, size: tuple[int, int]) -> None:
    """Run an empty frame of size (width, height), so that the first real one is no slower."""
    height, width = -(-size[1] // 16), -(-size[0] // 16)
    latent = np.zeros((channels, height, width), np.float32)
    engine.run(latent, np.ones((height, width), np.bool_), Window((0, 0), size), Wanted())


def read(
    heatmap: Floats, box: Floats, mask: Floats | None, preview: Floats | None, window: Window,
    wanted: Wanted,
) -> Seen:  # fmt: skip
    """Read the maps of one frame."""
    size = (window.origin[0] + window.size[0], window.origin[1] + window.size[1])
    boxes = find_boxes(
        heatmap, box, size,
        score_threshold=wanted.score_threshold,
        nms_iou=wanted.nms_iou,
        max_detections=wanted.max_detections,
        classes=wanted.classes,
    )  # fmt: skip
    return Seen(
        boxes,
        mask_of(mask, window) if mask is not None and wanted.mask else None,
        preview_of(preview, window) if preview is not None and wanted.preview else None,
    )


class OnnxGroundEngine:
    """Runs an exported ground network (`sc2 export`) with ONNX Runtime."""

    def __init__(self, model: bytes, device: str = "cpu", *, threads: int = 0) -> None:
        """Load the graph.

        Raises:
            ParameterError: this installation of ONNX Runtime does not have the device.
            CheckpointError: ONNX Runtime cannot read the graph, or it is not that of the ground.
        """
        check_onnx_device(device)
        self._session = open_session(
            model,
            device,
            part="ground network",
            inputs=_INPUTS,
            outputs=_OUTPUTS,
            threads=threads,
            settings={"session.intra_op.allow_spinning": "0"},
        )
        self._device = device

    @classmethod
    def beside(cls, checkpoint: Path | None, checkpoint_id: int, device: str) -> OnnxGroundEngine:
        """The engine of the ground.onnx that lies beside a checkpoint's file.

        Raises:
            ParameterError: this installation of ONNX Runtime does not have the device.
            CheckpointError: there is no such file, or it is that of another checkpoint.
        """
        path = None if checkpoint is None else checkpoint.with_name(EXPORTED)
        if path is None or not path.is_file():
            raise CheckpointError(
                f"backend onnxruntime: there is no {path or EXPORTED}; run `sc2 export CHECKPOINT "
                "--out DIR` and use the checkpoint that it writes, or backend torch"
            )
        engine = cls(path.read_bytes(), device)
        of = engine._session.get_modelmeta().custom_metadata_map.get("checkpoint_id")
        if of != f"{checkpoint_id:08x}":
            raise CheckpointError(
                f"{path} is that of checkpoint {of}, not of {checkpoint_id:08x}; export it again: "
                "sc2 export CHECKPOINT --out DIR"
            )
        return engine

    @property
    def name(self) -> str:
        """Runtime and device."""
        return f"ONNX Runtime {onnxruntime.__version__} on {self._device}"

    def run(self, latent: Floats, known: Flags, window: Window, wanted: Wanted) -> Seen:
        """As `GroundEngine.run`."""
        inputs = {"latent": latent[None], "received": known[None, None].astype(np.float32)}
        names = ["heatmap", "box"] + ["mask"] * wanted.mask + ["preview"] * wanted.preview
        found = dict(zip(names, self._session.run(names, inputs), strict=True))
        return read(
            found["heatmap"][0],
            found["box"][0],
            found["mask"][0] if wanted.mask else None,
            found["preview"][0] if wanted.preview else None,
            window,
            wanted,
        )
