# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where pictures lie on the frame."""

import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.codec.wire import Geometry
from sc2_ros.ground.maps import Window, inside
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline


@pytest.mark.parametrize("origin", [(0, 0), (4, 12), (1, 0), (13, 6), (15, 15)])
def test_a_picture_begins_at_the_frame_s_corner_to_the_pixel(origin):
    """Cells that tell their own place, in pixels, are asked where the frame's cells are."""
    geometry = Geometry((62, 40), (62, 40), origin)
    height, width = (4 * side for side in geometry.latent_shape)
    y, x = 4 * np.indices((height, width), np.float32)

    found = inside(np.stack((x, y)), Window(origin, geometry.encoded_size))

    assert found.shape == (2, 10, 16)
    assert np.allclose(found[0, :, :-1], np.arange(15) * 4 + origin[0])
    assert np.allclose(found[1, :-1], (np.arange(9) * 4 + origin[1])[:, None])


def test_the_pipelines_of_one_network_share_its_engine():
    model = checkpoint.untrained(1)
    first, second = GroundPipeline(model), GroundPipeline(model)
    assert first._reader._engine is second._reader._engine

    first.configure(GroundConfig(precision="bf16", score_threshold=0.5))
    assert first._reader._engine is not second._reader._engine
