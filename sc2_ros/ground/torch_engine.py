# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground network on PyTorch: CPU or GPU, fp32, bf16 or fp16.

The weights are brought to the precision once. On a GPU only boxes, mask and preview leave it.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from sc2_ros.ground.engine import Flags, Floats, Seen, Wanted, read
from sc2_ros.ground.maps import CELL, PREVIEW_CELL, Boxes, Window
from sc2_ros.network import winograd
from sc2_ros.network.decode import decode_detections
from sc2_ros.network.devices import PRECISIONS, check_device, precision_of


class TorchGroundEngine:
    """Runs a checkpoint's ground network with PyTorch; see `engine.GroundEngine`."""

    def __init__(self, network: nn.Module, device: str = "cpu", precision: str = "auto") -> None:
        """Copy the network to the device.

        Raises:
            ParameterError: this machine does not have the device, or it not the precision.
        """
        check_device(device, precision)
        self._precision = precision_of(device, precision)
        self._device = torch.device(device)
        self._dtype = PRECISIONS[self._precision]
        moved = copy.deepcopy(network).to(self._device, self._dtype).eval().requires_grad_(False)
        self._winograd = winograd.pays(self._device, self._dtype)
        if self._winograd:
            self._network = winograd.use(moved)
        else:
            self._network = moved.to(memory_format=torch.channels_last)

    @property
    def name(self) -> str:
        """Runtime, device and precision."""
        name = f"PyTorch {torch.__version__} on {self._device}, {self._precision}"
        return name + ", Winograd" * self._winograd

    @torch.inference_mode()
    def run(self, latent: Floats, known: Flags, window: Window, wanted: Wanted) -> Seen:
        """As `GroundEngine.run`."""
        inputs = (torch.from_numpy(latent)[None], torch.from_numpy(known)[None, None])
        on_device = (given.to(self._device, self._dtype) for given in inputs)
        maps: dict[str, Tensor] = self._network(
            *on_device, mask=wanted.mask, preview=wanted.preview
        )
        if self._device.type == "cpu":
            arrays = {name: values[0].float().numpy() for name, values in maps.items()}
            return read(
                arrays["heatmap"], arrays["box"], arrays.get("mask"), arrays.get("preview"),
                window, wanted,
            )  # fmt: skip
        return _read_on_device(maps, window, wanted)


def _read_on_device(maps: dict[str, Tensor], window: Window, wanted: Wanted) -> Seen:
    """What `engine.read` does, before anything leaves the GPU."""
    heatmap = maps["heatmap"][0].float()
    if wanted.classes is not None:
        others = torch.from_numpy(~wanted.classes).to(heatmap.device)
        heatmap = heatmap.masked_fill(others[:, None, None], -torch.inf)
    found = decode_detections(
        heatmap,
        maps["box"][0],
        size=(window.origin[0] + window.size[0], window.origin[1] + window.size[1]),
        score_threshold=wanted.score_threshold,
        nms_iou=wanted.nms_iou,
        max_detections=wanted.max_detections,
    )
    mask = preview = None
    if wanted.mask:
        mask = _inside(maps["mask"][0], window).argmax(0).to(torch.uint8).cpu().numpy()
    if wanted.preview:
        colours = _inside(maps["preview"][0].float(), window, PREVIEW_CELL).clamp(0, 1)
        pixels = (colours * 255).round().to(torch.uint8).permute(1, 2, 0)
        preview = np.ascontiguousarray(pixels.cpu().numpy())
    boxes = Boxes(found.boxes.numpy(), found.scores.numpy(), found.labels.numpy())
    return Seen(boxes, mask, preview)


def _inside(picture: Tensor, window: Window, pixels: int = CELL) -> Tensor:
    """`maps.inside` on the device."""
    for axis, (start, side) in enumerate(
        zip(window.origin[::-1], window.size[::-1], strict=True), 1
    ):
        cell, part = divmod(start, pixels)
        count = -(-side // pixels)
        here = picture.narrow(axis, cell, count)
        if part:
            last = picture.shape[axis] - 1
            following = torch.arange(cell + 1, cell + 1 + count, device=picture.device)
            beside = picture.index_select(axis, following.clamp_(max=last))
            here = torch.lerp(here, beside, part / pixels)
        picture = here
    return picture
