# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where pictures lie on the frame."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sc2_ros.codec.wire import Geometry
from sc2_ros.ground.results import _inside


@pytest.mark.parametrize("origin", [(0, 0), (4, 12), (1, 0), (13, 6), (15, 15)])
def test_a_picture_begins_at_the_frame_s_corner_to_the_pixel(origin):
    """Cells that tell their own place, in pixels, are asked where the frame's cells are."""
    geometry = Geometry((62, 40), (62, 40), origin)
    height, width = (4 * side for side in geometry.latent_shape)
    y, x = torch.meshgrid(torch.arange(height) * 4.0, torch.arange(width) * 4.0, indexing="ij")
    frame = SimpleNamespace(geometry=geometry, encoded_size=geometry.encoded_size)

    found = _inside(torch.stack((x, y)), frame).numpy()

    assert found.shape == (2, 10, 16)
    assert np.allclose(found[0, :, :-1], np.arange(15) * 4 + origin[0])
    assert np.allclose(found[1, :-1], (np.arange(9) * 4 + origin[1])[:, None])
