# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Show a row for each drone of the ground stations: age, rate, link, objects.

  sc2 fleet
  sc2 fleet --view 8080                              # the same as a page for browsers
  sc2 fleet --once --ros-args -r __ns:=/squadron     # the stations' namespace; one table

Listens to /diagnostics and to the drones' detections. Age is that of the newest image with results,
by the clocks of camera and this machine.
"""

from __future__ import annotations

import argparse
import time
from functools import partial

from rich.console import Console
from rich.live import Live

from sc2_ros.cli.api.checks import check_positive
from sc2_ros.cli.api.fleet_board import FleetBoard, Row, table
from sc2_ros.cli.api.options import add_view, view_of
from sc2_ros.media.messages import to_ns
from sc2_ros.nodes import qos
from sc2_ros.runtime import ros

_REDRAW_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.set_defaults(takes_ros_arguments=True)
    parser.add_argument("--once", action="store_true", help="print one table, and end")
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="to listen for with --once (default: 3)"
    )
    add_view(parser)


def main(args: argparse.Namespace) -> int:
    """Show the table until ctrl-C, or once."""
    check_positive(args, "seconds")
    ros.rclpy.init(args=["fleet_overview", *args.ros])
    console = Console()
    try:
        overview = FleetOverview()
        if args.once:
            _spin(overview, args.seconds)
            console.print(table(overview.rows()))
            return 0
        with view_of(args, console, "drones") as view:
            if view is not None:
                while ros.rclpy.ok():
                    _spin(overview, _REDRAW_S)
                    view.fleet(overview.rows())
                return 0
        with Live(auto_refresh=False, screen=True) as live:
            while ros.rclpy.ok():
                _spin(overview, _REDRAW_S)
                live.update(table(overview.rows()), refresh=True)
    except ros.ExternalShutdownException:  # what ROS makes of SIGTERM
        raise KeyboardInterrupt from None
    finally:
        ros.rclpy.try_shutdown()
    return 0


class FleetOverview(ros.Node):
    """Fills the board; finds the drones by what the stations say of them."""

    def __init__(self) -> None:
        super().__init__("fleet_overview")
        self.board = FleetBoard()
        self._heard: set[str] = set()
        self.create_subscription(
            ros.DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.RESULTS
        )

    def rows(self) -> list[Row]:
        """One for each drone, as things are now."""
        return self.board.rows(time.time_ns(), time.monotonic())

    def _on_diagnostics(self, message: ros.DiagnosticArray) -> None:
        now_s = time.monotonic()
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
            drone = self.board.on_status(status.name, level, status.message, values, now_s)
            if drone is not None and drone not in self._heard:
                self._heard.add(drone)
                self.create_subscription(
                    ros.Detection2DArray,
                    f"{drone}/detections" if drone else "detections",
                    partial(self._on_detections, drone),
                    qos.RESULTS,
                )

    def _on_detections(self, drone: str, message: ros.Detection2DArray) -> None:
        self.board.on_result(drone, to_ns(message.header.stamp), len(message.detections))


def _spin(node: ros.Node, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0 and ros.rclpy.ok():
        ros.rclpy.spin_once(node, timeout_sec=left_s)
