# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What crosses the border of the air link: addresses, arrivals, counts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

from sc2_ros.link.air.wire import Channel

Address = tuple[str, int] | tuple[str, int, int, int]
"""A socket address of IPv4 or IPv6."""


@dataclass(frozen=True)
class Remote:
    """Where an endpoint calls. A group is a multicast address with any number of members."""

    address: Address
    is_group: bool = False


@dataclass(frozen=True)
class Arrival:
    """A payload that came over the air."""

    channel: Channel
    payload: bytes
    peer: int
    """Number of the other end, for `send(..., to=peer)`; a restarted one has another number."""


@dataclass(frozen=True)
class PeerState:
    """One other end, for diagnostics."""

    number: int
    address: Address
    heard_s: float
    """When something of it was last accepted."""
    rtt_s: float | None
    """Round trip of the handshake, seconds; None where the other end called."""
    used: bool = True
    """Whether payloads go to it; False for a station that only stands by."""


@dataclass
class Counts:
    """What became of the datagrams that came, and of those that were to be sent."""

    accepted: int = 0
    """Payloads for the nodes."""
    replayed: int = 0
    """Came before, or too late to tell."""
    forged: int = 0
    """Carry a session's number, but not its tag."""
    unknown: int = 0
    """Of no session that we have: of a stranger, or of one that ended."""
    malformed: int = 0
    """Not of any form of ours."""
    other_cipher: int = 0
    """Calls of an end with our key that is set to another cipher."""
    unused: int = 0
    """Payloads of a station that stands by."""
    unsent: int = 0
    """Payloads that had no one to go to, or no counter left."""

    def as_dict(self) -> dict[str, int]:
        """Name and number, in this order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class AirLink(Protocol):
    """What `Endpoint` needs of a link; SealedLink and OpenLink are such."""

    counts: Counts
    overhead_bytes: int
    """What a datagram has beyond its payload."""
    remotes: tuple[Remote, ...]
    """Whom it calls."""
    used: frozenset[Remote] | None
    """Whom payloads go to, and whose payloads are taken; None for everybody."""

    def receive(self, datagram: bytes, source: Address, now_s: float) -> Arrival | None:
        """Take a datagram; what it brings to the nodes, if anything. Never raises on content."""

    def send(self, channel: Channel, payload: bytes, to: int | None, now_s: float) -> int:
        """Queue a payload for one peer or for all; how many datagrams that makes."""

    def turn(self, now_s: float) -> float:
        """Do what is due (calls, keep-alives); when there will be something to do again."""

    def outgoing(self) -> list[tuple[bytes, Address]]:
        """Take the datagrams that are to be sent, oldest first."""

    def peers(self) -> list[PeerState]:
        """Who can be sent to."""

    def heard_s(self, remote: Remote) -> float:
        """When something of it was last accepted; minus infinity where nothing was."""

    def unanswered_s(self, remote: Remote, now_s: float) -> float:
        """For how long it owes an answer; infinity where it never gave one."""

    def ask(self, remote: Remote, now_s: float) -> None:
        """Send it a question, if it has answered before."""
