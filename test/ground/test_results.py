# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where pictures lie on the frame."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sc2_ros import checkpoint
from sc2_ros.codec.wire import Geometry
from sc2_ros.ground.maps import Window, find_boxes, inside
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.ground.results import _in_camera


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


@settings(max_examples=200, deadline=None)
@example(seed=0, source=(36, 36), encoded=(35, 35), origin=(0, 0), reach=1e6)
@given(
    seed=st.integers(0, 2**32 - 1),
    source=st.tuples(st.integers(32, 4096), st.integers(32, 4096)),
    encoded=st.tuples(st.integers(32, 200), st.integers(32, 200)),
    origin=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    reach=st.sampled_from([-5.0, 0.0, 1e-7, 3.0, 30.0, 1e6, np.inf]),
)
def test_boxes_lie_in_the_picture_are_finite_and_never_empty(seed, source, encoded, origin, reach):
    """Whatever the network says: objects on all edges, in the padding, of no size, NaN."""
    random = np.random.default_rng(seed)
    geometry = Geometry(source, encoded, origin)
    shape = tuple(4 * side for side in geometry.latent_shape)
    heatmap = random.normal(0, 4, (3, *shape)).astype(np.float32)
    box = np.full((4, *shape), reach, np.float32)
    box[random.random(box.shape) < 0.1] = np.nan
    size = (origin[0] + encoded[0], origin[1] + encoded[1])
    with np.errstate(invalid="ignore"):
        found = find_boxes(heatmap, box, size, score_threshold=0.3, nms_iou=0.6, max_detections=100)
        seen = SimpleNamespace(boxes=found)
        frame = SimpleNamespace(geometry=geometry, source_size=source, encoded_size=encoded)
        boxes = _in_camera(seen, frame).boxes

    assert len(boxes) > 0 or reach < 1 or not len(found.boxes)
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert (boxes >= 0).all()
    assert (boxes <= np.array(source * 2, np.float32)).all()


def test_the_pipelines_of_one_network_share_its_engine():
    model = checkpoint.untrained(1)
    first, second = GroundPipeline(model), GroundPipeline(model)
    assert first._reader._engine is second._reader._engine

    first.configure(GroundConfig(precision="bf16", score_threshold=0.5))
    assert first._reader._engine is not second._reader._engine
