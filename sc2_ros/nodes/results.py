# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes a frame's results, each only where somebody listens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sc2_ros.ground import FrameResult
from sc2_ros.nodes import qos
from sc2_ros.nodes.conversions import (
    compressed_message,
    detections_message,
    image_message,
    to_time,
)
from sc2_ros.nodes.diagnostics import Level, Status, to_message
from sc2_ros.nodes.pictures import mask_colour_picture, mask_picture, preview_picture
from sc2_ros.runtime.ros import (
    CompressedImage,
    Detection2DArray,
    DiagnosticArray,
    Image,
    Node,
)


class ResultPublishers:
    """The topics of the ground node that carry results.

    Args:
        node: who publishes.
        detection_classes: names of the detections' labels.
        mask_classes: names of the mask's numbers.
    """

    def __init__(
        self, node: Node, detection_classes: Sequence[str], mask_classes: Sequence[str]
    ) -> None:
        self._name = node.get_name()
        self._detection_classes = detection_classes
        self._mask_classes = mask_classes
        options = qos.overridable()

        def publisher(kind: Any, topic: str) -> Any:
            return node.create_publisher(
                kind, topic, qos.own(qos.RESULTS), qos_overriding_options=options
            )

        self._detections = publisher(Detection2DArray, "detections")
        self._mask = publisher(Image, "mask")
        self._mask_color = publisher(Image, "mask_color")
        self._preview = publisher(Image, "preview")
        # As image_transport does, so that a remap of `preview` carries its compressed one along.
        preview = node.resolve_topic_name("preview")
        self._compressed = publisher(CompressedImage, f"{preview}/compressed")
        self._frame_info = node.create_publisher(DiagnosticArray, "~/frame_info", qos.RESULTS)

    def mask_wanted(self) -> bool:
        """Whether anybody listens to something that shows the mask."""
        return bool(
            self._mask.get_subscription_count()
            or self._mask_color.get_subscription_count()
            or self.preview_wanted()
        )

    def preview_wanted(self) -> bool:
        """Whether anybody listens to the preview."""
        return bool(
            self._preview.get_subscription_count() or self._compressed.get_subscription_count()
        )

    def publish(self, result: FrameResult) -> None:
        """Publish one frame."""
        stamp_ns, frame_id = result.stamp_ns, result.frame_id
        if self._detections.get_subscription_count():
            self._detections.publish(detections_message(result, self._detection_classes))
        if self._frame_info.get_subscription_count():
            self._frame_info.publish(frame_info_message(result, self._name))
        if result.mask is not None:
            if self._mask.get_subscription_count():
                self._mask.publish(image_message(mask_picture(result), stamp_ns, frame_id))
            if self._mask_color.get_subscription_count():
                picture = mask_colour_picture(result, self._mask_classes)
                self._mask_color.publish(image_message(picture, stamp_ns, frame_id))
        if result.preview is not None and self.preview_wanted():
            picture = preview_picture(result, self._detection_classes, self._mask_classes)
            if self._preview.get_subscription_count():
                self._preview.publish(image_message(picture, stamp_ns, frame_id))
            if self._compressed.get_subscription_count():
                self._compressed.publish(compressed_message(picture, stamp_ns, frame_id))


def frame_info_message(result: FrameResult, node_name: str) -> DiagnosticArray:
    """What a frame cost and how much of it came; the keys are listed in docs/parameters.md."""
    values = {
        "stream": result.stream,
        "frame": result.frame,
        "rate_index": f"{result.rate_index:.4f}",
        "size_bytes": result.size_bytes,
        "packets_expected": result.packets_expected,
        "packets_received": result.packets_received,
        "packets_repaired": result.packets_repaired,
        "share_received": f"{result.share_received:.4f}",
        "share_repaired": f"{result.share_repaired:.4f}",
    }
    whole = result.packets_received + result.packets_repaired >= result.packets_expected
    status = Status(
        "frame",
        Level.OK if whole else Level.WARN,
        f"{result.packets_received} of {result.packets_expected} packets",
        values,
    )
    stamp = to_time(result.stamp_ns)
    return to_message([status], stamp, node_name, f"stream {result.stream}", result.frame_id)
