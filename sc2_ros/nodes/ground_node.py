# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground station's node: packets of features in, results and feedback out.

    features -> [executor: accept] -> newest frame -> [worker: show] -> detections, mask, preview
                    |
                 feedback

A station that is slower than the camera skips frames; it does not fall behind.

For example::

    ros2 run sc2_ros ground_node --ros-args -p device:=cuda -p classes:=person,car
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from sc2_ros import checkpoint
from sc2_ros.devices import check_device
from sc2_ros.ground import GroundConfig, GroundPipeline, ReadyFrame
from sc2_ros.nodes import qos
from sc2_ros.nodes.conversions import label_info_message, packet_bytes, packet_message
from sc2_ros.nodes.diagnostics import (
    Counter,
    Silence,
    decoder_status,
    downlink_status,
    to_message,
)
from sc2_ros.nodes.parameter_server import ParameterServer
from sc2_ros.nodes.parameters import GROUND, Value, parse_names
from sc2_ros.nodes.process import run
from sc2_ros.nodes.results import ResultPublishers
from sc2_ros.nodes.worker import NewestWorker
from sc2_ros.runtime.ros import (
    Clock,
    ClockType,
    DiagnosticArray,
    LabelInfo,
    Node,
    UInt8MultiArray,
)

TICK_S = 0.01
"""How late a frame's time-out or a feedback packet may be."""


class GroundNode(Node):
    """Feeds the ground pipeline from ROS. The radio runs in real time, whatever /clock says."""

    def __init__(self) -> None:
        self._worker = NewestWorker[ReadyFrame](self._show)
        super().__init__("ground_node")
        parameters = ParameterServer(self, GROUND)
        self._config = configuration(parameters.values)
        check_device(self._config.device, self._config.precision)
        model = checkpoint.load(parameters["model"], device=self._config.device)
        self._pipeline = GroundPipeline(model, self._config)
        self._silence = Silence()
        names = ("packets", "bytes", "mismatched", "bad", "frames", "incomplete", "skipped")
        self._counters = {name: Counter() for name in names}
        self._results = ResultPublishers(
            self, model.card["detection_classes"], model.card["mask_classes"]
        )
        self._label_info = self.create_publisher(LabelInfo, "label_info", qos.LATCHED)
        self._mask_classes = model.card["mask_classes"]
        self._apply(self._config)
        parameters.watch(self._valid_configuration, self._apply)
        self._open_topics()
        self._worker.start()
        self.get_logger().info(f"checkpoint {model.id:08x}, packets from {self._topic}")

    def _open_topics(self) -> None:
        options = qos.overridable()
        self._feedback = self.create_publisher(
            UInt8MultiArray, "feedback", qos.own(qos.PACKETS), qos_overriding_options=options
        )
        self._topic = self.resolve_topic_name("features")
        self.create_subscription(
            UInt8MultiArray,
            "features",
            self._on_packet,
            qos.own(qos.PACKETS),
            qos_overriding_options=options,
        )
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.RESULTS)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TICK_S, self._tick, clock=steady)
        self.create_timer(1.0, self._diagnose, clock=steady)

    def _valid_configuration(self, values: dict[str, Value]) -> GroundConfig:
        config = configuration(values)
        config.validate(self._pipeline.detection_classes)
        return config

    def _apply(self, config: GroundConfig) -> None:
        self._worker.change(lambda: self._take(config))
        self._label_info.publish(
            label_info_message(
                self._mask_classes, config.score_threshold, self.get_clock().now().nanoseconds
            )
        )

    def _take(self, config: GroundConfig) -> None:
        self._config = config
        self._follow_listeners()

    def _on_packet(self, message: UInt8MultiArray) -> None:
        now_s = time.monotonic()
        self._silence.heard(now_s)
        self._hand_over(self._pipeline.accept(packet_bytes(message), now_s))

    def _tick(self) -> None:
        now_s = time.monotonic()
        self._hand_over(self._pipeline.expire(now_s))
        for packet in self._pipeline.feedback(now_s):
            self._feedback.publish(packet_message(packet))

    def _hand_over(self, frames: list[ReadyFrame]) -> None:
        for frame in frames:
            self._worker.put(frame.number, frame)

    def _show(self, frame: ReadyFrame) -> None:
        self._follow_listeners()
        self._results.publish(self._pipeline.show(frame))

    def _follow_listeners(self) -> None:
        """Heads whose topics nobody listens to do not run."""
        mask = self._config.mask and self._results.mask_wanted()
        preview = self._config.preview and self._results.preview_wanted()
        config = replace(self._config, mask=mask, preview=preview)
        if config != self._pipeline.config:
            self._pipeline.configure(config)

    def _diagnose(self) -> None:
        self._worker.check()
        now_s = time.monotonic()
        stats = self._pipeline.stats
        bad = sum(stats.bad_packets.values())
        counts = {
            "packets": stats.packets,
            "bytes": stats.bytes,
            "mismatched": stats.mismatched,
            "bad": bad,
            "frames": stats.frames,
            "incomplete": stats.incomplete_frames,
            "skipped": self._worker.skipped,
        }
        rate = {name: self._counters[name].rate(count, now_s) for name, count in counts.items()}
        statuses = [
            downlink_status(
                self._silence.seconds(now_s),
                rate["packets"],
                rate["bytes"] * 8 / 1e3,
                stats.loss,
                rate["mismatched"],
                rate["bad"],
                stats.bad_packets,
                stats.last_error,
            ),
            decoder_status(rate["frames"], rate["incomplete"], rate["skipped"], stats.stage_ms),
        ]
        stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(to_message(statuses, stamp, self.get_name(), "ground"))

    def destroy_node(self) -> None:
        """Stop the worker before its publishers go."""
        self._worker.stop()
        super().destroy_node()


def configuration(values: dict[str, Value]) -> GroundConfig:
    """The pipeline's configuration of the node's parameters."""
    return GroundConfig(
        score_threshold=values["score_threshold"],
        nms_iou=values["nms_iou"],
        max_detections=values["max_detections"],
        classes=parse_names(str(values["classes"])),
        mask=values["mask"],
        preview=values["preview"],
        frame_timeout_s=values["frame_timeout"],
        feedback_hz=values["feedback.rate"],
        device=values["device"],
        precision=values["precision"],
    )


def main(args: list[str] | None = None) -> int:
    """Run the node; returns the exit code."""
    return run(GroundNode, args)


if __name__ == "__main__":
    sys.exit(main())
