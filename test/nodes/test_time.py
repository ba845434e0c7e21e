# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes on /clock: a bag that starts again, a clock that stands still, a camera that pauses."""

import time

import numpy as np
import pytest

from sc2_ros.media.messages import image_message, packet_message, to_ns
from sc2_ros.nodes import qos
from sc2_ros.nodes.diagnostics import SILENCE_S
from sc2_ros.nodes.ground_station import GroundNode
from sc2_ros.nodes.link_emulator_node import LinkEmulatorNode
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.runtime.ros import (
    ClockMsg,
    Detection2DArray,
    Image,
    Node,
    SingleThreadedExecutor,
    TimeMsg,
    UInt8MultiArray,
    rclpy,
)

DEADLINE_S = 300.0
PERIOD_S = 0.05  # of the camera and the clock


class Bench(Node):
    """Plays a clock and a camera, and hears what comes out."""

    def __init__(self):
        super().__init__("tester")
        self.clock = self.create_publisher(ClockMsg, "/clock", 1)
        self.camera = self.create_publisher(Image, "image", 1)
        self.stamps, self.packets = [], []
        self.create_subscription(Detection2DArray, "detections", self.keep, qos.RESULTS)
        self.create_subscription(UInt8MultiArray, "features_out", self.packets.append, qos.PACKETS)
        self.next_s = 0.0

    def due(self):
        """Whether a period has passed: a flood would keep Python's lock from the networks."""
        now_s = time.monotonic()
        if now_s < self.next_s:
            return False
        self.next_s = now_s + PERIOD_S
        return True

    def keep(self, message):
        self.stamps.append(to_ns(message.header.stamp) // 10**9)

    def show(self, second):
        """One tick of the clock and one image, when they are due."""
        if not self.due():
            return
        self.clock.publish(ClockMsg(clock=TimeMsg(sec=second)))
        picture = np.zeros((64, 96), np.uint8)
        self.camera.publish(image_message(picture, second * 10**9, "camera"))


@pytest.fixture
def start(private_domain, model):
    """Start nodes of this process on simulated time; gives the tester and a function to spin."""

    def make(*kinds, sim_time="true"):
        words = ("-p", f"model:={model}", "-p", "rate.mode:=fixed", "-p", "score_threshold:=0.0")
        rclpy.init(args=["node", "--ros-args", "-p", f"use_sim_time:={sim_time}", *words])
        tester = Bench()
        executor = SingleThreadedExecutor()
        nodes = [kind() for kind in kinds]
        for node in (tester, *nodes):
            executor.add_node(node)
            if hasattr(node, "autostart"):
                node.autostart()

        def spin_until(condition):
            give_up = time.monotonic() + DEADLINE_S
            while not condition():
                assert time.monotonic() < give_up
                executor.spin_once(0.02)

        return tester, nodes, spin_until

    yield make
    rclpy.try_shutdown()


def test_a_bag_that_loops_stops_neither_drone_nor_ground(start):
    tester, _, spin_until = start(OnboardNode, GroundNode)

    for second in (1000, 1001, 1002, 5, 6, 7, 5, 6):  # two jumps back, one clock that stands still
        tester.stamps.clear()

        def seen(second=second):
            tester.show(second)
            return second in tester.stamps

        spin_until(seen)


def test_the_link_emulator_lets_packets_through_while_the_clock_goes_back(start):
    tester, (link,), spin_until = start(LinkEmulatorNode)
    sender = tester.create_publisher(UInt8MultiArray, "features_in", qos.PACKETS)

    for second in (1000, 1, 1):
        tester.packets.clear()

        def through(second=second):
            if tester.due():
                tester.clock.publish(ClockMsg(clock=TimeMsg(sec=second)))
                sender.publish(packet_message(b"packet"))
            return tester.packets and link.get_clock().now().nanoseconds == second * 10**9

        spin_until(through)


def test_a_camera_that_stops_is_told_and_so_is_its_return(start):
    tester, (drone,), spin_until = start(OnboardNode, sim_time="false")

    def seen():
        tester.show(1)
        return drone._pipeline.stats.frames_sent > 1

    def camera(now_s):
        (status, *_) = drone._statuses(now_s)["stream 0"]
        return int(status.level)

    spin_until(seen)
    now_s = time.monotonic()
    assert camera(now_s) == 0
    assert camera(now_s + 3 * SILENCE_S + 1.0) == 2  # nothing has come since
    sent = drone._pipeline.stats.frames_sent
    spin_until(lambda: tester.show(2) or drone._pipeline.stats.frames_sent > sent)
    assert camera(time.monotonic()) == 0
