# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The socket of the air link: kernel receive times, ECN marks, DSCP, groups, one interface."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sc2_ros.errors import AirAddressError
from sc2_ros.link.air.address import family_of, ip_udp_bytes, normal, resolve
from sc2_ros.link.air.arrival import Address

LINUX = sys.platform == "linux"
# Linux's numbers; the socket module of Python 3.10 to 3.13 lacks these names.
SO_TIMESTAMPNS = 35
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_PROBE = 10, 23, 3
_TIMESPEC = struct.Struct("@ll")

DATAGRAM_BYTES = 2048
RECEIVE_BUFFER_BYTES = 1 << 20
ANCILLARY_BYTES = 128
LONGEST_WAIT_S = 1.0


@dataclass(frozen=True)
class Received:
    """A datagram, where it is from, when the kernel got it (time.monotonic), its ECN bits."""

    datagram: bytes
    source: Address
    arrival_s: float
    ecn: int


class UdpSocket:
    """A bound UDP socket that never blocks.

    DF is set on what it sends, and path MTUs that ICMP messages claim are ignored: a datagram is
    never cut into fragments, and a forged ICMP message stops nothing.
    """

    def __init__(
        self,
        local: str,
        groups: Sequence[Address] = (),
        *,
        interface: str = "",
        dscp: int = 0,
        ecn: int = 0,
    ) -> None:
        """Bind.

        local: host:port, port 0 for any. groups: multicast addresses to join. interface: name,
        empty for any. dscp: 0 to 63. ecn: what to mark sent datagrams with (0 not capable, 1 L4S,
        2 classic).

        Raises:
            AirAddressError: it cannot be bound, or the interface is not there.
        """
        self.sent = self.received = 0
        self.sent_bytes = self.received_bytes = 0
        """With IP and UDP headers."""
        self.send_errors: Counter[str] = Counter()
        self.family = family_of(local)
        self._groups, self._interface, self._tos = tuple(groups), interface, dscp << 2 | ecn
        self._index = 0
        """The interface's number; another one where it was taken away and has come back."""
        try:
            self._socket, self._index = self._opened(resolve(local, self.family))
        except OSError as error:
            where = f" on {interface}" if interface else ""
            raise AirAddressError(
                f"air.local: cannot bind {local}{where}: {error.strerror}"
            ) from None

    def _opened(self, local: Address) -> tuple[socket.socket, int]:
        """A socket that is set up, and the number of its interface."""
        sock = socket.socket(self.family, socket.SOCK_DGRAM)
        try:
            return sock, self._set_up(sock, local)
        except OSError:
            sock.close()
            raise

    def _set_up(self, sock: socket.socket, local: Address) -> int:
        tos, v6 = self._tos, self.family == socket.AF_INET6
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        if v6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
        if LINUX:
            self._set_up_linux(sock, v6)
        if self._groups:  # Several endpoints of one machine may be members.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(local)
        index = socket.if_nametoindex(self._interface) if self._interface else 0
        for group in self._groups:
            self._join(sock, group, index)
        return index

    def _set_up_linux(self, sock: socket.socket, v6: bool) -> None:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)
        if v6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE)
        if self._interface:
            name = self._interface.encode() + b"\0"
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name)

    def _join(self, sock: socket.socket, group: Address, index: int) -> None:
        host = group[0]
        if self.family == socket.AF_INET6 and not host.startswith("::ffff:"):
            if index == 0 and len(group) == 4:
                index = int(group[3])
            member = socket.inet_pton(socket.AF_INET6, host) + struct.pack("@I", index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
            if index:
                packed = struct.pack("@I", index)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, packed)
            return
        packed = socket.inet_aton(host.removeprefix("::ffff:"))
        member = packed + struct.pack("=4si", bytes(4), index)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        if index:
            sock.setsockopt(
                socket.IPPROTO_IP,
                socket.IP_MULTICAST_IF,
                struct.pack("=4s4si", bytes(4), bytes(4), index),
            )

    def follow_interfaces(self) -> None:
        """Use interfaces that were taken away and have come back; to be called now and then.

        A modem or a Wi-Fi adapter that restarts is another interface with the same name, and a
        socket stays with the one that it was bound to, and a member there.
        """
        if not self._interface:
            for group in self._groups:
                with contextlib.suppress(OSError):  # as a rule, that we are members there already
                    self._join(self._socket, group, 0)
            return
        with contextlib.suppress(OSError):  # it is away, or has no address yet
            if socket.if_nametoindex(self._interface) != self._index:
                fresh, index = self._opened(self._socket.getsockname())
                # Under the same number, for whoever polls it.
                os.dup2(fresh.fileno(), self._socket.fileno(), inheritable=False)
                fresh.close()
                self._index = index

    @property
    def address(self) -> Address:
        """Where it is bound."""
        return normal(self._socket.getsockname())

    def fileno(self) -> int:
        """For `poll`."""
        return self._socket.fileno()

    def receive(self, limit: int) -> list[Received]:
        """At most `limit` datagrams of those that wait; errors of the network end the list."""
        taken: list[Received] = []
        for _ in range(limit):
            try:
                datagram, ancillary, flags, source = self._socket.recvmsg(
                    DATAGRAM_BYTES, ANCILLARY_BYTES
                )
            except OSError:  # Nothing more waits, or the interface has gone for now.
                break
            source = normal(source)
            self.received += 1
            self.received_bytes += len(datagram) + ip_udp_bytes(source)
            if flags & socket.MSG_TRUNC:
                datagram = b""  # Longer than any of ours; the link counts it as malformed.
            stamp_ns, ecn = read_ancillary(ancillary)
            taken.append(Received(datagram, source, arrival_s(stamp_ns), ecn))
        return taken

    def send(self, datagram: bytes, address: Address) -> bool:
        """Send it now or not at all; whether the kernel took it."""
        try:
            self._socket.sendto(datagram, address)
        except OSError as error:
            self.send_errors[errno.errorcode.get(error.errno or 0, str(error))] += 1
            return False
        self.sent += 1
        self.sent_bytes += len(datagram) + ip_udp_bytes(address)
        return True

    def close(self) -> None:
        """Free the port."""
        self._socket.close()


def read_ancillary(ancillary: list[tuple[int, int, bytes]]) -> tuple[int | None, int]:
    """(kernel's receive time in ns of CLOCK_REALTIME, ECN bits)."""
    stamp_ns, ecn = None, 0
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            stamp_ns = seconds * 1_000_000_000 + nanoseconds
        elif level == socket.IPPROTO_IP and kind == socket.IP_TOS:
            ecn = data[0] & 3
        elif level == socket.IPPROTO_IPV6 and kind == socket.IPV6_TCLASS:
            ecn = int.from_bytes(data[:4], sys.byteorder) & 3
    return stamp_ns, ecn


def arrival_s(stamp_ns: int | None) -> float:
    """The kernel's time on the monotonic clock; now, where the wall clock was set in between."""
    now_s = time.monotonic()
    if stamp_ns is None:
        return now_s
    age_s = (time.time_ns() - stamp_ns) * 1e-9
    return now_s - age_s if 0 <= age_s <= LONGEST_WAIT_S else now_s
