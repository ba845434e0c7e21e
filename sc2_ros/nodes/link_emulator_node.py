# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The link emulator: a narrow radio between two nodes on one machine.

    features_in -> [queue, rate or trace, loss, delay] -> features_out
    feedback_out <- [ a second one, of the same kind ] <- feedback_in

For example::

    ros2 run sc2_ros link_emulator_node --ros-args -p link:=500kbit,40ms,2%
"""

from __future__ import annotations

import sys
import time

from sc2_ros.errors import LinkSpecError, ParameterError
from sc2_ros.link.sim.emulator import LinkModel, LinkPipe
from sc2_ros.link.sim.spec import LinkSpec, parse_link
from sc2_ros.media.messages import packet_bytes, packet_message
from sc2_ros.nodes import qos
from sc2_ros.nodes.background import BackgroundThread
from sc2_ros.nodes.diagnostics import Level, Status, to_message
from sc2_ros.nodes.parameter_server import ParameterServer
from sc2_ros.nodes.parameters import LINK_EMULATOR, Value
from sc2_ros.nodes.process import run
from sc2_ros.runtime.ros import (
    Clock,
    ClockType,
    DiagnosticArray,
    Float64,
    Node,
    UInt8MultiArray,
)

NUMBERS_HZ = 10.0
PERIOD_S = 1.0


class Direction(BackgroundThread):
    """One way through the emulator: a topic in, a topic out, a link between them.

    A thread publishes each packet when it arrives and sleeps in between: ticking often enough for
    that would take a tenth of a core on an idle link.
    """

    def __init__(self, node: Node, topic_in: str, topic_out: str) -> None:
        super().__init__()
        self._pipe = LinkPipe(LinkModel(LinkSpec()))
        self._sent = self._gone = 0
        self.loss = 0.0
        options = qos.overridable()
        self._out = node.create_publisher(
            UInt8MultiArray, topic_out, qos.own(qos.PACKETS), qos_overriding_options=options
        )
        node.create_subscription(
            UInt8MultiArray,
            topic_in,
            self._take,
            qos.own(qos.PACKETS),
            qos_overriding_options=options,
        )

    def imitate(self, model: LinkModel) -> None:
        """Take a link for the packets to come."""
        with self._changed:
            self._pipe.model = model
            self._sent = self._gone = 0

    def state(self, now_s: float) -> tuple[float, int]:
        """Capacity in bit/s and bytes that wait at the bottleneck."""
        with self._changed:
            model = self._pipe.model
            return model.capacity_bps(now_s), model.queued_bytes(now_s)

    def _take(self, message: UInt8MultiArray) -> None:
        now_s = time.monotonic()
        with self._changed:
            self._pipe.push(packet_bytes(message), now_s)
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._stopping:
                now_s = time.monotonic()
                for _, packet in self._pipe.pop(now_s):
                    self._out.publish(packet_message(packet))
                due_s = self._pipe.next_s
                self._changed.wait(None if due_s is None else max(0.0, due_s - now_s))

    def status(self, name: str, now_s: float, period_s: float) -> Status:
        """What happened in the last `period_s` seconds, for /diagnostics."""
        capacity_bps, queued_bytes = self.state(now_s)
        with self._changed:
            model = self._pipe.model
            gone = model.packets_lost + model.packets_dropped
            sent, lost = model.packets_sent - self._sent, gone - self._gone
            self._sent, self._gone = model.packets_sent, gone
        self.loss = lost / sent if sent else 0.0
        values = {
            "capacity_kbit_per_s": f"{capacity_bps / 1e3:.0f}",
            "queue_bytes": queued_bytes,
            "packets_per_s": f"{sent / period_s:.1f}",
            "loss": f"{self.loss:.3f}",
        }
        message = f"{sent / period_s:.0f} packets/s, {100 * self.loss:.0f} % of them lost"
        return Status(name, Level.OK, message, values)


class LinkEmulatorNode(Node):
    """Lets packets through as a radio link would: in real time, whatever /clock says."""

    def __init__(self) -> None:
        self._directions: tuple[Direction, ...] = ()  # destroyed before they are made
        super().__init__("link_emulator_node")
        parameters = ParameterServer(self, LINK_EMULATOR)
        self._up = Direction(self, "features_in", "features_out")
        self._down = Direction(self, "feedback_in", "feedback_out")
        self._directions = self._up, self._down
        self._apply(parse(parameters.values))
        parameters.watch(parse, self._apply)
        for direction in self._directions:
            direction.start()
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.RESULTS)
        self._numbers = {
            name: self.create_publisher(Float64, f"~/{name}", qos.RESULTS)
            for name in ("capacity_bps", "queue_bytes", "loss")
        }
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0 / NUMBERS_HZ, self._publish_numbers, clock=steady)
        self.create_timer(PERIOD_S, self._diagnose, clock=steady)
        parameters.warn_of_unused()
        self.get_logger().info(f"imitating the link {parameters['link']}")

    def _apply(self, config: tuple[LinkSpec, int]) -> None:
        spec, seed = config
        now_s = time.monotonic()
        self._up.imitate(LinkModel(spec, seed, start_s=now_s))
        self._down.imitate(LinkModel(spec, seed + 1, start_s=now_s))

    def _publish_numbers(self) -> None:
        for direction in self._directions:
            direction.check()
        capacity_bps, queued_bytes = self._up.state(time.monotonic())
        values = {
            "capacity_bps": capacity_bps,
            "queue_bytes": queued_bytes,
            "loss": self._up.loss,
        }
        for name, publisher in self._numbers.items():
            if publisher.get_subscription_count():
                publisher.publish(Float64(data=float(values[name])))

    def _diagnose(self) -> None:
        now_s = time.monotonic()
        statuses = [
            self._up.status("features", now_s, PERIOD_S),
            self._down.status("feedback", now_s, PERIOD_S),
        ]
        stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(to_message(statuses, stamp, self.get_name(), "link"))

    def destroy_node(self) -> None:
        """End the threads first: they publish."""
        for direction in self._directions:
            direction.stop()
        super().destroy_node()


def parse(values: dict[str, Value]) -> tuple[LinkSpec, int]:
    """Link and seed.

    Raises:
        ParameterError: if the link is neither a rate nor a trace.
    """
    try:
        return parse_link(str(values["link"])), int(values["seed"])
    except LinkSpecError as error:
        raise ParameterError(str(error)) from error


def main(args: list[str] | None = None) -> int:
    """Run the node; returns the exit code."""
    return run(LinkEmulatorNode, args)


if __name__ == "__main__":
    sys.exit(main())
