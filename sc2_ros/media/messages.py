# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pipelines' arrays as ROS messages and back; pictures come in by `image_reader`."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.runtime.ros import (
    CompressedImage,
    Detection2D,
    Detection2DArray,
    Header,
    Image,
    LabelInfo,
    ObjectHypothesisWithPose,
    TimeMsg,
    UInt8MultiArray,
    VisionClass,
)

if TYPE_CHECKING:
    from sc2_ros.ground.pipeline import FrameResult  # camera and link emulator do without torch

JPEG_QUALITY = 80


def to_ns(stamp: TimeMsg) -> int:
    """A builtin_interfaces/Time as nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def to_time(stamp_ns: int) -> TimeMsg:
    """Nanoseconds as a builtin_interfaces/Time (seconds are int32 there: 1901 to 2038)."""
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    if not -(2**31) <= sec < 2**31:
        return TimeMsg()
    return TimeMsg(sec=sec, nanosec=nanosec)


def header(stamp_ns: int, frame_id: str) -> Header:
    """A std_msgs/Header."""
    return Header(stamp=to_time(stamp_ns), frame_id=frame_id)


def image_message(image: npt.NDArray[np.uint8], stamp_ns: int, frame_id: str) -> Image:
    """A sensor_msgs/Image: rgb8 of uint8 (H, W, 3), mono8 of uint8 (H, W)."""
    height, width = image.shape[:2]
    message = Image()
    message.header = header(stamp_ns, frame_id)
    message.height, message.width = height, width
    message.encoding = "rgb8" if image.ndim == 3 else "mono8"
    message.is_bigendian = 0
    message.step = width * (3 if image.ndim == 3 else 1)
    message.data = _octets(np.ascontiguousarray(image).data.cast("B"))
    return message


def compressed_message(
    image: npt.NDArray[np.uint8], stamp_ns: int, frame_id: str
) -> CompressedImage:
    """A sensor_msgs/CompressedImage: JPEG of uint8 (H, W, 3) RGB."""
    _, jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    message = CompressedImage()
    message.header = header(stamp_ns, frame_id)
    message.format = "rgb8; jpeg compressed bgr8"
    message.data = _octets(jpeg.tobytes())
    return message


def packet_message(packet: bytes) -> UInt8MultiArray:
    """A std_msgs/UInt8MultiArray with one packet."""
    return UInt8MultiArray(data=_octets(packet))


def packet_bytes(message: UInt8MultiArray) -> bytes:
    """The packet in a std_msgs/UInt8MultiArray."""
    return bytes(message.data)


def detections_message(result: FrameResult, classes: Sequence[str]) -> Detection2DArray:
    """A vision_msgs/Detection2DArray in pixels of the camera's image; class_id is the name."""
    return boxes_message(
        result.boxes,
        result.labels,
        result.scores,
        classes,
        header(result.stamp_ns, result.frame_id),
    )


def boxes_message(
    boxes: npt.NDArray[np.float32],
    labels: npt.NDArray[Any],
    scores: npt.NDArray[np.float32],
    classes: Sequence[str],
    source: Header,
) -> Detection2DArray:
    """A vision_msgs/Detection2DArray.

    Args:
        boxes: float32 (N, 4), left, top, right, bottom in px.
        labels: int (N,), numbers in `classes`.
        scores: float32 (N,), 0 to 1.
        classes: names of the classes.
        source: header of the camera's image.
    """
    message = Detection2DArray(header=source)
    for (left, top, right, bottom), label, score in zip(
        boxes.tolist(), labels.tolist(), scores.tolist(), strict=True
    ):
        hypothesis = ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id = classes[label]
        hypothesis.hypothesis.score = score
        detection = Detection2D(header=source, results=[hypothesis])
        detection.bbox.center.position.x = (left + right) / 2
        detection.bbox.center.position.y = (top + bottom) / 2
        detection.bbox.size_x = right - left
        detection.bbox.size_y = bottom - top
        message.detections.append(detection)
    return message


def label_info_message(mask_classes: Sequence[str], threshold: float, stamp_ns: int) -> LabelInfo:
    """A vision_msgs/LabelInfo: the class names behind the values of the mask's pixels."""
    message = LabelInfo()
    message.header = header(stamp_ns, "")
    message.class_map = [
        VisionClass(class_id=number, class_name=name) for number, name in enumerate(mask_classes)
    ]
    message.threshold = threshold
    return message


def _octets(data: bytes | memoryview) -> array[int]:
    """Bytes as the array type that rclpy's setters take without looking at every element."""
    octets = array("B")
    octets.frombytes(data)
    return octets
