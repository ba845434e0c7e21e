# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The open link: the same datagrams without a key, one byte before each payload.

Anybody who can send to the port is believed. It is for links that protect themselves (WireGuard,
wfb-ng with its own keys), for benches and for radios that have one direction only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from sc2_ros.link.air import wire
from sc2_ros.link.air.arrival import Address, Arrival, Counts, PeerState, Remote
from sc2_ros.link.air.peer import (
    CALL_AFTER_S,
    CALL_EVERY_S,
    FORGET_AFTER_S,
    GONE_AFTER_S,
    KEEP_ALIVE_S,
    SLOW_CALL_EVERY_S,
)

MAX_PEERS = 32
TURN_S = 0.1
TOKEN_BYTES = 4


def control_head(role: wire.Role, asks: bool) -> bytes:
    """A keep-alive of an end of this role, or the answer to one, without its token."""
    flags = wire.ASKS * asks | wire.FROM_GROUND * (role is wire.Role.GROUND)
    return bytes([wire.OPEN | wire.CONTROL, flags])


class _Peer:
    def __init__(self, number: int, address: Address, remote: Remote | None) -> None:
        self.number, self.address, self.remote = number, address, remote
        self.token = os.urandom(TOKEN_BYTES)
        """In our questions; the answer brings it back, and so tells what it answers."""
        self.answers_from = address
        self.heard_s = float("-inf")
        self.sent_s = float("-inf")
        self.pinged_s = float("-inf")
        self.asked_s: float | None = None


