# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a node as a process: exit code 0 after SIGINT or SIGTERM, 2 and one line after an error."""

from __future__ import annotations

import sys
from collections.abc import Callable

from sc2_ros.errors import Sc2Error
from sc2_ros.runtime.ros import ExternalShutdownException, Node, rclpy


def run(create: Callable[[], Node], args: list[str] | None = None) -> int:
    """Make a node, spin it until it is told to stop, and clean up.

    Args:
        create: the node's class.
        args: command line with `--ros-args`; None takes the process's own.

    Returns:
        The exit code.
    """
    node = None
    try:
        rclpy.init(args=args)
        node = create()
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Sc2Error as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr, flush=True)
        return 2
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
