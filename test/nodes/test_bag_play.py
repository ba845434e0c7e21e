# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag gives the same results replayed and played to a live node, frame by frame."""

import time

import numpy as np
import pytest
from recordings import BagMessage, picture, write_bag

from sc2_ros import checkpoint
from sc2_ros.evaluation.session.virtual import VirtualRun
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.link.sim.spec import parse_link
from sc2_ros.media.bag import open_bag, read_raw
from sc2_ros.media.messages import packet_bytes
from sc2_ros.media.source import open_source
from sc2_ros.nodes import qos
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.onboard.pipeline import OnboardConfig, OnboardPipeline
from sc2_ros.runtime.messages import from_cdr
from sc2_ros.runtime.ros import Image, SingleThreadedExecutor, UInt8MultiArray, rclpy

START_NS, SECOND_NS = 1_700_000_000_000_000_000, 1_000_000_000
GROUND = GroundConfig(score_threshold=0.0, max_detections=5, mask=False, preview=False)
DEADLINE_S = 120.0


class Results:
    """What a replay makes of a bag."""

    def __init__(self):
        self.found = []

    def result(self, result, time_s, latency_ms):
        self.found.append(result)

    def camera(self, *_):
        pass

    sent = delivered = capacity = camera


def replayed(bag, model):
    results = Results()
    config = OnboardConfig(rate_mode="fixed", rate_index=0.4, rate_temporal=False)
    onboard, ground = OnboardPipeline(model, config), GroundPipeline(model, GROUND)
    VirtualRun(onboard, ground, parse_link("100mbit"), results).run(open_source(str(bag)))
    return results.found


def played(bag, model, path):
    """As `ros2 bag play` plays it: the recorded bytes, in the order of their recording."""
    words = ["-p", f"model:={path}", "-p", "rate.mode:=fixed", "-p", "rate.index:=0.4"]
    rclpy.init(args=["node", "--ros-args", *words, "-p", "rate.temporal:=false"])
    node = OnboardNode()
    node.autostart()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    camera = node.create_publisher(Image, "image", qos.SENSOR)
    packets = []
    node.create_subscription(UInt8MultiArray, "features", packets.append, qos.PACKETS)
    ground, found = GroundPipeline(model, GROUND), []
    with open_bag(bag) as reader:
        for number, (_, _, data) in enumerate(read_raw(reader, bag, reader.connections)):
            camera.publish(from_cdr(data, Image))
            give_up_s = time.monotonic() + DEADLINE_S
            while len(found) == number:
                assert time.monotonic() < give_up_s
                executor.spin_once(0.05)
                while packets:
                    found += ground.receive(packet_bytes(packets.pop(0)), time.monotonic())
    node.destroy_node()
    return found


@pytest.mark.parametrize(
    "seconds",
    [[0, 1, 3, 2, 4, 5], [7, 8, 9, 10, 11, 12], [5, 6, 7, 5, 6, 7]],
    ids=["out of order", "since boot", "looped"],
)
def test_replay_and_live_node_agree_frame_by_frame(private_domain, model, tmp_path, seconds):
    zero_ns = 0 if seconds[0] == 7 else START_NS
    bag = write_bag(
        tmp_path / "bag",
        [
            BagMessage("/image", picture(n), zero_ns + s * SECOND_NS, START_NS + n * SECOND_NS // 5)
            for n, s in enumerate(seconds)
        ],
    )
    loaded = checkpoint.load(model)
    try:
        live = played(bag, loaded, model)
    finally:
        rclpy.try_shutdown()

    again = replayed(bag, loaded)

    assert [result.stamp_ns for result in live] == [zero_ns + s * SECOND_NS for s in seconds]
    assert [result.stamp_ns for result in again] == [result.stamp_ns for result in live]
    for one, other in zip(live, again, strict=True):
        assert (one.frame, one.frame_id) == (other.frame, other.frame_id)
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.scores, other.scores)
