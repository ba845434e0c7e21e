# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that is killed, or deactivated, in flight and started again: results flow again."""

import time

import numpy as np
import pytest

from sc2_ros.link.feedback import parse_feedback
from sc2_ros.link.receiver_log import ReceiverLog
from sc2_ros.media.messages import to_ns
from sc2_ros.nodes import qos
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.onboard.pipeline import CameraFrame
from sc2_ros.runtime.ros import Detection2DArray, rclpy


@pytest.mark.processes
def test_results_come_again_after_either_node_was_killed(node, spin_until, start, model):
    stamps = []
    node.create_subscription(
        Detection2DArray,
        "detections",
        lambda message: stamps.append(to_ns(message.header.stamp)),
        qos.RESULTS,
    )
    networks = ("-p", f"model:={model}")
    start("camera_node", "-p", "fps:=5.0", "-p", "size:=96x80")
    flying = {name: start(name, *networks) for name in ("onboard_node", "ground_node")}
    spin_until(lambda: len(stamps) > 5, "results")

    for name in ("ground_node", "onboard_node", "ground_node"):
        flying[name].kill()
        flying[name].wait()
        killed_ns = time.time_ns()
        flying[name] = start(name, *networks)
        fresh = len(stamps)
        spin_until(lambda: len(stamps) > fresh + 5, f"results after {name}")  # noqa: B023

        assert stamps[-1] > killed_ns
        assert stamps == sorted(stamps)


def test_packets_that_left_before_a_deactivation_are_still_counted(private_domain, model):
    """The ground has counted them; a drone that had not would refuse its reports."""
    rclpy.init(args=["node", "--ros-args", "-p", f"model:={model}", "-p", "autostart:=false"])
    try:
        node = OnboardNode()
        node.trigger_configure()
        node.trigger_activate()
        pipeline = node._pipeline
        frame = CameraFrame(np.zeros((64, 64, 3), np.uint8), time.time_ns(), "camera")
        sent = pipeline.process(frame, time.monotonic())
        node._left.extend((packet, time.monotonic()) for packet in sent)

        node.trigger_deactivate()
        node.trigger_activate()

        newest = sent[-1]
        ground = ReceiverLog(1)
        ground.on_packet(newest.frame, newest.number, 1, len(newest), 5.0)
        report = parse_feedback(ground.build(5.0))
        assert pipeline._rate.is_possible(report, time.monotonic())
    finally:
        rclpy.try_shutdown()
