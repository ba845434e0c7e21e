# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A launch test of demo.launch.py: `launch_test test/ros/launch_demo.py`."""

import os
import time
import unittest

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


def generate_test_description() -> LaunchDescription:
    """The whole demo in a namespace, over a good link."""
    path = get_package_share_path("sc2_ros") / "launch" / "demo.launch.py"
    arguments = {"namespace": "demo", "link": "5mbit,10ms", "input": "synthetic:3"}
    arguments["sigterm_timeout"] = str(DEADLINE_S)  # a busy machine is no failure
    demo = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(path)), launch_arguments=arguments.items()
    )
    return LaunchDescription([demo, ReadyToTest()])


class TestFlight(unittest.TestCase):
    """While the four nodes run."""

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

    def test_detections_come_and_a_parameter_changes(self) -> None:
        heard = []
        self.node.create_subscription(
            Detection2DArray, "/demo/detections", heard.append, qos_profile_sensor_data
        )
        self.wait_for(lambda: any(m.header.frame_id == "camera" for m in heard), "detections")

        client = AsyncParameterClient(self.node, "/demo/ground_node")
        self.wait_for(client.services_are_ready, "the parameter services")
        change = client.set_parameters([Parameter("classes", value="person")])
        self.wait_for(change.done, "an answer")

        assert change.result().results[0].successful


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """After SIGINT."""

    def test_every_node_ends_cleanly(self, proc_info) -> None:
        assert len(proc_info.processes()) == 4
        assertExitCodes(proc_info)
