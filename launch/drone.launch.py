# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starts a camera driver and the drone's node.

`ros2 launch sc2_ros drone.launch.py camera:=usb_cam namespace:=drone1`

    [camera driver] --camera/...--> [onboard_node] --features--> radio --> ground.launch.py

The drivers are packages of their own (`sudo apt install ros-jazzy-usb-cam`). Their names,
parameters and topics here are those that their documentation gives; copy this file for another.
"""

from dataclasses import dataclass, field

from launch.actions import DeclareLaunchArgument, GroupAction, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushRosNamespace

from launch import LaunchContext, LaunchDescription
from sc2_ros.nodes import launch_parts as parts


@dataclass(frozen=True)
class Driver:
    """A camera driver: package, executable, the topic of its colour images, and parameters."""

    package: str
    executable: str
    image: str
    parameters: dict = field(default_factory=dict)


DRIVERS = {
    "usb_cam": Driver(
        "usb_cam",
        "usb_cam_node_exe",
        "image_raw",
        {"video_device": "/dev/video0", "pixel_format": "yuyv", "framerate": 15.0},
    ),
    "v4l2_camera": Driver(
        "v4l2_camera",
        "v4l2_camera_node",
        "image_raw",
        {"video_device": "/dev/video0", "image_size": [640, 480]},
    ),
    "realsense": Driver(
        "realsense2_camera",
        "realsense2_camera_node",
        "camera/color/image_raw",
        {"enable_depth": False, "rgb_camera.color_profile": "640x480x15"},
    ),
    "gscam": Driver(
        "gscam",
        "gscam_node",
        "camera/image_raw",
        {"gscam_config": "v4l2src ! videoconvert", "image_encoding": "rgb8"},
    ),
}


def generate_launch_description() -> LaunchDescription:
    """Driver and onboard node in one namespace; both are started again if they end."""
    arguments = [
        *parts.common("Namespace of both nodes"),
        parts.params_file("params_file", "onboard.yaml", "drone's side"),
        DeclareLaunchArgument("camera", choices=list(DRIVERS), description="Camera driver"),
        DeclareLaunchArgument(
            "camera_params_file",
            default_value="",
            description="ROS parameter file of the driver; it wins over the values in this file",
        ),
        *parts.topics({topic: topic for topic in ("features", "feedback")}),
    ]
    nodes = GroupAction(
        [PushRosNamespace(LaunchConfiguration("namespace")), OpaqueFunction(function=_both)]
    )
    return parts.description(__file__, ["onboard_node"], arguments, nodes)


def _both(context: LaunchContext) -> list:
    driver = DRIVERS[LaunchConfiguration("camera").perform(context)]
    file = LaunchConfiguration("camera_params_file").perform(context)
    camera = Node(
        package=driver.package,
        executable=driver.executable,
        name="camera",
        output="screen",
        parameters=[driver.parameters, *([file] if file else [])],
        respawn=LaunchConfiguration("respawn").perform(context).lower() == "true",
        respawn_delay=parts.RESPAWN_DELAY_S,
    )
    remapped = [("image", driver.image), *parts.remappings(("features", "feedback"))]
    return [camera, parts.node("onboard_node", "params_file", remapped=remapped)]
