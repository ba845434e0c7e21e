# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random views of a sample: boxes stay on their objects, colours change as asked."""

import numpy as np
import pytest

from sc2_ros.data import Sample
from sc2_ros.training.augment import AugmentConfig, augment

PLAIN = {"crop": 96, "scale_min": 1.0, "scale_max": 1.0, "light": 0.0, "invert": 0.0}


def _sample(colour: tuple[int, int, int] = (200, 200, 200)) -> Sample:
    image = np.zeros((96, 96, 3), np.uint8)
    image[20:30, 40:70] = colour
    return Sample(image, "x", np.array([[40, 20, 70, 30]], np.float32), np.array([1]))


@pytest.mark.parametrize(("turn", "flip"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_boxes_stay_on_their_objects(turn: float, flip: float) -> None:
    config = AugmentConfig(**PLAIN, turn=turn, vertical_flip=flip)
    seen = set()
    for seed in range(6):
        view = augment(_sample(), config, np.random.default_rng(seed))
        rows, columns = np.nonzero(view.image[..., 0] > 100)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert view.boxes.tolist() == [list(box)]
        assert (box[2] - box[0], box[3] - box[1]) == ((10, 30) if turn else (30, 10))
        seen.add(box)
    assert len(seen) == 2  # mirrored left to right, or not


def test_colours_change_as_far_as_asked_and_grey_pictures_stay_grey() -> None:
    config = AugmentConfig(**PLAIN, colour=0.1)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        red = augment(_sample((200, 0, 0)), config, rng).image.reshape(-1, 3).max(0)
        grey = augment(_sample(), config, rng).image
        assert 200 * 0.7 < red[0] <= 255
        assert max(red[1:]) < 40
        assert (grey == grey[..., :1]).all()
    none = augment(_sample((200, 0, 0)), AugmentConfig(**PLAIN, grey=1.0), rng).image
    assert (none == none[..., :1]).all()
    assert 40 < none.max() < 80  # red is 0.3 of the luma
