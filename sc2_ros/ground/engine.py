# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What runs the ground network: PyTorch (torch_engine.py) or ONNX Runtime.

::

    latent (C, h, w), known (h, w) -> network -> heatmap, box, mask, preview -> maps.py -> Seen
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.ground.maps import Boxes, Window, find_boxes, mask_of, preview_of
from sc2_ros.threads import thread_count

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Image = npt.NDArray[np.uint8]

BACKENDS = ("torch", "onnxruntime")
EXPORTED = "ground.onnx"
"""What `sc2 export` calls the ground network, beside the checkpoint that it writes."""
_INPUTS = {"latent", "received"}
_OUTPUTS = {"heatmap", "box", "mask", "preview"}
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


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


def check_provider(device: str) -> str:
    """ONNX Runtime's name for a device; ParameterError if this installation does not have it."""
    provider = PROVIDERS.get(device)
    if provider not in onnxruntime.get_available_providers():
        raise ParameterError(
            f"device {device!r}: ONNX Runtime {onnxruntime.__version__} does not have it; pip "
            "install onnxruntime-gpu in place of onnxruntime, or use cpu"
        )
    return provider


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
        provider = check_provider(device)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or thread_count()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        providers: list[Any] = [provider, PROVIDERS["cpu"]]
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=list(dict.fromkeys(providers))
            )
        except Exception as error:  # its errors have no common base
            raise CheckpointError(
                f"ONNX Runtime cannot load the exported ground network "
                f"({str(error).splitlines()[0]}); export it again: sc2 export CHECKPOINT --out DIR"
            ) from error
        self._device = device
        found = {given.name for given in self._session.get_inputs()}
        outputs = {output.name for output in self._session.get_outputs()}
        if found != _INPUTS or not outputs >= _OUTPUTS:
            raise CheckpointError(
                f"the exported ground network makes {', '.join(sorted(outputs))} of "
                f"{', '.join(sorted(found))}; export it again: sc2 export CHECKPOINT --out DIR"
            )

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
