# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Module-level functions of rclpy (`init`, `spin`, ...), over the embedded runtime."""

from collections.abc import Sequence

from . import logging as logging  # rclpy.logging
from .context import Context, get_default_context
from .executor import SingleThreadedExecutor
from .node import Node


def init(
    *,
    args: Sequence[str] | None = None,
    context: Context | None = None,
    domain_id: int | None = None,
) -> None:
    """Join the ROS graph; `args` is a command line with `--ros-args` (default: sys.argv)."""
    (context or get_default_context()).init(args, domain_id)


def ok(*, context: Context | None = None) -> bool:
    """Whether the process is in the graph and no signal has ended it."""
    return (context or get_default_context()).ok()


def shutdown(*, context: Context | None = None) -> None:
    """Leave the graph; RuntimeError where that has happened already."""
    (context or get_default_context()).shutdown()


def try_shutdown(*, context: Context | None = None) -> None:
    """Leave the graph, if the process is in it."""
    (context or get_default_context()).try_shutdown()


def spin(node: Node, executor: SingleThreadedExecutor | None = None) -> None:
    """Run a node's callbacks until the context ends (ExternalShutdownException after a signal)."""
    executor = executor or SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    try:
        executor.spin()
    finally:
        executor.remove_node(node)


def spin_once(
    node: Node, *, executor: SingleThreadedExecutor | None = None, timeout_sec: float | None = None
) -> None:
    """Run what is ready, waiting up to `timeout_sec` for it."""
    executor = executor or SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    try:
        executor.spin_once(timeout_sec)
    finally:
        executor.remove_node(node)
