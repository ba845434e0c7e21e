# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sealed link: sessions with all other ends, their renewal, and the way of each datagram."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from sc2_ros.link.air import wire
from sc2_ros.link.air.aead import (
    CIPHERS,
    HEADER_BYTES,
    CounterExhaustedError,
)
from sc2_ros.link.air.arrival import Address, Arrival, Counts, PeerState, Remote
from sc2_ros.link.air.calls import Calls, Pending
from sc2_ros.link.air.group import GroupSender
from sc2_ros.link.air.handshake import Handshake, Session
from sc2_ros.link.air.key import AirKey
from sc2_ros.link.air.peer import CALL_EVERY_S, GONE_AFTER_S, SLOW_CALL_EVERY_S, Peer
from sc2_ros.link.air.recording import KEY_EVERY_S, key_datagram
from sc2_ros.link.air.sessions import Entry, by_number

MAX_PEERS = 32
RENEW_S = 900.0
"""Age at which a session's keys are replaced and forgotten."""
TURN_S = 0.05


class SealedLink:
    """Datagrams and the time go in, payloads and datagrams come out; see AirLink.

    It calls every remote until an end answers, again when an end stops answering, and follows an
    end that sends from another address. What it has not authenticated changes nothing but counts.
    """

    def __init__(
        self,
        key: AirKey,
        role: wire.Role,
        remotes: Sequence[Remote] = (),
        *,
        cipher: str = "aes-ccm-8",
        fixed: bool = False,
        recorded: bool = False,
        renew_s: float = RENEW_S,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """Begin without peers.

        remotes: whom to call; may be empty where the other side calls. fixed: everything goes to
        the one remote, wherever datagrams come from (a tunnel with two ports, as wfb-ng's).
        recorded: what goes to the group may be recorded, with or without a member, and read later
        with the key (recording.py).
        """
        self.counts = Counts()
        self.used: frozenset[Remote] | None = None
        self._role = role
        self.remotes = tuple(remotes)
        self._fixed = self.remotes[0] if fixed else None
        self._cipher = CIPHERS[cipher]
        self._renew_s = renew_s
        self._handshake = Handshake(key, role, self._cipher, random)
        to_group = role is wire.Role.ONBOARD and any(remote.is_group for remote in remotes)
        self._group = GroupSender(self._cipher, random, renew_s) if to_group else None
        # A member that comes later cannot call a drone whose port is not the group's. A tunnel
        # and a topic carry its calls.
        self._invites = to_group and not fixed and not recorded
        self._recorded_with = key if recorded else None
        self._random = random
        self._key_sent_s = float("-inf")
        self._peers: dict[bytes, Peer] = {}
        self._numbers = 0
        self._calls = Calls(self._handshake)
        self._remote_called_s: dict[Remote, float] = {}
        self._began_s: float | None = None
        self._index: dict[int, tuple[Entry, ...]] = {}
        self._outgoing: list[tuple[bytes, Address]] = []
        self.overhead_bytes = HEADER_BYTES + self._cipher.tag_bytes
        self._traffic = {wire.SEALED | channel: channel for channel in wire.Channel}

    # Datagrams that come

    def receive(self, datagram: bytes, source: Address, now_s: float) -> Arrival | None:
        """Take a datagram; the payload for the nodes, if it brings one."""
        if self._fixed is not None:
            source = self._fixed.address
        kind = datagram[0] if datagram else 0
        if kind in self._traffic or kind == wire.SEALED | wire.CONTROL:
            return self._open(datagram, source, now_s)
        if kind == wire.SEALED | wire.HELLO:
            self._answer(datagram, source, now_s)
        elif kind == wire.SEALED | wire.WELCOME:
            self._finish(datagram, source, now_s)
        elif kind == wire.SEALED | wire.FINISH:
            self._accept(datagram, source, now_s)
        elif kind != wire.SEALED | wire.KEY:  # that is for who reads a recording
            self.counts.malformed += 1
        return None

    def _open(self, datagram: bytes, source: Address, now_s: float) -> Arrival | None:
        if len(datagram) < self.overhead_bytes:
            self.counts.malformed += 1
            return None
        entries = self._index.get(datagram[1] << 8 | datagram[2])
        if entries is None:
            self.counts.unknown += 1
            return None
        counter = int.from_bytes(datagram[3:HEADER_BYTES], "big")
        replayed = False
        for entry in entries:
            opener = entry.opener
            if opener.is_replay(counter):
                replayed = True
                continue
            is_newest = counter > opener.newest
            payload = opener.open(datagram)
            if payload is not None:
                break
        else:
            if replayed:
                self.counts.replayed += 1
            else:
                self.counts.forged += 1
            return None
        owner = entry.owner
        peer = self._confirm(owner, source, now_s) if isinstance(owner, Pending) else owner
        peer.heard(entry.is_group, now_s)
        if is_newest:
            peer.came_from(source)
        channel = self._traffic.get(datagram[0])
        if channel is None:
            self._control(peer, peer.session_of(opener), payload, now_s)
            return None
        if not self._is_used(peer):
            self.counts.unused += 1
            return None
        self.counts.accepted += 1
        return Arrival(channel, payload, peer.number)

    def _control(self, peer: Peer, session: Session, payload: bytes, now_s: float) -> None:
        control = wire.read_control(payload)
        if control is None:
            self.counts.malformed += 1
            return
        if peer.member.learn(control.groups):
            self._make_index()
        if control.asks:  # The answer confirms the session that brings it.
            self._send_control(peer, False, now_s, session)
        else:
            peer.answered(now_s)

    # The handshake

    def _call(self, remote: Remote, address: Address, now_s: float, renews: bool = False) -> None:
        # Whoever answers us is called to renew its session alone: neither with the rest of a group
        # once more, nor at another of its addresses.
        known = [one.instance for one in self._peers.values() if one.answers(now_s) and not renews]
        self._outgoing.append((self._calls.hello(remote, now_s, known), address))

    def _answer(self, hello: bytes, source: Address, now_s: float) -> None:
        welcome = self._handshake.welcome(hello, now_s)
        self.counts.other_cipher = self._handshake.other_cipher
        if welcome is not None:
            self._outgoing.append((welcome, source))
        else:
            self.counts.unknown += 1

    def _finish(self, welcome: bytes, source: Address, now_s: float) -> None:
        pending = self._calls.finish(welcome, source, self._offers(), now_s)
        if pending is None:
            self.counts.unknown += 1
            return
        self._make_index()
        self._outgoing.append((pending.finish, source))

    def _confirm(self, pending: Pending, source: Address, now_s: float) -> Peer:
        self._calls.pending.remove(pending)
        peer = self._install(pending.session, pending.instance, source, now_s)
        peer.rtt_s = pending.rtt_s
        remote = peer.remote = pending.remote
        if not remote.is_group:  # Behind a single address there is one end: the newest.
            self._remove(lambda other: other is not peer and other.remote == remote)
        if self._group is not None:  # The first session is what the group's key is drawn from.
            self._send_control(peer, True, now_s)
        return peer

    def _accept(self, finish: bytes, source: Address, now_s: float) -> None:
        made = self._handshake.accept(finish, now_s)
        if made is None:
            self.counts.unknown += 1
            return
        session, instance, payload = made
        peer = self._install(session, instance, source, now_s)
        peer.heard(False, now_s)
        self._control(peer, session, payload, now_s)

    def _install(self, session: Session, instance: bytes, source: Address, now_s: float) -> Peer:
        """Make the session the peer's present one; a new instance is a new peer."""
        peer = self._peers.get(instance)
        if peer is None:
            if len(self._peers) >= MAX_PEERS:
                oldest = min(self._peers.values(), key=lambda other: other.heard_s)
                self._remove(lambda other: other is oldest)
            self._numbers += 1
            peer = self._peers[instance] = Peer(self._numbers, instance, self._cipher)
        peer.address = source
        peer.take(session)
        if self._group is not None:
            self._group.begin(session.exported, now_s)
        self._make_index()
        return peer

    def _remove(self, condition: Callable[[Peer], bool]) -> None:
        gone = [instance for instance, peer in self._peers.items() if condition(peer)]
        for instance in gone:
            del self._peers[instance]
        if gone:
            self._make_index()

    def _make_index(self) -> None:
        self._index = by_number(self._peers.values(), self._calls.pending)

    # Payloads that go

    def send(self, channel: wire.Channel, payload: bytes, to: int | None, now_s: float) -> int:
        """Queue a payload for one peer, or for all; how many datagrams that makes."""
        before = len(self._outgoing)
        kind = wire.SEALED | channel
        if to is None:
            peers = [peer for peer in self._peers.values() if self._is_used(peer)]
        else:
            peers = [peer for peer in self._peers.values() if peer.number == to]
        if self._group is not None and to is None:
            if self._recorded_with is not None or any(self._in_group(peer) for peer in peers):
                self._send_to_group(kind, payload)
            for peer in peers:
                if self._in_group(peer):
                    peer.sent(now_s)
            peers = [peer for peer in peers if not self._in_group(peer)]
        for peer in self._alive(peers):
            self._seal_to(peer, kind, payload)
            peer.sent(now_s)
        queued = len(self._outgoing) - before
        if not queued:
            self.counts.unsent += 1
        return queued

    def _alive(self, peers: list[Peer]) -> list[Peer]:
        """Of several at one address the one heard last: the others are what it was before."""
        if self._fixed is not None or len(peers) < 2:
            return peers
        newest: dict[Address, Peer] = {}
        for peer in peers:
            other = newest.get(peer.address)
            if other is None or peer.heard_s >= other.heard_s:
                newest[peer.address] = peer
        return list(newest.values())

    def _is_used(self, peer: Peer) -> bool:
        return self.used is None or peer.remote in self.used

    def _in_group(self, peer: Peer) -> bool:
        """Whether the peer hears what goes to the group; who has called us there does."""
        return peer.remote is None or peer.remote.is_group

    def _send_to_group(self, kind: int, payload: bytes) -> None:
        assert self._group is not None
        try:
            datagram = self._group.seal(kind, payload)
        except CounterExhaustedError:
            return
        if datagram is not None:
            groups = (remote for remote in self.remotes if remote.is_group)
            self._outgoing.extend((datagram, remote.address) for remote in groups)

    def _send_key(self, group: GroupSender, key: AirKey, now_s: float) -> None:
        """Let who records read it later."""
        if now_s - self._key_sent_s < KEY_EVERY_S:
            return
        self._key_sent_s = now_s
        group.begin(self._random(32), now_s)
        for remote in self.remotes:
            for offer in group.offers():
                datagram = key_datagram(key, self._cipher, offer, self._random)
                self._outgoing.append((datagram, remote.address))

    def _seal_to(self, peer: Peer, kind: int, payload: bytes, by: Session | None = None) -> None:
        try:
            datagram = (by or peer.sessions[0]).sealer.seal(kind, payload)
        except CounterExhaustedError:
            return
        self._outgoing.append((datagram, peer.address))

    def _send_control(
        self, peer: Peer, asks: bool, now_s: float, by: Session | None = None
    ) -> None:
        offers = self._offers()
        self._seal_to(peer, wire.SEALED | wire.CONTROL, wire.control_payload(asks, offers), by)
        if asks:
            peer.pinged({offer.secret for offer in offers}, now_s)

    def _offers(self) -> tuple[wire.GroupOffer, ...]:
        return self._group.offers() if self._group is not None else ()

    def outgoing(self) -> list[tuple[bytes, Address]]:
        """Take the datagrams that are to be sent, oldest first."""
        taken, self._outgoing = self._outgoing, []
        return taken

    # Time

    def turn(self, now_s: float) -> float:
        """Do what is due; when to come again."""
        self._handshake.forget_used_challenge(now_s)
        self._forget(now_s)
        if self._group is not None:
            if self._recorded_with is not None:
                self._send_key(self._group, self._recorded_with, now_s)
            self._group.turn(now_s)
            secrets = {offer.secret for offer in self._group.offers()}
            for peer in self._peers.values():
                if peer.wants_telling(secrets, now_s):
                    self._send_control(peer, True, now_s)
        self._outgoing += self._calls.repeats(self._offers(), now_s)
        self._call_remotes(now_s)
        for peer in self._peers.values():
            self._attend(peer, now_s)
        return now_s + (TURN_S if self.remotes else 20 * TURN_S)

    def _forget(self, now_s: float) -> None:
        changed = self._calls.drop_old(now_s)
        for peer in self._peers.values():
            changed |= peer.drop_old_sessions(now_s)
        if changed:
            self._make_index()
        heard = self._somebody_heard(now_s)
        self._remove(lambda peer: peer.is_forgotten(heard, now_s))

    def _call_remotes(self, now_s: float) -> None:
        """Call where nobody has answered yet, and a group where more may have joined."""
        answered = {peer.remote for peer in self._peers.values()}
        self._began_s = now_s if self._began_s is None else self._began_s
        gone = self._somebody_heard(now_s) and now_s - self._began_s > GONE_AFTER_S
        for remote in self.remotes:
            last_s = self._remote_called_s.get(remote, float("-inf"))
            invites = self._invites and remote.is_group and remote in answered
            if (remote in answered and not invites) or self._calls.is_under_way(remote):
                continue
            if now_s - last_s >= (SLOW_CALL_EVERY_S if gone or invites else CALL_EVERY_S):
                self._remote_called_s[remote] = now_s
                self._call(remote, remote.address, now_s)

    def _attend(self, peer: Peer, now_s: float) -> None:
        """Ask, call or renew, as the peer's silence and its session's age want it."""
        remote = peer.remote
        if remote is None:
            return
        if peer.wants_ping(now_s):
            self._send_control(peer, True, now_s)
        if self._calls.is_under_way(remote):
            return
        if peer.wants_renewal(self._renew_s, now_s):
            peer.called(now_s)
            self._call(remote, peer.address, now_s, renews=True)
        elif peer.wants_call(self._somebody_heard(now_s), now_s):
            peer.called(now_s)
            self._call(remote, peer.address, now_s)
            if not remote.is_group and remote.address != peer.address:
                self._call(remote, remote.address, now_s)

    def _somebody_heard(self, now_s: float) -> bool:
        return any(now_s - peer.heard_s < GONE_AFTER_S for peer in self._peers.values())

    def peers(self) -> list[PeerState]:
        """Who can be sent to."""
        return [peer.state(self._is_used(peer)) for peer in self._peers.values()]

    def heard_s(self, remote: Remote) -> float:
        """When something of it was last accepted; minus infinity where nothing was."""
        return max((peer.heard_s for peer in self._behind(remote)), default=float("-inf"))

    def unanswered_s(self, remote: Remote, now_s: float) -> float:
        """For how long it owes an answer; infinity where it never gave one."""
        owed = (peer.unanswered_s(now_s) for peer in self._behind(remote))
        return min(owed, default=float("inf"))

    def ask(self, remote: Remote, now_s: float) -> None:
        """Send it a question, if it has answered before."""
        for peer in self._behind(remote):
            self._send_control(peer, True, now_s)

    def _behind(self, remote: Remote) -> list[Peer]:
        return [peer for peer in self._peers.values() if peer.remote == remote]
