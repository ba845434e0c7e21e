# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera node: plays a synthetic flight, a video, a folder, a bag or a camera as `image`.

    ros2 run sc2_ros camera_node --ros-args -p input:=flight.mp4 -p loop:=false

The synthetic flight also publishes what is in its frames, on `truth/detections` and `truth/mask`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from sc2_ros.media.frames import FrameSource, SourceFrame, Truth
from sc2_ros.media.messages import boxes_message, header, image_message
from sc2_ros.media.source import open_source
from sc2_ros.media.synthetic.bodies import DETECTION_CLASSES
from sc2_ros.nodes import qos
from sc2_ros.nodes.background import BackgroundThread
from sc2_ros.nodes.parameter_server import ParameterServer
from sc2_ros.nodes.parameters import CAMERA, parse_size
from sc2_ros.nodes.process import run
from sc2_ros.runtime.ros import Clock, ClockType, Detection2DArray, Image, Node

CHECK_S = 0.2
"""How often it is looked whether the player has come upon something that it cannot read."""
LATE_S = 0.5
"""Delay behind the recording that is made up for; beyond it the rest is played that much later."""


class Player(BackgroundThread):
    """Shows the frames of a source at the times at which they were recorded."""

    def __init__(
        self, source: FrameSource, show: Callable[[SourceFrame], None], end: Callable[[], None]
    ) -> None:
        super().__init__()
        self._source, self._show, self._end = source, show, end

    def _run(self) -> None:
        zero_s: float | None = None
        """The time on the clock that stands for 0 of the recording's."""
        for frame in self._source:
            time_s, now_s = frame.time_ns / 1e9, time.monotonic()
            if zero_s is None or now_s - (zero_s + time_s) > LATE_S:
                zero_s = now_s - time_s
            due_s = zero_s + time_s
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, max(0.0, due_s - now_s)):
                    return
            self._show(frame)
        self._end()


class CameraNode(Node):
    """Publishes a frame source as it was recorded, stamped with the node's clock."""

    def __init__(self) -> None:
        self._source: FrameSource | None = None
        self._player: Player | None = None
        super().__init__("camera_node")
        parameters = ParameterServer(self, CAMERA)
        self._source = source = open_from(parameters)
        self._frame_id: str = parameters["frame_id"]
        options = qos.overridable()
        self._image = self.create_publisher(
            Image, "image", qos.own(qos.SENSOR), qos_overriding_options=options
        )
        self._detections = self.create_publisher(Detection2DArray, "truth/detections", qos.RESULTS)
        self._mask = self.create_publisher(Image, "truth/mask", qos.RESULTS)
        self._player = Player(source, self._publish, self._end)
        # In real time, as the player: without a /clock nobody would hear of what it cannot read.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(CHECK_S, self._player.check, clock=steady)
        self._player.start()
        parameters.warn_of_unused()
        self.get_logger().info(f"playing {source.name} at {source.fps:.1f} images/s")

    def _end(self) -> None:
        self.get_logger().info("the input has ended")

    def _publish(self, frame: SourceFrame) -> None:
        stamp_ns = self.get_clock().now().nanoseconds
        frame_id = self._frame_id or frame.frame_id
        if self._image.get_subscription_count():
            self._image.publish(image_message(frame.image, stamp_ns, frame_id))
        if frame.truth is not None:
            self._publish_truth(frame.truth, stamp_ns, frame_id)

    def _publish_truth(self, truth: Truth, stamp_ns: int, frame_id: str) -> None:
        if self._detections.get_subscription_count():
            scores = np.ones(len(truth.labels), np.float32)
            source = header(stamp_ns, frame_id)
            self._detections.publish(
                boxes_message(truth.boxes, truth.labels, scores, DETECTION_CLASSES, source)
            )
        if truth.mask is not None and self._mask.get_subscription_count():
            self._mask.publish(image_message(truth.mask, stamp_ns, frame_id))

    def destroy_node(self) -> None:
        """Let go of the camera or the file too."""
        if self._player is not None:
            self._player.stop()
        if self._source is not None:
            self._source.close()
        super().destroy_node()


def open_from(parameters: ParameterServer) -> FrameSource:
    """The source that the parameters name.

    Raises:
        InputError: if it cannot be read.
    """
    width, height = parse_size(parameters["size"])
    return open_source(
        parameters["input"],
        size=(width, height) if width else None,
        fps=parameters["fps"] or None,
        topic=parameters["topic"] or None,
        loop=parameters["loop"],
    )


def main(args: list[str] | None = None) -> int:
    """Run the node; returns the exit code."""
    return run(CameraNode, args)


if __name__ == "__main__":
    sys.exit(main())
