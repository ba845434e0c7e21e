# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is drawn is where it should be, and nothing else is touched."""

import numpy as np
import pytest

from sc2_ros.media import overlay

NO_BOXES = (np.zeros((0, 4), np.float32), np.zeros(0, int), np.zeros(0, np.float32))
CLASSES = ("person", "car")
MASK_CLASSES = ("road", "building", "other")


def annotate(image: np.ndarray, boxes: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    labels, scores = np.ones(len(boxes), int), np.full(len(boxes), 0.9, np.float32)
    return overlay.annotate(image, boxes, labels, scores, mask, CLASSES, MASK_CLASSES)


@pytest.mark.parametrize("shape", [(120, 160), (120, 160, 3)])
def test_box_is_on_its_edge_and_the_input_is_left_alone(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 50, np.uint8)
    drawn = annotate(image, np.array([[40, 60, 90, 100]], np.float32))
    assert (image == 50).all()
    assert drawn.shape == (120, 160, 3)
    assert tuple(drawn[80, 40]) == overlay.BOX_COLOURS["car"]
    assert tuple(drawn[100, 65]) == overlay.BOX_COLOURS["car"]
    assert (drawn[65:95, 45:85] == 50).all()
    assert (drawn[:40] == 50).all()


def test_nothing_found_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    drawn = overlay.annotate(image, *NO_BOXES, None, CLASSES, MASK_CLASSES)
    assert (drawn == image).all()


@pytest.mark.parametrize("box", [[-50, -50, 10, 10], [150, 110, 900, 900], [5, 5, 5, 5]])
def test_boxes_beyond_the_edge(box: list[float]) -> None:
    drawn = annotate(np.zeros((120, 160, 3), np.uint8), np.array([box], np.float32))
    assert drawn.shape == (120, 160, 3)
    assert drawn.any()


def test_mask_is_spread_over_the_image_and_tints_only_what_has_a_colour() -> None:
    image = np.full((80, 80, 3), 100, np.uint8)
    mask = np.full((20, 20), MASK_CLASSES.index("other"), np.uint8)
    mask[:, :7] = MASK_CLASSES.index("road")
    mask[:, 13:] = 255
    drawn = annotate(image, NO_BOXES[0], mask)
    road = np.array(overlay.MASK_COLOURS["road"])
    assert np.abs(drawn[40, 5] - (0.6 * 100 + 0.4 * road)).max() <= 2
    assert (drawn[40, 40] == 100).all()
    assert (drawn[40, 75] == 100).all()


@pytest.mark.parametrize("width", [64, 320, 1284, 3840])
def test_status_bar_fits_any_width(width: int) -> None:
    items = [("frames/s", "29.9"), ("bytes/frame", "1,420"), ("kbit/s", "340 of 500"),
             ("loss", "2.1 %"), ("latency", "83 ms"), ("objects", "12")]  # fmt: skip
    bar = overlay.status_bar(width, items)
    assert bar.shape[1] == width
    assert bar.shape[0] % 2 == 0
    assert (bar != overlay.BAR_COLOUR).any()
    if width >= 320:
        assert (bar[:, -2:] == overlay.BAR_COLOUR).all(), "text runs over the edge"


def test_fit_keeps_the_shape() -> None:
    image = np.full((50, 100, 3), 200, np.uint8)
    fitted = overlay.fit(image, (80, 80))
    assert fitted.shape == (80, 80, 3)
    rows = (fitted == 200).all(axis=(1, 2))
    assert rows.sum() == 40
    assert rows[20:60].all()
