# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latency and throughput of packets by topic and by socket, on one machine.

    python benchmarks/air_latency.py --json benchmarks/results/air_latency.json

Another process sends every packet back. Latency is half of the round trip, one packet at a time,
200 a second; throughput is packets there and back with 32 under way. Rounds of the transports take
turns, so that what else the machine does meets all of them. The topics are those of the installed
middleware (best effort, as the nodes use them).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sc2_ros.link.air.endpoint import AirConfig, Delivery, Endpoint
from sc2_ros.link.air.key import new_key_file
from sc2_ros.link.air.wire import Channel, Role
from sc2_ros.media.messages import packet_bytes, packet_message
from sc2_ros.nodes import qos
from sc2_ros.nodes.topic_air import TopicEndpoint
from sc2_ros.runtime.ros import Node, SingleThreadedExecutor, UInt8MultiArray, rclpy

TRANSPORTS = ("topic", "topic sealed", "udp", "udp sealed")
PERIOD_S = 0.005
UNDER_WAY = 32
LOST_S = 1.0

Send = Callable[[bytes], object]


class Topics:
    """A node that publishes on one topic and takes from another, in a thread of its own."""

    def __init__(self, sends: str, takes: str, take: Callable[[bytes], None]) -> None:
        if not rclpy.ok():
            rclpy.init(args=[])
        node = Node(sends)
        self._publisher = node.create_publisher(UInt8MultiArray, sends, qos.PACKETS)
        node.create_subscription(
            UInt8MultiArray, takes, lambda message: take(packet_bytes(message)), qos.PACKETS
        )
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        threading.Thread(target=executor.spin, daemon=True).start()

    def send(self, packet: bytes) -> None:
        """Publish."""
        self._publisher.publish(packet_message(packet))


def open_end(
    transport: str, role: Role, port: int, key: str, take: Callable[[bytes], None]
) -> tuple[Send, int]:
    """One end of a transport: how to send, and its port."""
    channel = Channel.FEATURES if role is Role.ONBOARD else Channel.FEEDBACK
    sealed = key if transport.endswith("sealed") else ""

    def deliver(delivery: Delivery) -> None:
        take(delivery.payload)

    if transport.startswith("udp"):
        remotes = (f"127.0.0.1:{port}",) if role is Role.ONBOARD else ()
        endpoint = Endpoint(AirConfig("127.0.0.1:0", remotes, sealed), role, deliver)
        endpoint.start()
        return lambda packet: endpoint.send(channel, packet), int(endpoint.status().local[1])
    stem = transport.replace(" ", "_")
    names = f"{stem}_down", f"{stem}_up"
    names = names if role is Role.ONBOARD else names[::-1]
    if not sealed:
        return Topics(*names, take).send, 0
    link: list[TopicEndpoint] = []
    topics = Topics(*names, lambda datagram: link[0].receive(datagram, time.monotonic()))
    link.append(TopicEndpoint(AirConfig(key_file=key), role, deliver, topics.send))
    link[0].start()
    return lambda packet: link[0].send(channel, packet), 0


def echo(transport: str, key: str, ready: Any) -> None:
    """The other process: sends back what comes."""
    waiting: list[Send] = []
    send, port = open_end(transport, Role.GROUND, 0, key, lambda packet: waiting[0](packet))
    waiting.append(send)
    ready.send(port)
    ready.recv()


class Pair:
    """This end of a transport, and the process at the other."""

    def __init__(self, transport: str, key: str) -> None:
        self._arrived = threading.Condition()
        self._back: dict[int, float] = {}
        self._number = 0
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=echo, args=(transport, key, other), daemon=True)
        self._process.start()
        self._send, _ = open_end(transport, Role.ONBOARD, self._pipe.recv(), key, self._take)
        give_up_s = time.monotonic() + 60
        while not self.round_trips(1, 100, 1):
            if time.monotonic() > give_up_s:
                raise SystemExit(f"error: nothing comes back by {transport}")

    def _take(self, packet: bytes) -> None:
        now_s = time.perf_counter()
        with self._arrived:
            self._back[int.from_bytes(packet[:8], "little")] = now_s
            self._arrived.notify()

    def round_trips(
        self, count: int, size_bytes: int, under_way: int, period_s: float = 0.0
    ) -> list[float]:
        """Send packets, at most so many under way; the round trips of those that came, seconds."""
        sent: dict[int, float] = {}
        waiting: set[int] = set()
        for _ in range(count):
            self._number += 1
            waiting.add(self._number)
            sent[self._number] = time.perf_counter()
            self._send(self._number.to_bytes(8, "little") + bytes(size_bytes - 8))
            self._await(waiting, under_way - 1)
            time.sleep(max(0.0, sent[self._number] + period_s - time.perf_counter()))
        self._await(waiting, 0)
        return [self._back[number] - at_s for number, at_s in sent.items() if number in self._back]

    def _await(self, waiting: set[int], most: int) -> None:
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(waiting - self._back.keys()) <= most, LOST_S)
        waiting -= self._back.keys()
        if not came:
            waiting.clear()

    def close(self) -> None:
        """End the other process."""
        self._pipe.send(None)
        self._process.join(10)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--packets", type=int, default=600, help="of a round, for the latency")
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1200])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    trips: dict[tuple[str, int], list[float]] = {}
    rates: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        key = str(Path(folder) / "air.key")
        new_key_file(Path(key))
        pairs = {transport: Pair(transport, key) for transport in TRANSPORTS}
        for _ in range(args.rounds):
            for size in args.sizes:
                for transport, pair in pairs.items():
                    case = transport, size
                    came = pair.round_trips(args.packets, size, 1, PERIOD_S)
                    trips.setdefault(case, []).extend(came)
                    begun_s = time.perf_counter()
                    came = pair.round_trips(4 * args.packets, size, UNDER_WAY)
                    rate = len(came) / (time.perf_counter() - begun_s)
                    rates.setdefault(case, []).append(rate)
        for pair in pairs.values():
            pair.close()
    rows = []
    for (transport, size), seconds in trips.items():
        p50, p95 = np.percentile(seconds, [50, 95]) / 2 * 1e6
        rows.append(
            {
                "transport": transport,
                "bytes": size,
                "p50_us": round(float(p50)),
                "p95_us": round(float(p95)),
                "packets_per_s": round(statistics.median(rates[transport, size])),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    if args.json:
        args.json.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
