# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera node: plays a synthetic flight, a video, a folder, a bag or a camera as `image`.

    ros2 run sc2_ros camera_node --ros-args -p input:=flight.mp4 -p loop:=false

The synthetic flight also publishes what is in its frames, on `truth/detections` and `truth/mask`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from sc2_ros.media.frames import FrameSource, SourceFrame, Truth
from sc2_ros.media.messages import boxes_message, header, image_message
from sc2_ros.media.source import open_source
from sc2_ros.media.synthetic.bodies import DETECTION_CLASSES
from sc2_ros.nodes import qos
from sc2_ros.nodes.parameter_server import ParameterServer
from sc2_ros.nodes.parameters import CAMERA, parse_size
from sc2_ros.nodes.process import run
from sc2_ros.runtime.ros import Detection2DArray, Image, Node


class CameraNode(Node):
    """Publishes a frame source at its own rate, stamped with the node's clock."""

    def __init__(self) -> None:
        self._source: FrameSource | None = None
        super().__init__("camera_node")
        parameters = ParameterServer(self, CAMERA)
        self._source = source = open_from(parameters)
        self._frames: Iterator[SourceFrame] = iter(source)
        self._frame_id: str = parameters["frame_id"]
        options = qos.overridable()
        self._image = self.create_publisher(
            Image, "image", qos.own(qos.SENSOR), qos_overriding_options=options
        )
        self._detections = self.create_publisher(Detection2DArray, "truth/detections", qos.RESULTS)
        self._mask = self.create_publisher(Image, "truth/mask", qos.RESULTS)
        self._timer = self.create_timer(1.0 / source.fps, self._publish_next)
        self.get_logger().info(f"playing {source.name} at {source.fps:.1f} images/s")

    def _publish_next(self) -> None:
        frame = next(self._frames, None)
        if frame is None:
            self._timer.cancel()
            self.get_logger().info("the input has ended")
            return
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
