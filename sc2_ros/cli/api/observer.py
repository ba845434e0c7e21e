# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's observer: a node that hears both ends of the link and records what it hears."""

import time
from collections.abc import Callable
from typing import Any

from sc2_ros.cli.api.pictures import jpeg_message
from sc2_ros.evaluation.session.breakdown import events_of
from sc2_ros.evaluation.session.log import SessionLog
from sc2_ros.media import result_bag
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.image_reader import image_array
from sc2_ros.media.messages import packet_bytes, to_ns
from sc2_ros.nodes.qos import LATCHED, PACKETS
from sc2_ros.runtime.ros import (
    CompressedImage,
    Detection2DArray,
    DiagnosticArray,
    Float64,
    HistoryPolicy,
    Image,
    LabelInfo,
    Node,
    QoSProfile,
    ReliabilityPolicy,
    UInt8MultiArray,
)

RECORD = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=100, reliability=ReliabilityPolicy.RELIABLE
)
CAMERA = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.BEST_EFFORT
)


class Observer(Node):
    """Fills `log` and the bag; begins with the first result, when every node is up."""

    def __init__(self, bag: BagWriter) -> None:
        super().__init__("sc2_demo")
        self.log = SessionLog()
        self.begun_s: float | None = None
        self.heard_s = 0.0
        """When the last packet or result came, on the log's clock."""
        self._bag = bag
        self._zero_s = time.time()
        for kind, topic, callback, profile in (
            (Image, "image", self._on_image, CAMERA),
            (UInt8MultiArray, result_bag.FEATURES_SENT, self._on_sent, PACKETS),
            (UInt8MultiArray, result_bag.FEATURES_RECEIVED, self._on_delivered, PACKETS),
            (Detection2DArray, result_bag.DETECTIONS, self._on_detections, RECORD),
            (Float64, result_bag.CAPACITY, self._on_capacity, RECORD),
            (DiagnosticArray, result_bag.ONBOARD_INFO, self._on_frame_info, RECORD),
            (DiagnosticArray, result_bag.GROUND_INFO, self._on_frame_info, RECORD),
        ):
            self.create_subscription(kind, topic, callback, profile)
        for kind, topic, profile in (
            (Image, result_bag.MASK, RECORD),
            (CompressedImage, result_bag.PREVIEW, RECORD),
            (Detection2DArray, result_bag.TRUTH_DETECTIONS, RECORD),
            (Image, result_bag.TRUTH_MASK, RECORD),
            (DiagnosticArray, "/diagnostics", RECORD),
        ):
            self.create_subscription(kind, topic, self._recorder(topic), profile)
        # Latched, so it comes before the first result and is kept whenever it comes.
        self.create_subscription(LabelInfo, result_bag.LABEL_INFO, self._on_label_info, LATCHED)

    def now_s(self) -> float:
        """The log's clock: seconds since this node was made, by the wall clock as the stamps."""
        return time.time() - self._zero_s

    def _on_image(self, message: Any) -> None:
        if self.begun_s is None:
            return
        stamp_ns = to_ns(message.header.stamp)
        picture = jpeg_message(image_array(message), stamp_ns, message.header.frame_id)
        self._record(result_bag.IMAGE, picture)

    def _on_sent(self, message: Any) -> None:
        if self.begun_s is None:
            self.log.overhear(packet_bytes(message))
            return
        self.log.sent(packet_bytes(message), self.now_s())
        self._record(result_bag.FEATURES_SENT, message)

    def _on_delivered(self, message: Any) -> None:
        if self.begun_s is not None:
            self.heard_s = self.now_s()
            self.log.delivered(packet_bytes(message))
            self._record(result_bag.FEATURES_RECEIVED, message)

    def _on_detections(self, message: Any) -> None:
        now_s = self.heard_s = self.now_s()
        if self.begun_s is None:
            self.begun_s = now_s
            return
        stamp_ns = to_ns(message.header.stamp)
        captured_s = stamp_ns / 1e9 - self._zero_s
        if captured_s < self.begun_s:
            return
        # A clock that was set in between tells no latency.
        latency_ms = (now_s - captured_s) * 1e3 if now_s >= captured_s else None
        self.log.result(stamp_ns, now_s, latency_ms, len(message.detections))
        self._record(result_bag.DETECTIONS, message)

    def _on_capacity(self, message: Any) -> None:
        if self.begun_s is not None:
            self.log.capacity(message.data, self.now_s())
            self._record(result_bag.CAPACITY, message)

    def _on_frame_info(self, message: Any) -> None:
        values = ((pair.key, pair.value) for pair in message.status[0].values)
        self.log.passed(to_ns(message.header.stamp), events_of(values))

    def _on_label_info(self, message: Any) -> None:
        self._record(result_bag.LABEL_INFO, message)

    def _recorder(self, topic: str) -> Callable[[Any], None]:
        def record(message: Any) -> None:
            if self.begun_s is not None:
                self._record(topic, message)

        return record

    def _record(self, topic: str, message: Any) -> None:
        self._bag.write_message(topic, message, time.time_ns())
