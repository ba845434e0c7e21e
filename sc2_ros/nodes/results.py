# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes a frame's results, each only where somebody listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sc2_ros.ground.config import FrameResult
from sc2_ros.media.messages import (
    compressed_message,
    detections_message,
    image_message,
    to_time,
)
from sc2_ros.media.pictures import mask_colour_picture, mask_picture, preview_picture
from sc2_ros.nodes import qos
from sc2_ros.nodes.camera_info import CameraInfoPublishers
from sc2_ros.nodes.diagnostics import Level, Status, to_message
from sc2_ros.runtime.ros import (
    ANNOTATIONS,
    CompressedImage,
    Detection2DArray,
    DiagnosticArray,
    Image,
    Node,
)

if ANNOTATIONS:
    from sc2_ros.media.annotations import annotations_message
    from sc2_ros.runtime.ros import ImageAnnotations


class ResultPublishers:
    """The topics of one drone that carry results.

    Args:
        node: who publishes.
        publisher: makes a publisher that lasts as long as the node is configured.
        drone: namespace of the topics; empty for the node's own.
    """

    def __init__(self, node: Node, publisher: Callable[..., Any], drone: str) -> None:
        self._name = node.get_name()
        self._clock = node.get_clock()
        above = f"{drone}/" if drone else ""

        def result(kind: Any, topic: str) -> Any:
            return publisher(kind, topic, qos.RESULTS, overrides=True)

        self._detections = result(Detection2DArray, f"{above}detections")
        self._annotations = None
        if ANNOTATIONS:
            self._annotations = result(ImageAnnotations, f"{above}annotations")
        self._mask = result(Image, f"{above}mask")
        self._mask_color = result(Image, f"{above}mask_color")
        self._preview = result(Image, f"{above}preview")
        # As image_transport does, so that a remap of `preview` carries its compressed one along.
        preview = node.resolve_topic_name(f"{above}preview")
        self._compressed = result(CompressedImage, f"{preview}/compressed")
        mask = node.resolve_topic_name(f"{above}mask")
        self.camera_info = CameraInfoPublishers(publisher, mask, preview)
        info = f"{above}frame_info" if drone else "~/frame_info"
        self._frame_info = publisher(DiagnosticArray, info, qos.RESULTS)

    def now_ns(self) -> int:
        """The time by the node's clock, which stamps are compared with."""
        return int(self._clock.now().nanoseconds)

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

    def publish(
        self,
        result: FrameResult,
        detection_classes: Sequence[str],
        mask_classes: Sequence[str],
        times: Mapping[str, str],
    ) -> None:
        """Publish one frame.

        The names are those of the labels and of the mask's numbers; `times` is when the frame
        passed the stages of the node, for `frame_info`.
        """
        stamp_ns, frame_id = result.stamp_ns, result.frame_id
        if self._detections.get_subscription_count():
            self._detections.publish(detections_message(result, detection_classes))
        if self._annotations is not None and self._annotations.get_subscription_count():
            self._annotations.publish(annotations_message(result, detection_classes))
        if self._frame_info.get_subscription_count():
            self._frame_info.publish(frame_info_message(result, self._name, times))
        self.camera_info.publish(result)
        if result.mask is not None:
            if self._mask.get_subscription_count():
                self._mask.publish(image_message(mask_picture(result), stamp_ns, frame_id))
            if self._mask_color.get_subscription_count():
                picture = mask_colour_picture(result, mask_classes)
                self._mask_color.publish(image_message(picture, stamp_ns, frame_id))
        if result.preview is not None and self.preview_wanted():
            picture = preview_picture(result, detection_classes, mask_classes)
            if self._preview.get_subscription_count():
                self._preview.publish(image_message(picture, stamp_ns, frame_id))
            if self._compressed.get_subscription_count():
                self._compressed.publish(compressed_message(picture, stamp_ns, frame_id))


def frame_info_message(
    result: FrameResult, node_name: str, times: Mapping[str, str]
) -> DiagnosticArray:
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
        "share_concealed": f"{result.share_concealed:.4f}",
        **times,
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
