# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detections as foxglove_msgs/ImageAnnotations: what Foxglove's Image panel draws over a picture.

Only where `runtime.ros.ANNOTATIONS` says that the package is there.
"""

from __future__ import annotations

from collections.abc import Sequence

from sc2_ros.ground.config import FrameResult
from sc2_ros.media.messages import to_time
from sc2_ros.media.overlay import BOX_COLOURS, UNKNOWN_COLOUR
from sc2_ros.runtime.ros import (
    Color,
    ImageAnnotations,
    Point2,
    PointsAnnotation,
    TextAnnotation,
    TimeMsg,
)

THICKNESS_PX, FONT_PX = 2.0, 12.0


def annotations_message(result: FrameResult, classes: Sequence[str]) -> ImageAnnotations:
    """A rectangle and a label for every detection, in pixels of the camera's image."""
    stamp = to_time(result.stamp_ns)
    message = ImageAnnotations()
    if hasattr(message, "timestamp"):  # since 2025
        message.timestamp = stamp
    for (left, top, right, bottom), label, score in zip(
        result.boxes.tolist(), result.labels.tolist(), result.scores.tolist(), strict=True
    ):
        name = classes[label]
        red, green, blue = (value / 255 for value in BOX_COLOURS.get(name, UNKNOWN_COLOUR))
        colour = Color(r=red, g=green, b=blue, a=1.0)
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        message.points.append(
            PointsAnnotation(
                timestamp=stamp,
                type=PointsAnnotation.LINE_LOOP,
                points=[Point2(x=x, y=y) for x, y in corners],
                outline_color=colour,
                thickness=THICKNESS_PX,
            )
        )
        message.texts.append(_label(f"{name} {score:.2f}", left, top, colour, stamp))
    return message


def _label(text: str, x: float, y: float, colour: Color, stamp: TimeMsg) -> TextAnnotation:
    return TextAnnotation(
        timestamp=stamp,
        position=Point2(x=x, y=y),
        text=text,
        font_size=FONT_PX,
        text_color=Color(r=0.0, g=0.0, b=0.0, a=1.0),
        background_color=colour,
    )
