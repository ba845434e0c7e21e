# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mask, coloured mask and preview at the sizes that are promised."""

import numpy as np
import pytest

from sc2_ros.ground.pipeline import FrameResult
from sc2_ros.media.overlay import MASK_COLOURS
from sc2_ros.media.pictures import for_eyes, mask_colour_picture, mask_picture, preview_picture
from sc2_ros.nodes.results import frame_info_message

MASK_CLASSES = tuple(MASK_COLOURS)


def result(source_size, boxes=(), received=6):
    mask = np.zeros((32, 40), np.uint8)
    mask[:, 20:] = 3
    return FrameResult(
        stream=2,
        frame=17,
        stamp_ns=5_000_000_007,
        frame_id="cam",
        source_size=source_size,
        rate_index=0.25,
        size_bytes=4321,
        packets_expected=6,
        packets_received=received,
        packets_repaired=0,
        share_repaired=0.0,
        share_concealed=0.0,
        share_received=received / 6,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.full(len(boxes), 0.9, np.float32),
        labels=np.zeros(len(boxes), np.int64),
        mask=mask,
        preview=np.full((32, 40, 3), 90, np.uint8),
    )


def test_the_mask_has_a_class_number_for_every_pixel_of_the_camera():
    mask = mask_picture(result((1920, 1536)))

    assert mask.shape == (1536, 1920)
    assert set(np.unique(mask)) == {0, 3}
    assert mask[700, 959] == 0
    assert mask[700, 961] == 3


def test_the_coloured_mask_has_the_palette_of_the_overlay():
    picture = mask_colour_picture(result((160, 128)), MASK_CLASSES)

    assert picture.shape == (128, 160, 3)
    assert tuple(picture[64, 10]) == MASK_COLOURS[MASK_CLASSES[0]]
    assert tuple(picture[64, 150]) == MASK_COLOURS[MASK_CLASSES[3]]


def test_boxes_are_drawn_where_they_are_in_the_camera():
    empty = preview_picture(result((2560, 2048)), ("person",), MASK_CLASSES)
    found = preview_picture(
        result((2560, 2048), [[1000, 1200, 1400, 1600]]), ("person",), MASK_CLASSES
    )

    assert found.shape == (1024, 1280, 3)
    changed = (found != empty).any(axis=2)
    assert changed[800, 510:690].mean() > 0.5  # lower edge of the box
    assert not changed[:400].any()
    assert not changed[900:].any()


@pytest.mark.parametrize(
    ("source", "expected"),
    [((640, 480), (640, 480)), ((3840, 2160), (1280, 720)), ((48, 4096), (15, 1280))],
)
def test_pictures_for_eyes_keep_their_shape(source, expected):
    assert for_eyes(source) == expected


def test_frame_info_has_the_documented_keys():
    (status,) = frame_info_message(result((64, 64), received=5), "ground_node", {}).status

    assert {value.key: value.value for value in status.values} == {
        "stream": "2",
        "frame": "17",
        "rate_index": "0.2500",
        "size_bytes": "4321",
        "packets_expected": "6",
        "packets_received": "5",
        "packets_repaired": "0",
        "share_received": "0.8333",
        "share_repaired": "0.0000",
        "share_concealed": "0.0000",
    }
    assert status.message == "5 of 6 packets"
