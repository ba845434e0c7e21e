# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The onboard encoder: the only network that flies."""

from torch import Tensor, nn

from sc2_ros.network.layers import DepthwiseResidual, conv_bn_relu, fold_batch_norm

STRIDE = 16
INPUT_SCALE, INPUT_SHIFT = 4.0, -2.0


class OnboardEncoder(nn.Module):
    """Analysis transform, small enough for an embedded CPU.

    ::

        image (B, 3, H, W)
          | 4x4/4 patches, 1 depthwise block     (B, 32, H/4,  W/4)
          | 2x2/2 patches, 2 depthwise blocks    (B, 64, H/8,  W/8)
          | 2x2/2 patches, 3 depthwise blocks    (B, 128, H/16, W/16)
          | 1x1                                  (B, C, H/16, W/16)  the latent
    """

    def __init__(
        self,
        channels: int = 64,
        widths: tuple[int, int, int] = (32, 64, 128),
        depths: tuple[int, int, int] = (1, 2, 3),
    ) -> None:
        """channels: latent channels C; widths, depths: channels and blocks at strides 4, 8, 16."""
        super().__init__()
        self._spread = True
        layers: list[nn.Module] = []
        cin = 3
        for patch, width, depth in zip((4, 2, 2), widths, depths, strict=True):
            layers.append(conv_bn_relu(cin, width, patch, patch))
            layers.extend(DepthwiseResidual(width) for _ in range(depth))
            cin = width
        self.body = nn.Sequential(*layers)
        self.project = nn.Conv2d(cin, channels, 1)
        # Latents of about unit spread from the first step on; else they all round to zero.
        nn.init.normal_(self.project.weight, std=(1.0 / cin) ** 0.5)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> latent (B, C, H/16, W/16); H and W multiples of 16."""
        if self._spread:
            image = image * INPUT_SCALE + INPUT_SHIFT
        return self.project(self.body(image))

    def fold(self) -> None:
        """Fold batch norms and the spread of the input into the convolutions; inference only.

        Spreading [0, 1] over [-2, 2] would take as long as two of the nine blocks (1.2 ms of 6.7
        at 640x512). The first convolution has no padding, so its weights can do it exactly.
        """
        fold_batch_norm(self)
        first = next(module for module in self.modules() if isinstance(module, nn.Conv2d))
        if self._spread and first.bias is not None:
            first.bias.data += INPUT_SHIFT * first.weight.data.sum((1, 2, 3))
            first.weight.data *= INPUT_SCALE
            self._spread = False
