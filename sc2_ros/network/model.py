# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground network as a whole."""

from torch import Tensor, nn

from sc2_ros.network.backbone import GroundBackbone
from sc2_ros.network.heads import DetectionHead, PreviewHead, SegmentationHead


class GroundNetwork(nn.Module):
    """Received latents -> detections, segmentation and preview.

    ::

        latent, received --> backbone --+-- stride 4 --> detection: heatmap, box
                         |              +-- all strides --> segmentation: mask
                         +--> preview, with features of strides 8 and 4
    """

    def __init__(
        self,
        channels: int = 64,
        detection_classes: int = 4,
        mask_classes: int = 6,
        widths: tuple[int, int, int] = (128, 96, 64),
        depths: tuple[int, int, int] = (3, 2, 1),
        *,
        semantics: bool = False,
    ) -> None:
        """channels: latent channels C; widths, depths, semantics: see GroundBackbone."""
        super().__init__()
        self.backbone = GroundBackbone(channels, widths, depths, semantics=semantics)
        self.detection = DetectionHead(widths[2], detection_classes)
        self.segmentation = SegmentationHead(widths, mask_classes)
        self.preview = PreviewHead(channels, widths[1:])

    def forward(
        self,
        latent: Tensor,
        received: Tensor,
        *,
        detection: bool = True,
        mask: bool = True,
        preview: bool = True,
        masked: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Latent (B, C, h, w), received (B, 1, h, w) in {0, 1} -> dict of tensors.

        detection: `heatmap` (B, classes, 4h, 4w) logits and `box` (B, 4, 4h, 4w) left, top,
        right, bottom distances in px from the cell's centre ((x + 0.5) * 4); mask: `mask`
        (B, classes, 4h, 4w) logits, of the images that `masked` (M,) numbers only, where it is
        given; preview: `preview` (B, 3, 8h, 8w) in [0, 1]. In training also `imitated`
        and `understood`, where the backbone has semantics: (B, 40, 2h, 2w), (B, 112, h, w).
        """
        x16, x8, x4, imitated = self.backbone.features(latent, received)
        result = {}
        if self.training and imitated:
            result["imitated"], result["understood"] = imitated
        if detection:
            result["heatmap"], result["box"] = self.detection(x4)
        if mask:
            features = (x16, x8, x4)
            if masked is not None:
                features = (x16[masked], x8[masked], x4[masked])
            result["mask"] = self.segmentation(*features)
        if preview:
            result["preview"] = self.preview(latent, received, x8, x4)
        return result