class OpenLink:
    """Datagrams and the time go in, payloads and datagrams come out; see AirLink.

    Remotes are sent to whether they answer or not. Who sends to us becomes a peer, and is forgotten
    when silent; but a remote that answers from another of its addresses stays one peer, which is
    sent to where it was called: that this address works is known, of the other one it is not.
    """

    def __init__(
        self, role: wire.Role, remotes: Sequence[Remote] = (), *, fixed: bool = False
    ) -> None:
        """role, remotes, fixed: as in SealedLink."""
        self.counts = Counts()
        self.used: frozenset[Remote] | None = None
        self.overhead_bytes = 1
        self.remotes = tuple(remotes)
        self._fixed = remotes[0] if fixed else None
        self._numbers = 0
        self._outgoing: list[tuple[bytes, Address]] = []
        self._called = [self._peer(remote.address, remote) for remote in remotes]
        self._began_s: float | None = None
        self._heard: dict[Address, _Peer] = {}
        pairs = zip(self._called, remotes, strict=True)
        self._groups = [peer for peer, remote in pairs if remote.is_group]
        # What an end of the same role sends is not for us; a group brings us our own, too.
        self._channel = wire.FROM[role.other]
        self._ping, self._pong = (control_head(role, asks) for asks in (True, False))
        self._other_ping, self._other_pong = (
            control_head(role.other, asks) for asks in (True, False)
        )

    def receive(self, datagram: bytes, source: Address, now_s: float) -> Arrival | None:
        """Take a datagram; the payload for the nodes, if it brings one."""
        is_payload = datagram[:1] == bytes([wire.OPEN | self._channel])
        head, token = datagram[:2], datagram[2:]
        asks, answers = head == self._other_ping, head == self._other_pong
        if not is_payload and not ((asks or answers) and len(token) == TOKEN_BYTES):
            self.counts.malformed += 1
            return None
        if self._fixed is not None:
            source = self._fixed.address
        peer = self._answerer(token, source) if answers else self._sender(source)
        if peer is None:
            self.counts.unknown += 1
            return None
        # A member answers from its own address, and that answers what was sent to the group.
        for heard in (peer, *self._groups):
            heard.heard_s, heard.asked_s = now_s, None
        if not is_payload:
            if asks:
                self._outgoing.append((self._pong + token, peer.address))
            return None
        if not self._is_used(peer):
            self.counts.unused += 1
            return None
        self.counts.accepted += 1
        return Arrival(self._channel, datagram[1:], peer.number)

    def send(self, channel: wire.Channel, payload: bytes, to: int | None, now_s: float) -> int:
        """Queue a payload for one peer, or for all; how many datagrams that makes."""
        datagram = bytes([wire.OPEN | channel]) + payload
        everybody = self._called + list(self._heard.values())
        if to is not None:
            peers = [peer for peer in everybody if peer.number == to]
        else:  # Members hear what goes to the group.
            peers = self._called if self._groups else everybody
            peers = [peer for peer in peers if self._is_used(peer)]
        for peer in peers:
            self._send_to(peer, datagram, now_s)
        if not peers:
            self.counts.unsent += 1
        return len(peers)

    def outgoing(self) -> list[tuple[bytes, Address]]:
        """Take the datagrams that are to be sent, oldest first."""
        taken, self._outgoing = self._outgoing, []
        return taken

    def turn(self, now_s: float) -> float:
        """Ask remotes that are silent, forget others; when to come again."""
        self._began_s = now_s if self._began_s is None else self._began_s
        somebody = any(now_s - peer.heard_s < GONE_AFTER_S for peer in self._called)
        for peer in self._called:
            gone = somebody and now_s - max(peer.heard_s, self._began_s) > GONE_AFTER_S
            every_s = SLOW_CALL_EVERY_S if gone else CALL_EVERY_S
            waits = peer.asked_s is not None and now_s - peer.asked_s > CALL_AFTER_S
            due = peer.heard_s == float("-inf") or waits or now_s - peer.sent_s > KEEP_ALIVE_S
            if due and now_s - peer.pinged_s >= every_s:
                peer.pinged_s = now_s
                self._ask(peer, now_s)
        self._heard = {
            address: peer
            for address, peer in self._heard.items()
            if now_s - peer.heard_s <= FORGET_AFTER_S
        }
        return now_s + (TURN_S if self._called else 10 * TURN_S)

    def peers(self) -> list[PeerState]:
        """Who has been heard, and may be sent to."""
        heard = [peer for peer in self._called if peer.heard_s > float("-inf")]
        return [
            PeerState(peer.number, peer.address, peer.heard_s, None, self._is_used(peer))
            for peer in heard + list(self._heard.values())
        ]

    def heard_s(self, remote: Remote) -> float:
        """When something of it was last accepted; minus infinity where nothing was."""
        return self._behind(remote).heard_s

    def unanswered_s(self, remote: Remote, now_s: float) -> float:
        """For how long it owes an answer; infinity where it never gave one."""
        peer = self._behind(remote)
        if peer.heard_s == float("-inf"):
            return float("inf")
        return now_s - peer.asked_s if peer.asked_s is not None else 0.0

    def ask(self, remote: Remote, now_s: float) -> None:
        """Send it a question, if it has answered before."""
        peer = self._behind(remote)
        if peer.heard_s > float("-inf"):
            self._ask(peer, now_s)

    def _ask(self, peer: _Peer, now_s: float) -> None:
        self._send_to(peer, self._ping + peer.token, now_s)

    def _behind(self, remote: Remote) -> _Peer:
        return next(peer for peer in self._called if peer.remote == remote)

    def _is_used(self, peer: _Peer) -> bool:
        return self.used is None or peer.remote in self.used

    def _answerer(self, token: bytes, source: Address) -> _Peer | None:
        """Whom we asked; None where the answer is to no question of ours."""
        asked = next((peer for peer in self._called if peer.token == token), None)
        if asked is None:
            return None
        if asked in self._groups:  # its members are peers of their own
            return self._sender(source)
        asked.answers_from = source
        self._heard.pop(source, None)
        return asked

    def _sender(self, source: Address) -> _Peer:
        called = [peer for peer in self._called if peer.address == source]
        called += [peer for peer in self._called if peer.answers_from == source]
        if called:
            return called[0]
        peer = self._heard.get(source)
        if peer is None:
            if len(self._heard) >= MAX_PEERS:
                del self._heard[min(self._heard, key=lambda address: self._heard[address].heard_s)]
            peer = self._heard[source] = self._peer(source)
        return peer

    def _peer(self, address: Address, remote: Remote | None = None) -> _Peer:
        self._numbers += 1
        return _Peer(self._numbers, address, remote)

    def _send_to(self, peer: _Peer, datagram: bytes, now_s: float) -> None:
        peer.sent_s = now_s
        if peer.asked_s is None:
            peer.asked_s = now_s
        self._outgoing.append((datagram, peer.address))
