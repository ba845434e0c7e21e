# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Layers that are written another way than torch has them say the same."""

import pytest
import torch
from torch import nn

from sc2_ros.network.layers import StridedPointwise


@pytest.mark.parametrize("size", [(8, 8), (7, 5)])
def test_strided_pointwise_is_a_1x1_convolution_of_stride_2(size):
    ours = StridedPointwise(6, 9)
    theirs = nn.Conv2d(6, 9, 1, 2)
    theirs.load_state_dict(ours.state_dict())
    images = [torch.rand(2, 6, *size, requires_grad=True) for _ in range(2)]
    images[1].data.copy_(images[0].data)
    answers = [layer(image) for layer, image in zip((ours, theirs), images, strict=True)]
    for answer in answers:
        answer.square().sum().backward()

    torch.testing.assert_close(answers[0], answers[1])
    torch.testing.assert_close(images[0].grad, images[1].grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)


def test_its_backward_stays_in_its_memory_where_channels_are_few():
    """With nn.Conv2d(7, 9, 1, 2) this ends the process, or gives other gradients, with AVX2."""
    layer = StridedPointwise(7, 9, bias=False).to(memory_format=torch.channels_last)
    image = torch.rand(4, 7, 80, 80).contiguous(memory_format=torch.channels_last)
    for _ in range(3):
        layer.weight.grad = None
        layer(image).sum().backward()
    wanted = image[..., ::2, ::2].sum((0, 2, 3))
    torch.testing.assert_close(
        layer.weight.grad.flatten(1), wanted.expand(9, 7), rtol=1e-4, atol=1e-3
    )
