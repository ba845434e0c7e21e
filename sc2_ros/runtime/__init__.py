# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Embedded ROS 2 runtime: the part of rclpy's API that the nodes use, where there is no rclpy.

Import `sc2_ros.runtime.ros`; it gives the real rclpy wherever that can be imported.
"""
