# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's observer: a node that hears both ends of the link and records what it hears."""

import struct
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

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
from sc2_ros.runtime.serialization import message_of, type_name

if TYPE_CHECKING:
    from sc2_ros.cli.api.view import ViewServer

RECORD = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=100, reliability=ReliabilityPolicy.RELIABLE
)
CAMERA = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.BEST_EFFORT
)


class Observer(Node):
    """Fills `log` and the bag; begins with the first result, when every node is up.

    What is only recorded is never decoded: the nodes need the processor. `view` shows the pictures.
    """

    def __init__(self, bag: BagWriter, view: "ViewServer | None" = None) -> None:
        super().__init__("sc2_demo")
        self.log = SessionLog()
        self.begun_s: float | None = None
        self.heard_s = 0.0
        """When the last packet or result came, on the log's clock."""
        self._bag, self._view = bag, view
        self._zero_s = time.time()
        for kind, topic, callback, profile in (
            (Image, "image", self._on_image, CAMERA),
            (UInt8MultiArray, result_bag.FEATURES_SENT, self._on_sent, PACKETS),
            (UInt8MultiArray, result_bag.FEATURES_RECEIVED, self._on_delivered, PACKETS),
            (Detection2DArray, result_bag.DETECTIONS, self._on_detections, RECORD),
            (Float64, result_bag.CAPACITY, self._on_capacity, RECORD),
            (DiagnosticArray, result_bag.ONBOARD_INFO, self._on_frame_info, RECORD),
            (DiagnosticArray, result_bag.GROUND_INFO, self._on_frame_info, RECORD),
            (Image, result_bag.MASK, None, RECORD),
            (CompressedImage, result_bag.PREVIEW, self._on_preview, RECORD),
            (Detection2DArray, result_bag.TRUTH_DETECTIONS, None, RECORD),
            (Image, result_bag.TRUTH_MASK, None, RECORD),
            (DiagnosticArray, "/diagnostics", None, RECORD),
            # Latched, so it comes before the first result and is kept whenever it comes.
            (LabelInfo, result_bag.LABEL_INFO, self._on_label_info, LATCHED),
        ):
            heard = partial(self._on_message, kind, topic, callback)
            self.create_subscription(kind, topic, heard, profile, raw=True)

    def now_s(self) -> float:
        """The log's clock: seconds since this node was made, by the wall clock as the stamps."""
        return time.time() - self._zero_s

    def _on_message(
        self, kind: type, topic: str, callback: Callable[[bytes], bool] | None, cdr: bytes
    ) -> None:
        """Record a message unless its callback has dealt with it, or nothing has begun yet."""
        keep = callback(cdr) if callback is not None else True
        if keep and (self.begun_s is not None or kind is LabelInfo):
            self._bag.write(topic, type_name(kind), cdr, time.time_ns())

    def _on_image(self, cdr: bytes) -> bool:
        if self.begun_s is not None:
            message = message_of(cdr, Image)
            stamp_ns = to_ns(message.header.stamp)
            picture = jpeg_message(image_array(message), stamp_ns, message.header.frame_id)
            self._bag.write_message(result_bag.IMAGE, picture, time.time_ns())
            if self._view is not None:
                self._view.camera(bytes(picture.data))
        return False

    def _on_preview(self, cdr: bytes) -> bool:
        if self._view is not None:
            self._view.ground(bytes(message_of(cdr, CompressedImage).data))
        return True

    def _on_sent(self, cdr: bytes) -> bool:
        packet = packet_bytes(message_of(cdr, UInt8MultiArray))
        if self.begun_s is None:
            self.log.overhear(packet)
        else:
            self.log.sent(packet, self.now_s())
        return True

    def _on_delivered(self, cdr: bytes) -> bool:
        if self.begun_s is not None:
            self.heard_s = self.now_s()
            self.log.delivered(packet_bytes(message_of(cdr, UInt8MultiArray)))
        return True

    def _on_detections(self, cdr: bytes) -> bool:
        now_s = self.heard_s = self.now_s()
        if self.begun_s is None:
            self.begun_s = now_s
            return False
        stamp_ns, objects = stamp_and_count(cdr)
        captured_s = stamp_ns / 1e9 - self._zero_s
        if captured_s < self.begun_s:
            return False
        # A clock that was set in between tells no latency.
        latency_ms = (now_s - captured_s) * 1e3 if now_s >= captured_s else None
        self.log.result(stamp_ns, now_s, latency_ms, objects)
        return True

    def _on_capacity(self, cdr: bytes) -> bool:
        if self.begun_s is not None:
            self.log.capacity(message_of(cdr, Float64).data, self.now_s())
        return True

    def _on_frame_info(self, cdr: bytes) -> bool:
        message = message_of(cdr, DiagnosticArray)
        values = ((pair.key, pair.value) for pair in message.status[0].values)
        self.log.passed(to_ns(message.header.stamp), events_of(values))
        return True

    def _on_label_info(self, _cdr: bytes) -> bool:
        return True


def stamp_and_count(cdr: bytes) -> tuple[int, int]:
    """Stamp in nanoseconds and length of the array in a message of a header and an array.

    A Detection2DArray of fifty objects takes 5 ms to decode, which nobody needs before the end.
    """
    order = "<" if cdr[1] else ">"
    seconds, nanoseconds, length = struct.unpack_from(f"{order}iII", cdr, 4)
    place = -(-(16 + length) // 4) * 4  # behind the frame_id, at the next multiple of four
    return seconds * 1_000_000_000 + nanoseconds, struct.unpack_from(f"{order}I", cdr, place)[0]
