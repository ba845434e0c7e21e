# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The honest alternative to splitting: a network so light that all of it may fly."""

import itertools

from torch import Tensor, nn

from sc2_ros.network.encoder import INPUT_SCALE, INPUT_SHIFT, OnboardEncoder
from sc2_ros.network.heads import DetectionHead
from sc2_ros.network.layers import DepthwiseResidual, PixelShuffleUp, conv_bn_relu, fold_batch_norm


class LightDetector(nn.Module):
    """Boxes and a mask on the drone itself, from the onboard encoder's own layers.

    ::

        image --stem, stride 4--+--stride 8--+--stride 16 (B, 128, H/16, W/16)
                                |            |      | pixel shuffle
                                |            +--1x1-+ depthwise blocks   (B, 64, H/8, W/8)
                                |                   | pixel shuffle
                                +--1x1--------------+ depthwise block    (B, 32, H/4, W/4)
                                                    +-- detection: heatmap, box
                                                    +-- 1x1: mask
    """

    def __init__(
        self,
        detection_classes: int = 4,
        mask_classes: int = 6,
        widths: tuple[int, int, int] = (32, 64, 128),
        depths: tuple[int, int, int] = (1, 2, 3),
    ) -> None:
        """widths, depths: channels and blocks at strides 4, 8, 16, as in OnboardEncoder."""
        super().__init__()
        body = OnboardEncoder(1, widths, depths).body
        cuts = (0, 1 + depths[0], 2 + depths[0] + depths[1], len(body))
        self.stages = nn.ModuleList(body[start:stop] for start, stop in itertools.pairwise(cuts))
        self.up8 = PixelShuffleUp(widths[2], widths[1])
        self.skip8 = conv_bn_relu(widths[1], widths[1], 1)
        self.mix8 = nn.Sequential(*(DepthwiseResidual(widths[1]) for _ in range(2)))
        self.up4 = PixelShuffleUp(widths[1], widths[0])
        self.skip4 = conv_bn_relu(widths[0], widths[0], 1)
        self.mix4 = DepthwiseResidual(widths[0])
        self.detection = DetectionHead(widths[0], detection_classes, widths[0])
        self.mask = nn.Conv2d(widths[0], mask_classes, 1)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Image (B, 3, H, W) in [0, 1], sides multiples of 16 -> `heatmap`, `box`, `mask`.

        Shapes and units are those of GroundNetwork.
        """
        x4 = self.stages[0](image * INPUT_SCALE + INPUT_SHIFT)
        x8 = self.stages[1](x4)
        x16 = self.stages[2](x8)
        x8 = self.mix8(self.up8(x16) + self.skip8(x8))
        x4 = self.mix4(self.up4(x8) + self.skip4(x4))
        heatmap, box = self.detection(x4)
        return {"heatmap": heatmap, "box": box, "mask": self.mask(x4)}

    def start_from(self, encoder: OnboardEncoder) -> None:
        """Take over the layers of a trained encoder, batch norms not folded."""
        layers = dict(encoder.body.named_children())
        for stage in self.stages:
            assert isinstance(stage, nn.Sequential)
            for name, layer in stage.named_children():
                layer.load_state_dict(layers[name].state_dict())

    def fold(self) -> None:
        """Fold batch norms into convolutions; inference only."""
        fold_batch_norm(self)
