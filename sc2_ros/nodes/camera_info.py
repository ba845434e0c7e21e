# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's calibration over the radio: once, latched, and again when it changes.

    camera_info -> [onboard] -> features/camera_info -> [ground] -> mask/camera_info, preview/...

On the ground it is published with every frame, with the frame's stamp and scaled to its pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sc2_ros.ground.config import FrameResult
from sc2_ros.media.camera_info import same_camera, scaled
from sc2_ros.media.messages import header
from sc2_ros.media.pictures import for_eyes
from sc2_ros.nodes import qos
from sc2_ros.runtime.ros import CameraInfo


def beside(image_topic: str) -> str:
    """The topic of an image's CameraInfo, where drivers and image_transport have it."""
    return image_topic.removesuffix("/compressed").rpartition("/")[0] + "/camera_info"


def below(topic: str) -> str:
    """The topic on which the calibration goes along with packets or with a picture."""
    return f"{topic}/camera_info"


class CameraInfoRelay:
    """The drone's side: passes on what is new.

    Args:
        publisher: makes a publisher; called as `publisher(kind, topic, profile)`.
        features: absolute topic of the packets.
    """

    def __init__(self, publisher: Callable[..., Any], features: str) -> None:
        self._publisher = publisher(CameraInfo, below(features), qos.LATCHED)
        self._last: CameraInfo | None = None

    def take(self, message: CameraInfo) -> None:
        """A message of the camera."""
        if not same_camera(self._last, message):
            self._last = message
            self._publisher.publish(message)


class CameraInfoPublishers:
    """The ground's side: one message per picture.

    Args:
        publisher: makes a publisher; called as `publisher(kind, topic, profile)`.
        mask: absolute topic of the mask, which has the size of the camera's image.
        preview: absolute topic of the preview.
    """

    def __init__(self, publisher: Callable[..., Any], mask: str, preview: str) -> None:
        self.newest: CameraInfo | None = None
        """What the drone has told last."""
        self._mask = publisher(CameraInfo, below(mask), qos.RESULTS)
        self._preview = publisher(CameraInfo, below(preview), qos.RESULTS)

    def take(self, message: CameraInfo) -> None:
        """A message of the drone."""
        self.newest = message

    def publish(self, result: FrameResult) -> None:
        """Publish those of a frame."""
        info = self.newest
        if info is None:
            return
        sizes = (self._mask, result.source_size), (self._preview, for_eyes(result.source_size))
        for publisher, size in sizes:
            if publisher.get_subscription_count():
                head = header(result.stamp_ns, result.frame_id or info.header.frame_id)
                publisher.publish(scaled(info, size, head))
