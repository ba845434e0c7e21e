# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Records a run in virtual time as the topics that the nodes would have published."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sc2_ros.cli.api.pictures import jpeg_message
from sc2_ros.evaluation.session.log import SessionLog
from sc2_ros.ground.pipeline import FrameResult
from sc2_ros.media import result_bag
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.frames import SourceFrame
from sc2_ros.media.messages import (
    boxes_message,
    compressed_message,
    detections_message,
    header,
    image_message,
    label_info_message,
    packet_message,
)
from sc2_ros.media.pictures import mask_picture, preview_picture
from sc2_ros.media.synthetic.bodies import DETECTION_CLASSES
from sc2_ros.runtime.ros import Float64

if TYPE_CHECKING:
    from sc2_ros.cli.api.view import ViewServer


class ReplayRecorder:
    """Listens to a virtual run: numbers into `log`, messages into the bag.

    The bag's clock starts at the stamp of the first frame and runs in virtual time.
    """

    def __init__(
        self, bag: BagWriter, card: dict[str, Any], view: "ViewServer | None" = None
    ) -> None:
        self.log = SessionLog()
        self.frames = 0
        self._bag, self._view = bag, view
        self.detection_classes = tuple(card["detection_classes"])
        self._mask_classes = tuple(card["mask_classes"])
        self._first_ns = 0

    def begin(self, first_ns: int) -> None:
        """Let the bag's clock start at a stamp, and name the mask's classes."""
        self._first_ns = first_ns
        labels = label_info_message(self._mask_classes, 0.0, first_ns)
        self._record(result_bag.LABEL_INFO, labels, 0.0)

    def camera(self, frame: SourceFrame, time_s: float) -> None:
        """Record the camera's picture as JPEG, and its truth."""
        if self.frames == 0:
            self.begin(frame.time_ns)
        self.frames += 1
        stamp_ns, frame_id = frame.stamp_ns, frame.frame_id
        image = jpeg_message(frame.image, stamp_ns, frame_id)
        self._record(result_bag.IMAGE, image, time_s)
        if self._view is not None:
            self._view.camera(bytes(image.data))
        if frame.truth is None:
            return
        truth = frame.truth
        if self.detection_classes:  # what the ground has no answer to is no mistake of it
            boxes = boxes_message(
                truth.boxes,
                truth.labels,
                np.ones(len(truth.labels), np.float32),
                DETECTION_CLASSES,
                header(stamp_ns, frame_id),
            )
            self._record(result_bag.TRUTH_DETECTIONS, boxes, time_s)
        if truth.mask is not None and self._mask_classes:
            mask = image_message(truth.mask, stamp_ns, frame_id)
            self._record(result_bag.TRUTH_MASK, mask, time_s)

    def sent(self, packet: bytes, time_s: float) -> None:
        """Record a packet as the drone sent it."""
        self.log.sent(packet, time_s)
        self._record(result_bag.FEATURES_SENT, packet_message(packet), time_s)

    def delivered(self, packet: bytes, time_s: float) -> None:
        """Record a packet as the ground got it."""
        self.log.delivered(packet)
        self._record(result_bag.FEATURES_RECEIVED, packet_message(packet), time_s)

    def result(self, result: FrameResult, time_s: float, latency_ms: float | None) -> None:
        """Record a frame's results; the latency is None where the capture's time is not known."""
        stamp_ns, frame_id = result.stamp_ns, result.frame_id
        number = result.stream, result.frame
        self.log.result(stamp_ns, time_s, latency_ms, len(result.boxes), number)
        detections = detections_message(result, self.detection_classes)
        self._record(result_bag.DETECTIONS, detections, time_s)
        if result.mask is not None:
            mask = image_message(mask_picture(result), stamp_ns, frame_id)
            self._record(result_bag.MASK, mask, time_s)
        if result.preview is not None:
            picture = preview_picture(result, self.detection_classes, self._mask_classes)
            preview = compressed_message(picture, stamp_ns, frame_id)
            self._record(result_bag.PREVIEW, preview, time_s)
            if self._view is not None:
                self._view.ground(bytes(preview.data))
        if self._view is not None and self._view.every.is_due():
            self._view.state(self.log.recent(time_s), time_s)

    def capacity(self, bits_per_s: float, time_s: float) -> None:
        """Record what the link carries."""
        self.log.capacity(bits_per_s, time_s)
        self._record(result_bag.CAPACITY, Float64(data=float(bits_per_s)), time_s)

    def _record(self, topic: str, message: Any, time_s: float) -> None:
        self._bag.write_message(topic, message, self._first_ns + round(time_s * 1e9))
