# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A frame's latent to boxes, mask and preview.

::

    latent (C, h, w), received (h, w) -> engine (engine.py) -> boxes in the camera's pixels
                                                            -> mask (H/4, W/4), preview (H/2, W/2)
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from torch import nn

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.ground.assembler import AssembledFrame
from sc2_ros.ground.config import GroundConfig
from sc2_ros.ground.engine import GroundEngine, OnnxGroundEngine, Seen, Wanted, warm_up
from sc2_ros.ground.maps import Boxes, Window
from sc2_ros.ground.torch_engine import TorchGroundEngine
from sc2_ros.network.devices import precision_of

_LIKELY_SIZE = 640, 512
"""Width and height for which the engine is warmed up."""

_engines: WeakKeyDictionary[nn.Module, tuple[tuple[str, ...], GroundEngine]] = WeakKeyDictionary()
"""Of each network, its backend, device and precision, and the engine that many drones share."""


@dataclass(frozen=True, eq=False)
class Reading:
    """Detections in pixels of the camera's image, mask (h4, w4) and preview (h2, w2, 3), uint8."""

    boxes: Boxes
    mask: npt.NDArray[np.uint8] | None
    preview: npt.NDArray[np.uint8] | None


class FrameReader:
    """Runs the ground network and brings what it sees to the camera's image."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """checkpoint: loaded, its network folded."""
        self._checkpoint = checkpoint
        self._classes = tuple(checkpoint.card["detection_classes"])
        self._engine: GroundEngine | None = None
        self._wanted = Wanted()

    def configure(self, config: GroundConfig) -> None:
        """Take a configuration, which is valid, for the frames to come."""
        self._engine = _engine_of(self._checkpoint, config)
        wanted = [not config.classes or name in config.classes for name in self._classes]
        self._wanted = Wanted(
            score_threshold=config.score_threshold,
            nms_iou=config.nms_iou,
            max_detections=config.max_detections,
            classes=None if all(wanted) else np.array(wanted),
            mask=config.mask,
            preview=config.preview,
        )

    def run(self, frame: AssembledFrame) -> Reading:
        """What the network sees in a frame."""
        assert self._engine is not None
        known = frame.received | frame.concealed
        window = Window(frame.geometry.origin, frame.encoded_size)
        seen = self._engine.run(frame.latent, known, window, self._wanted)
        return Reading(_in_camera(seen, frame), seen.mask, seen.preview)


def _in_camera(seen: Seen, frame: AssembledFrame) -> Boxes:
    """Boxes from pixels of the latent's grid to pixels of the camera's image."""
    found = seen.boxes
    boxes = np.maximum(found.boxes - np.array((*frame.geometry.origin,) * 2, np.float32), 0)
    # What lay wholly beside the picture, on its repeated edge, is nothing.
    inside = (boxes[:, 2:] > boxes[:, :2]).all(1)
    scale = np.divide(frame.source_size, frame.encoded_size)
    boxes = boxes[inside] * np.array((*scale, *scale), np.float32)
    np.minimum(boxes, np.array((*frame.source_size,) * 2, np.float32), out=boxes)  # rounding
    return Boxes(boxes, found.scores[inside], found.labels[inside])


def _engine_of(checkpoint: Checkpoint, config: GroundConfig) -> GroundEngine:
    """The engine of a checkpoint's network, its weights converted once."""
    network, wanted = checkpoint.ground, (config.backend, config.device, config.precision)
    known, engine = _engines.get(network, (None, None))
    if engine is None or known != wanted:
        if config.backend == "torch":
            precision = precision_of(config.device, config.precision)
            engine = TorchGroundEngine(network, config.device, precision)
        else:
            engine = OnnxGroundEngine.beside(checkpoint.path, checkpoint.id, config.device)
        warm_up(engine, checkpoint.tables.channels, _LIKELY_SIZE)
        _engines[network] = wanted, engine
    return engine
