# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who subscribes to the features, a recorder say, begins with a keyframe."""

import time

import numpy as np
import pytest
import torch
from predicting import untrained

from sc2_ros import checkpoint
from sc2_ros.codec import wire
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.media.messages import image_message, packet_bytes, packet_message
from sc2_ros.nodes import qos
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.onboard.keyframes import MOST_S
from sc2_ros.runtime.ros import Image, SingleThreadedExecutor, UInt8MultiArray, rclpy

DEADLINE_S = 300.0
SCENE = np.random.default_rng(0).integers(0, 255, (8, 12, 3)).astype(np.uint8)
SCENE = SCENE.repeat(8, 0).repeat(8, 1)


@pytest.fixture
def flight(private_domain, tmp_path):
    """A drone's node whose station hears it, and a function that flies until a condition holds."""
    path, card = tmp_path / "model.safetensors", checkpoint.default_card()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder, ground = checkpoint.build_networks(card)
    checkpoint.save(path, encoder, ground, untrained().tables, card)
    words = ("-p", f"model:={path}", "-p", "rate.mode:=fixed", "-p", "rate.index:=0.5")
    rclpy.init(args=["node", "--ros-args", *words])
    drone = OnboardNode()
    drone.autostart()
    flight = Flight(drone, GroundPipeline(checkpoint.load(path), GroundConfig()))
    yield flight
    rclpy.try_shutdown()


class Flight:
    def __init__(self, drone, station):
        self.drone, self.station = drone, station
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(drone)
        self.camera = drone.create_publisher(Image, "image", 1)
        self.feedback = drone.create_publisher(UInt8MultiArray, "feedback", qos.PACKETS)
        drone.create_subscription(UInt8MultiArray, "features", self._receive, qos.PACKETS)
        self.references = []
        self._shown_s = 0.0

    def _receive(self, message):
        packet, now_s = packet_bytes(message), time.monotonic()
        parsed = wire.parse(packet)
        if parsed.header.type is wire.PacketType.FEATURES:
            self.references.append(parsed.head.distance if parsed.head else 0)
        self.station.accept(packet, now_s)
        for news in self.station.feedback(now_s):
            self.feedback.publish(packet_message(news))

    def until(self, condition):
        give_up = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < give_up
            if time.monotonic() - self._shown_s > 0.05:
                self._shown_s = time.monotonic()
                self.camera.publish(image_message(SCENE, time.time_ns(), "camera"))
            self.executor.spin_once(0.01)


def test_a_new_subscriber_is_sent_a_whole_frame_at_once(flight):
    flight.until(lambda: flight.references[-3:].count(0) == 0 and len(flight.references) > 5)
    began_s, before = time.monotonic(), len(flight.references)
    heard = []

    flight.drone.create_subscription(UInt8MultiArray, "features", heard.append, qos.PACKETS)
    flight.until(lambda: 0 in flight.references[before:])
    waited_s = time.monotonic() - began_s
    flight.until(lambda: heard)

    # Of itself, one comes every ten seconds where so little changes.
    assert waited_s < MOST_S / 2
    flight.until(lambda: flight.references[-1] > 0)
