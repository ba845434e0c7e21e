# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One ground node for three drones: each has its own topics, receiver state and diagnostics."""

import time
from collections import defaultdict

import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.media.messages import packet_bytes, packet_message, to_ns
from sc2_ros.nodes import qos
from sc2_ros.nodes.ground_station import GroundNode
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline
from sc2_ros.runtime.ros import (
    Detection2DArray,
    DiagnosticArray,
    LabelInfo,
    Node,
    SingleThreadedExecutor,
    UInt8MultiArray,
    rclpy,
)

DRONES = ("drone1", "drone2", "air/three")
SIZES = {"drone1": (96, 64), "drone2": (128, 96), "air/three": (96, 64)}
DEADLINE_S = 300.0


class Drones(Node):
    """Three onboard pipelines behind the topics of three drones; all use stream 0."""

    def __init__(self, model) -> None:
        super().__init__("drones")
        self.heard = defaultdict(list)
        config = OnboardConfig(rate_mode="fixed", rate_index=0.0)
        self.pipelines = {name: OnboardPipeline(checkpoint.load(model), config) for name in DRONES}
        self.publishers_of = {
            name: self.create_publisher(UInt8MultiArray, f"/{name}/features", qos.PACKETS)
            for name in DRONES
        }
        for name in DRONES:
            for topic, kind, profile in (
                ("detections", Detection2DArray, qos.RESULTS),
                ("frame_info", DiagnosticArray, qos.RESULTS),
                ("feedback", UInt8MultiArray, qos.PACKETS),
                ("label_info", LabelInfo, qos.LATCHED),
            ):
                heard = self.heard[f"{name}/{topic}"]
                self.create_subscription(kind, f"/{name}/{topic}", heard.append, profile)
        heard = self.heard["diagnostics"]
        self.create_subscription(DiagnosticArray, "/diagnostics", heard.append, qos.RESULTS)

    def fly(self, *names) -> None:
        """Send a frame of each of these drones; its stamp tells whose it is."""
        for name in names:
            width, height = SIZES[name]
            image = np.full((height, width, 3), 40 * DRONES.index(name), np.uint8)
            stamp_ns = time.time_ns() // 10 * 10 + DRONES.index(name)
            packets = self.pipelines[name].process(
                CameraFrame(image, stamp_ns, f"{name}/camera"), time.monotonic()
            )
            for packet in packets:
                self.publishers_of[name].publish(packet_message(packet))
                self.pipelines[name].on_sent(packet, time.monotonic())


@pytest.fixture
def fleet(private_domain, model):
    """Both nodes, and a function that spins them until a condition holds."""
    words = ("-p", f"model:={model}", "-p", f"ground_node:drones:={', '.join(DRONES)}")
    rclpy.init(args=["node", "--ros-args", *words, "-p", "score_threshold:=0.0"])
    ground, drones = GroundNode(), Drones(model)
    ground.autostart()
    executor = SingleThreadedExecutor()
    executor.add_node(ground)
    executor.add_node(drones)

    def spin_until(condition):
        give_up = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < give_up
            executor.spin_once(0.02)

    yield ground, drones, spin_until
    rclpy.try_shutdown()


def test_every_drone_has_its_results_feedback_and_diagnostics(fleet):
    _, drones, spin_until = fleet
    heard = drones.heard

    def all_have(topic):
        drones.fly(*DRONES)
        return all(heard[f"{name}/{topic}"] for name in DRONES)

    spin_until(lambda: all_have("detections"))
    spin_until(lambda: all_have("frame_info"))
    spin_until(lambda: all_have("feedback"))
    spin_until(lambda: all_have("label_info"))

    for number, name in enumerate(DRONES):
        width, height = SIZES[name]
        for message in heard[f"{name}/detections"]:
            assert to_ns(message.header.stamp) % 10 == number
            assert message.header.frame_id in ("", f"{name}/camera")
            assert all(d.bbox.center.position.x <= width for d in message.detections)
        for message in heard[f"{name}/feedback"]:
            before = drones.pipelines[name].stats.bad_feedback
            drones.pipelines[name].on_feedback(packet_bytes(message), time.monotonic())
            assert drones.pipelines[name].stats.bad_feedback == before

    def lines():
        drones.fly(*DRONES)
        return {
            (status.name, status.hardware_id)
            for message in heard["diagnostics"]
            for status in message.status
        }

    wanted = {
        (f"ground_node: {name} {part}", name) for name in DRONES for part in ("link", "decoder")
    }
    spin_until(lambda: wanted <= lines())


def test_a_silent_drone_or_a_strange_one_leaves_the_others_alone(fleet):
    ground, drones, spin_until = fleet
    heard = drones.heard
    spin_until(drones.publishers_of["drone1"].get_subscription_count)
    spin_until(drones.publishers_of["drone2"].get_subscription_count)

    def one_flies():
        drones.fly("drone1")
        drones.publishers_of["drone2"].publish(packet_message(b"garbage" * 10))
        return len(heard["drone1/detections"]) > 2

    spin_until(one_flies)

    first, second, third = (station.pipeline.stats for station in ground._streams)
    assert (first.frames > 2, sum(first.bad_packets.values())) == (True, 0)
    assert (second.frames, sum(second.bad_packets.values()) > 0) == (0, True)
    assert (third.packets, third.frames) == (0, 0)
    assert not heard["drone2/detections"]
