# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Thin ROS 2 nodes around the pipelines, written once against rclpy's interface."""
