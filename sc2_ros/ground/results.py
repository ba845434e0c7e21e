# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A frame's latent to boxes, mask and preview.

::

    latent (C, h, w), received (h, w) -> ground network -> boxes in the camera's pixels
                                                        -> mask, preview (H/4, W/4)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sc2_ros.ground.assembler import AssembledFrame
from sc2_ros.ground.config import GroundConfig
from sc2_ros.network.decode import Detections, decode_detections
from sc2_ros.network.devices import autocast
from sc2_ros.network.heads import CELL


class FrameReader:
    """Runs the ground network and reads its output."""

    def __init__(self, network: nn.Module, detection_classes: tuple[str, ...]) -> None:
        self._network = network
        self._classes = detection_classes
        self._config = GroundConfig()
        self._device = ""

    def configure(self, config: GroundConfig) -> None:
        """Take a configuration, which is valid, for the frames to come."""
        self._config = config
        if self._device != config.device:
            self._network = self._network.to(config.device).to(memory_format=torch.channels_last)
            self._device = config.device

    def run(self, frame: AssembledFrame) -> dict[str, Tensor]:
        """The network's output of a frame, on the network's device."""
        config = self._config
        latent = torch.from_numpy(frame.latent)[None].to(config.device)
        received = torch.from_numpy(frame.received | frame.concealed)[None, None].to(
            config.device, torch.float32
        )
        with autocast(config.device, config.precision):
            output: dict[str, Tensor] = self._network(
                latent, received, mask=config.mask, preview=config.preview
            )
        if config.device != "cpu":
            torch.cuda.synchronize(config.device)
        return output

    def boxes(self, output: dict[str, Tensor], frame: AssembledFrame) -> Detections:
        """Detections, boxes in pixels of the camera's image, on the CPU."""
        config = self._config
        heatmap = output["heatmap"][0]
        if config.classes:
            wanted = [name in config.classes for name in self._classes]
            heatmap = heatmap.clone()
            heatmap[~torch.tensor(wanted, device=heatmap.device)] = -torch.inf
        origin = frame.geometry.origin
        grid_size = (origin[0] + frame.encoded_size[0], origin[1] + frame.encoded_size[1])
        found = decode_detections(
            heatmap,
            output["box"][0],
            size=grid_size,
            score_threshold=config.score_threshold,
            nms_iou=config.nms_iou,
            max_detections=config.max_detections,
        )
        boxes = found.boxes.cpu() - torch.tensor([*origin, *origin], dtype=torch.float32)
        boxes.clamp_(min=0)
        # What lay wholly beside the picture, on its repeated edge, is nothing.
        inside = (boxes[:, 2:] > boxes[:, :2]).all(1)
        scale = np.divide(frame.source_size, frame.encoded_size)
        boxes = boxes[inside] * torch.tensor([*scale, *scale], dtype=torch.float32)
        return Detections(boxes, found.scores.cpu()[inside], found.labels.cpu()[inside])

    def pictures(
        self, output: dict[str, Tensor], frame: AssembledFrame
    ) -> tuple[npt.NDArray[np.uint8] | None, npt.NDArray[np.uint8] | None]:
        """Mask (h4, w4) and preview (h4, w4, 3), uint8, without the padding."""
        mask = preview = None
        if self._config.mask:
            classes = _inside(output["mask"][0], frame).argmax(0)
            mask = classes.to(torch.uint8).cpu().numpy()
        if self._config.preview:
            colours = _inside(output["preview"][0], frame).float().clamp(0, 1)
            pixels = (colours * 255).round().to(torch.uint8).permute(1, 2, 0)
            preview = pixels.cpu().contiguous().numpy()
        return mask, preview


def _inside(picture: Tensor, frame: AssembledFrame) -> Tensor:
    """What lies on the frame of a (K, H', W') output in cells: (K, h4, w4).

    Where the frame's corner lies inside of a cell, each of its cells is mixed from those it covers.
    """
    for axis, (start, side) in enumerate(
        zip(frame.geometry.origin[::-1], frame.encoded_size[::-1], strict=True), 1
    ):
        cell, part = divmod(start, CELL)
        count = -(-side // CELL)
        here = picture.narrow(axis, cell, count)
        if part:
            last = picture.shape[axis] - 1
            following = torch.arange(cell + 1, cell + 1 + count, device=picture.device)
            beside = picture.index_select(axis, following.clamp_(max=last))
            here = torch.lerp(here, beside, part / CELL)
        picture = here
    return picture
