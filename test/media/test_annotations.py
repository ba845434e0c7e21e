# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detections as Foxglove draws them."""

import numpy as np

from sc2_ros.ground.config import FrameResult
from sc2_ros.media.annotations import annotations_message
from sc2_ros.media.overlay import BOX_COLOURS
from sc2_ros.runtime.messages import from_cdr, to_cdr
from sc2_ros.runtime.ros import ImageAnnotations, PointsAnnotation

CLASSES = ("person", "car")


def result(boxes, labels):
    return FrameResult(
        stream=0,
        frame=1,
        stamp_ns=5_000_000_007,
        frame_id="cam",
        source_size=(640, 512),
        rate_index=0.5,
        size_bytes=1000,
        packets_expected=1,
        packets_received=1,
        packets_repaired=0,
        share_received=1.0,
        share_repaired=0.0,
        share_concealed=0.0,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.full(len(boxes), 0.875, np.float32),
        labels=np.array(labels, np.int64),
        mask=None,
        preview=None,
    )


def test_every_detection_is_a_closed_rectangle_with_a_label():
    message = annotations_message(result([(10, 20, 30, 60), (0, 0, 5, 5)], [1, 0]), CLASSES)

    car, person = message.points
    assert (message.timestamp.sec, message.timestamp.nanosec) == (5, 7)
    assert car.type == PointsAnnotation.LINE_LOOP
    assert [(p.x, p.y) for p in car.points] == [(10, 20), (30, 20), (30, 60), (10, 60)]
    red, green, blue = BOX_COLOURS["car"]
    found = car.outline_color
    np.testing.assert_allclose([found.r, found.g, found.b], np.array([red, green, blue]) / 255)
    assert [text.text for text in message.texts] == ["car 0.88", "person 0.88"]
    assert (message.texts[0].position.x, message.texts[0].position.y) == (10, 20)
    assert person.outline_color != car.outline_color


def test_the_message_survives_the_wire():
    message = annotations_message(result([(10, 20, 30, 60)], [1]), CLASSES)

    assert from_cdr(to_cdr(message), ImageAnnotations) == message


def test_no_detection_is_an_empty_message_that_wipes_the_old_ones():
    message = annotations_message(result([], []), CLASSES)

    assert (message.points, message.texts) == ([], [])
