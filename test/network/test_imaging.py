# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera images to network inputs."""

import numpy as np
import pytest
import torch

from sc2_ros.errors import InputError
from sc2_ros.network import imaging

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (1, 1), (480, 640)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_tensor_has_the_image_and_its_repeated_edges(size, channels):
    image = RNG.integers(0, 256, size + channels, dtype=np.uint8)
    tensor = imaging.to_tensor(image)
    height, width = tensor.shape[2:]
    assert (height % 16, width % 16) == (0, 0)
    assert 0 <= height - size[0] < 16
    assert 0 <= width - size[1] < 16
    expected = torch.from_numpy(image).float() / 255
    expected = expected.permute(2, 0, 1) if channels else expected.expand(3, *size)
    torch.testing.assert_close(tensor[0, :, : size[0], : size[1]], expected)
    torch.testing.assert_close(
        tensor[0, :, size[0] :, : size[1]], expected[:, -1:].expand(3, height - size[0], -1)
    )
    assert tensor.is_contiguous(memory_format=torch.channels_last)


def test_the_camera_image_is_neither_changed_nor_required_to_be_writable():
    image = RNG.integers(0, 256, (32, 48, 3), dtype=np.uint8)
    kept = image.copy()
    image.flags.writeable = False
    torch.testing.assert_close(imaging.to_tensor(image), imaging.to_tensor(kept))
    torch.testing.assert_close(imaging.to_tensor(image[::-1]), imaging.to_tensor(kept[::-1].copy()))
    np.testing.assert_array_equal(image, kept)


@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("target", [(20, 10), (200, 120), (100, 60)])
def test_resize_keeps_the_mean_and_the_channels(channels, target):
    ramp = np.linspace(0, 250, 100)[None, :].repeat(60, 0)
    image = (np.repeat(ramp[..., None], 3, 2) if channels else ramp).astype(np.uint8)
    small = imaging.resize(image, *target)
    assert small.shape == (target[1], target[0], *channels)
    assert small.mean() == pytest.approx(image.mean(), abs=1)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
    ],
)
def test_what_is_no_image_is_one_error(image):
    with pytest.raises(InputError, match="expected uint8"):
        imaging.check_image(image)
