# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A link with its socket and its thread: what a node opens."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sc2_ros.errors import AirAddressError, ParameterError
from sc2_ros.link.air.address import family_of, ip_udp_bytes, remote
from sc2_ros.link.air.aead import CIPHERS
from sc2_ros.link.air.arrival import Address, AirLink, Counts, PeerState
from sc2_ros.link.air.handover import Handover
from sc2_ros.link.air.key import AirKey, load_key_file
from sc2_ros.link.air.open import OpenLink
from sc2_ros.link.air.sealed import SealedLink
from sc2_ros.link.air.udp import UdpSocket
from sc2_ros.link.air.wire import Channel, Role

BATCH = 64
"""Datagrams taken before whatever else is due is looked at."""
FOLLOW_EVERY_S = 1.0
"""How often is looked whether an interface has gone and come back."""


@dataclass(frozen=True)
class AirConfig:
    """What a user sets.

    local: host:port to bind, port 0 for any. remotes: whom to call, unicast or multicast. standby:
    whom to send to while none of the remotes answers, the preferred one first. key_file: empty for
    an open link. fixed: answer to the one remote, wherever datagrams come from (wfb-ng).
    """

    local: str = "0.0.0.0:0"
    remotes: tuple[str, ...] = ()
    key_file: str = ""
    cipher: str = "aes-ccm-8"
    fixed: bool = False
    interface: str = ""
    dscp: int = 0
    ecn: int = 0
    standby: tuple[str, ...] = ()

    @property
    def key_path(self) -> Path:
        """Where the key file is."""
        return Path(self.key_file).expanduser()


@dataclass(frozen=True)
class Delivery:
    """A payload, with what the receiver's estimators need: when and how it came.

    arrival_s: kernel's receive time on `time.monotonic`. ecn: 0 not capable, 1 L4S, 2 classic,
    3 congestion experienced. size_bytes: of the whole datagram with IP and UDP headers.
    """

    channel: Channel
    payload: bytes
    peer: int
    arrival_s: float
    ecn: int
    size_bytes: int


@dataclass(frozen=True)
class AirStatus:
    """For diagnostics.

    key: fingerprint, empty without a key. sent_bytes, received_bytes: of a socket with IP and UDP
    headers. place: 0, or which standby serves.
    """

    key: str
    local: Address
    peers: list[PeerState]
    counts: Counts
    sent: int
    sent_bytes: int
    received: int
    received_bytes: int
    send_errors: dict[str, int]
    place: int = 0


