# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's calibration over the radio: once, latched, and again when it changes.

    camera_info -> [onboard] -> features/camera_info -> [ground] -> mask/camera_info, preview/...

On the ground it is published with every frame, with the frame's stamp and scaled to its pictures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sc2_ros.ground.config import FrameResult
from sc2_ros.media.camera_info import MOST_COEFFICIENTS, same_camera, scaled
from sc2_ros.media.messages import header
from sc2_ros.media.pictures import for_eyes
from sc2_ros.nodes import qos
from sc2_ros.runtime.ros import CameraInfo

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
MOST_LETTERS = 64


def beside(image_topic: str) -> str:
    """The topic of an image's CameraInfo, where drivers and image_transport have it."""
    return image_topic.removesuffix("/compressed").rpartition("/")[0] + "/camera_info"


def below(topic: str) -> str:
    """The topic on which the calibration goes along with packets or with a picture."""
    return f"{topic}/camera_info"


class CameraInfoRelay:
    """The drone's side: passes on what is new, over a radio that has better things to carry.

    At most one message a second, and after every change that follows another closely the next has
    to wait twice as long, up to `LONGEST_PAUSE_S`: a zoom lens, or two drivers that take turns on
    one topic, would else take more of a narrow link than the features do.

    Args:
        publisher: makes a publisher; called as `publisher(kind, topic, profile)`.
        features: absolute topic of the packets.
        warn: takes a sentence about what cannot be passed on, once.
    """

    link: Callable[[CameraInfo], None] | None = None
    """Takes what is passed on, too, where the radio is no topic."""

    def __init__(
        self, publisher: Callable[..., Any], features: str, warn: Callable[[str], None]
    ) -> None:
        self._publisher = publisher(CameraInfo, below(features), qos.LATCHED)
        self._warn: Callable[[str], None] | None = warn
        self._told: CameraInfo | None = None
        self._waiting: CameraInfo | None = None
        self._told_s = -math.inf
        self._pause_s = SHORTEST_PAUSE_S

    def take(self, message: CameraInfo, now_s: float) -> None:
        """A message of the camera."""
        if len(message.d) > MOST_COEFFICIENTS or len(message.distortion_model) > MOST_LETTERS:
            if self._warn is not None:
                self._warn(
                    f"camera_info with {len(message.d)} distortion coefficients is not passed on "
                    f"(at most {MOST_COEFFICIENTS}, and a model's name of {MOST_LETTERS} letters); "
                    "check the camera's calibration file"
                )
            self._warn = None
            return
        self._waiting = None if same_camera(self._told, message) else message
        self.flush(now_s)

    def flush(self, now_s: float) -> None:
        """Publish what has waited long enough; to be called some times a second."""
        since_s = now_s - self._told_s
        if self._waiting is None or since_s < self._pause_s:
            return
        often = since_s < 2 * self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S) if often else SHORTEST_PAUSE_S
        self._told, self._waiting, self._told_s = self._waiting, None, now_s
        self._publisher.publish(self._told)
        if self.link is not None:
            self.link(self._told)

    def relink(self, link: Callable[[CameraInfo], None] | None) -> None:
        """Pass on over another link from now on, beginning with what was told last."""
        self.link = link
        if link is not None and self._told is not None:
            link(self._told)


class CameraInfoPublishers:
    """The ground's side: one message per picture.

    Args:
        publisher: makes a publisher; called as `publisher(kind, topic, profile)`.
        mask: absolute topic of the mask, which has the size of the camera's image.
        preview: absolute topic of the preview.
    """

    def __init__(self, publisher: Callable[..., Any], mask: str, preview: str) -> None:
        self.newest: CameraInfo | None = None
        """What the drone has sent last."""
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
