# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sealed link over topics: what goes to `features` and `feedback` are sealed datagrams.

    onboard: SealedLink --features--> SealedLink: ground
             SealedLink <--feedback-- SealedLink

A topic is a group: who subscribes hears everything, and each station has a session of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sc2_ros.link.air.arrival import Counts, Remote
from sc2_ros.link.air.endpoint import AirConfig, AirStatus, Delivery
from sc2_ros.link.air.key import load_key_file
from sc2_ros.link.air.sealed import SealedLink
from sc2_ros.link.air.wire import Channel, Role
from sc2_ros.link.on_air import HEADERS
from sc2_ros.nodes.background import BackgroundThread

TOPIC = Remote(("the topic", 0), is_group=True)


class TopicEndpoint(BackgroundThread):
    """As `Endpoint`, with topics in place of a socket.

    Args:
        config: its key and its cipher count.
        role: which end.
        deliver: takes what comes for the node; must only queue it.
        publish: takes a datagram; called from any thread, one call at a time.
    """

    def __init__(
        self,
        config: AirConfig,
        role: Role,
        deliver: Callable[[Delivery], None],
        publish: Callable[[bytes], None],
    ) -> None:
        """Read the key.

        Raises:
            KeyFileError: with what to do.
        """
        super().__init__()
        key = load_key_file(config.key_path)
        self._key = key.fingerprint
        self._deliver, self._publish = deliver, publish
        self._link = SealedLink(
            key, role, [TOPIC], cipher=config.cipher, recorded=role is Role.ONBOARD
        )
        self._sent = self._sent_bytes = self._received = self._received_bytes = 0
        self.overhead_bytes = self._link.overhead_bytes
        """Bytes of a datagram beyond its payload; those of the middleware are not known."""

    def send(self, channel: Channel, payload: bytes) -> None:
        """Send to all who subscribe."""
        with self._changed:
            self._link.send(channel, payload, None, time.monotonic())
            self._flush()

    def receive(self, datagram: bytes, arrival_s: float) -> None:
        """A message of the topic has come."""
        with self._changed:
            self._received += 1
            self._received_bytes += len(datagram)
            arrival = self._link.receive(datagram, TOPIC.address, time.monotonic())
            self._flush()
        if arrival is not None:
            size_bytes = len(datagram) + HEADERS["topic"]
            self._deliver(
                Delivery(arrival.channel, arrival.payload, arrival.peer, arrival_s, 0, size_bytes)
            )

    def status(self) -> AirStatus:
        """What diagnostics show."""
        with self._changed:
            return AirStatus(
                key=self._key,
                local=TOPIC.address,
                peers=self._link.peers(),
                counts=Counts(**self._link.counts.as_dict()),
                sent=self._sent,
                sent_bytes=self._sent_bytes,
                received=self._received,
                received_bytes=self._received_bytes,
                send_errors={},
            )

    def _run(self) -> None:
        with self._changed:
            while not self._stopping:
                now_s = time.monotonic()
                due_s = self._link.turn(now_s)
                self._flush()
                self._changed.wait(max(0.0, due_s - now_s))

    def _flush(self) -> None:
        for datagram, _ in self._link.outgoing():
            self._sent += 1
            self._sent_bytes += len(datagram)
            self._publish(datagram)