class Endpoint:
    """Sends at once from any thread, and hands over what comes in its own thread.

    `deliver` must return soon (put the delivery in a queue): nothing is received meanwhile. What it
    raises ends the thread; `check` raises it where the node sees it.
    """

    def __init__(self, config: AirConfig, role: Role, deliver: Callable[[Delivery], None]) -> None:
        """Read the key, bind the socket; the thread begins with `start`.

        Raises:
            KeyFileError, AirAddressError: with what to do.
        """
        self._key = load_key_file(config.key_path) if config.key_file else None
        self._deliver = deliver
        self._socket, self._link, self._handover = open_link(config, role, self._key)
        self._lock = threading.Lock()
        self._wake, self._waker = socket.socketpair()
        self._stopping = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, name="air link", daemon=True)

    @property
    def overhead_bytes(self) -> int:
        """Bytes on air of a datagram beyond its payload, without those of the radio itself."""
        with self._lock:
            addresses = [peer.address for peer in self._link.peers()]
        addresses += [remote.address for remote in self._link.remotes]  # before any answers
        addresses.append(self._socket.address)
        return self._link.overhead_bytes + ip_udp_bytes(addresses[0])

    def start(self) -> None:
        """Begin to call and to receive."""
        self._thread.start()

    def send(self, channel: Channel, payload: bytes, to: int | None = None) -> int:
        """Send to one peer or to all; bytes that the kernel took, with IP and UDP headers."""
        with self._lock:
            self._link.send(channel, payload, to, time.monotonic())
            return self._flush()

    def check(self) -> None:
        """Raise what ended the thread, if anything did."""
        if self._error is not None:
            raise self._error

    def status(self) -> AirStatus:
        """What diagnostics show."""
        with self._lock:
            return AirStatus(
                key=self._key.fingerprint if self._key else "",
                local=self._socket.address,
                peers=self._link.peers(),
                counts=Counts(**self._link.counts.as_dict()),
                sent=self._socket.sent,
                sent_bytes=self._socket.sent_bytes,
                received=self._socket.received,
                received_bytes=self._socket.received_bytes,
                send_errors=dict(self._socket.send_errors),
                place=self._handover.place if self._handover is not None else 0,
            )

    def stop(self) -> None:
        """End the thread and free the port."""
        self._stopping = True
        self._waker.send(b"\0")
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            self._socket.close()
        self._wake.close()
        self._waker.close()

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException as error:  # handed to the node's thread
            self._error = error

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLIN)
        poll.register(self._wake.fileno(), select.POLLIN)
        due_s = follow_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            if now_s >= due_s:
                with self._lock:
                    if now_s >= follow_s:
                        self._socket.follow_interfaces()
                        follow_s = now_s + FOLLOW_EVERY_S
                    due_s = self._link.turn(now_s)
                    if self._handover is not None:
                        self._handover.turn(now_s)
                    self._flush()
            poll.poll(max(0.0, due_s - time.monotonic()) * 1000)
            if self._stopping:
                return
            for delivery in self._take():
                self._deliver(delivery)

    def _take(self) -> list[Delivery]:
        deliveries = []
        received = self._socket.receive(BATCH)
        with self._lock:
            for item in received:
                arrival = self._link.receive(item.datagram, item.source, time.monotonic())
                if arrival is not None:
                    size_bytes = len(item.datagram) + ip_udp_bytes(item.source)
                    deliveries.append(
                        Delivery(
                            arrival.channel,
                            arrival.payload,
                            arrival.peer,
                            item.arrival_s,
                            item.ecn,
                            size_bytes,
                        )
                    )
            self._flush()
        return deliveries

    def _flush(self) -> int:
        """Send what the link has queued; the lock is held. Bytes on air."""
        return sum(
            len(datagram) + ip_udp_bytes(address)
            for datagram, address in self._link.outgoing()
            if self._socket.send(datagram, address)
        )


def open_link(
    config: AirConfig, role: Role, key: AirKey | None
) -> tuple[UdpSocket, AirLink, Handover | None]:
    """The socket and the state machines that a configuration describes."""
    if config.cipher not in CIPHERS:
        raise ParameterError(f"air.cipher is '{config.cipher}'; there are {', '.join(CIPHERS)}")
    family = family_of(config.local)
    remotes = [remote(text, family, config.fixed) for text in config.remotes]
    if config.fixed and len(remotes) != 1:
        raise AirAddressError(f"air.fixed needs exactly one air.remote, there are {len(remotes)}")
    standby = [remote(text, family, config.fixed) for text in config.standby]
    both = remotes + standby
    is_odd = not remotes or len(set(both)) < len(both) or any(one.is_group for one in both)
    if standby and is_odd:
        raise AirAddressError(
            "air.standby needs air.remote, other addresses than it has, no multicast group, "
            "and air.fixed: false"
        )
    groups = [one.address for one in remotes if one.is_group and not config.fixed]
    opened = UdpSocket(
        config.local, groups, interface=config.interface, dscp=config.dscp, ecn=config.ecn
    )
    link: AirLink
    if key is None:
        link = OpenLink(role, both, fixed=config.fixed)
    else:
        link = SealedLink(key, role, both, cipher=config.cipher, fixed=config.fixed)
    choices = [tuple(remotes), *((one,) for one in standby)]
    return opened, link, Handover(link, choices) if standby else None
