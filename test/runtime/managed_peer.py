# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A managed node that does nothing, as a process."""

import sys

from sc2_ros.runtime.ros import ExternalShutdownException, LifecycleNode, rclpy

rclpy.init(args=sys.argv)
try:
    rclpy.spin(LifecycleNode("managed"))
except ExternalShutdownException:
    pass
finally:
    rclpy.try_shutdown()
