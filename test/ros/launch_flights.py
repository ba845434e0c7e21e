# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Launch tests of demo.launch.py and fleet.launch.py: `launch_test test/ros/launch_flights.py`."""

import os
import tempfile
import time
import unittest
from dataclasses import dataclass
from pathlib import Path

import launch_testing
import rclpy
from ament_index_python.packages import get_package_share_path
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_testing.actions import ReadyToTest
from launch_testing.asserts import assertExitCodes
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import qos_profile_sensor_data
from vision_msgs.msg import Detection2DArray

from launch import LaunchDescription

DEADLINE_S = 300.0
SLOW_CAMERA = """
/**/camera_node:
  ros__parameters: {fps: 3.0, size: 192x160}
/**/onboard_node:
  ros__parameters: {rate.mode: fixed}
"""


@dataclass(frozen=True)
class Flight:
    """A launch file, its argument for the drone's parameters, and what comes of it."""

    file: str
    drone_file: str
    drones: tuple[str, ...]
    nodes: int


FLIGHTS = (
    Flight("demo.launch.py", "params_file", ("",), 4),
    Flight("fleet.launch.py", "drone_params_file", ("drone1/", "drone2/", "drone3/"), 10),
)


@launch_testing.parametrize("flight", FLIGHTS)
def generate_test_description(flight: Flight) -> LaunchDescription:
    """The whole of it in a namespace, over a good link."""
    path = get_package_share_path("sc2_ros") / "launch" / flight.file
    slow = Path(tempfile.mkdtemp()) / "slow.yaml"
    slow.write_text(SLOW_CAMERA, "utf-8")
    arguments = {"namespace": "trial", "link": "5mbit,10ms", flight.drone_file: str(slow)}
    arguments["sigterm_timeout"] = str(DEADLINE_S)  # a busy machine is no failure
    if flight.file == "fleet.launch.py":
        arguments["simulate"] = "true"
    included = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(path)), launch_arguments=arguments.items()
    )
    return LaunchDescription([included, ReadyToTest()])


class TestFlight(unittest.TestCase):
    """While the nodes run."""

    def setUp(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=int(os.environ.get("ROS_DOMAIN_ID") or 0))
        self.node = rclpy.create_node("tester", context=self.context)
        self.executor = rclpy.executors.SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)

    def tearDown(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()

    def wait_for(self, condition, what):
        give_up = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < give_up, f"{what} did not come about"
            self.executor.spin_once(timeout_sec=0.05)

    def test_every_drone_has_detections_and_a_parameter_changes(self, flight: Flight) -> None:
        heard = {drone: [] for drone in flight.drones}
        for drone in flight.drones:
            topic = f"/trial/{drone}detections"
            self.node.create_subscription(
                Detection2DArray, topic, heard[drone].append, qos_profile_sensor_data
            )

        def seen():
            return all(any(m.header.frame_id == "camera" for m in heard[d]) for d in heard)

        self.wait_for(seen, "detections of every drone")

        client = AsyncParameterClient(self.node, "/trial/ground_node")
        self.wait_for(client.services_are_ready, "the parameter services")
        change = client.set_parameters([Parameter("classes", value="person")])
        self.wait_for(change.done, "an answer")

        assert change.result().results[0].successful


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """After SIGINT."""

    def test_every_node_ends_cleanly(self, proc_info, flight: Flight) -> None:
        assert len(proc_info.processes()) == flight.nodes
        assertExitCodes(proc_info)
