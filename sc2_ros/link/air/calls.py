# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calls of an endpoint: HELLOs that wait for a WELCOME, and sessions that wait to be confirmed.

HELLO -> _Called -> WELCOME -> Pending (FINISH sent, repeated) -> first datagram that it opens
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sc2_ros.link.air import wire
from sc2_ros.link.air.arrival import Address, Remote
from sc2_ros.link.air.handshake import Call, Handshake, Session

CALL_LIFE_S = 3.0
PENDING_LIFE_S = 5.0
MAX_RTT_S = 0.5
"""Bound of what a round trip is believed to be: somebody may have held a WELCOME back."""
REPEAT_AFTER_S = 0.1
REPEATS = 3
HOLDS = 2
"""So many repeats keep an end from calling again, and from taking the same one's next answer. All
three would be 2.25 s where an answer came late, and from an address that is not the other end's."""


@dataclass
class _Called:
    call: Call
    remote: Remote
    answered: set[bytes]
    """Instances whose answers count no more."""


@dataclass(eq=False)
class Pending:
    """A session whose FINISH is under way; `instance` is the other end's."""

    session: Session
    instance: bytes
    remote: Remote
    rtt_s: float
    finish: bytes
    address: Address
    repeat_s: float
    repeats: int = 0


class Calls:
    """What an endpoint has under way as a caller."""

    def __init__(self, handshake: Handshake) -> None:
        self.pending: list[Pending] = []
        self._handshake = handshake
        self._called: list[_Called] = []

    def hello(self, remote: Remote, now_s: float, known: Collection[bytes]) -> bytes:
        """A HELLO for this remote; an answer is awaited of any end but `known` (instances)."""
        call, datagram = self._handshake.hello(now_s)
        self._called.append(_Called(call, remote, set(known)))
        return datagram

    def finish(
        self,
        welcome: bytes,
        source: Address,
        groups: Sequence[wire.GroupOffer],
        now_s: float,
    ) -> Pending | None:
        """The session that a WELCOME leads to; None if it answers no call of ours, or again."""
        control = wire.control_payload(True, groups)
        for called in self._called:
            made = self._handshake.finish(called.call, welcome, control, now_s)
            if made is None:
                continue
            session, instance, datagram = made
            # The same WELCOME again would make the same keys, with counters from zero.
            if instance in called.answered or self._is_pending(instance):
                return None
            called.answered.add(instance)
            rtt_s = min(now_s - called.call.sent_s, MAX_RTT_S)
            pending = Pending(session, instance, called.remote, rtt_s, datagram, source, 0.0)
            pending.repeat_s = now_s + repeat_after_s(pending)
            self.pending.append(pending)
            return pending
        return None

    def is_under_way(self, remote: Remote) -> bool:
        """Whether somebody there has answered and may yet confirm: no reason to call again."""
        return any(one.remote == remote and one.repeats < HOLDS for one in self.pending)

    def _is_pending(self, instance: bytes) -> bool:
        return any(one.instance == instance and one.repeats < HOLDS for one in self.pending)

    def repeats(
        self, groups: Sequence[wire.GroupOffer], now_s: float
    ) -> list[tuple[bytes, Address]]:
        """What is sent again: the FINISH if it may be lost, and a question if its answer may be."""
        datagrams = []
        for pending in self.pending:
            if pending.repeats < REPEATS and now_s >= pending.repeat_s:
                pending.repeats += 1
                pending.repeat_s = now_s + repeat_after_s(pending)
                control = wire.control_payload(True, groups)
                ask = pending.session.sealer.seal(wire.SEALED | wire.CONTROL, control)
                datagrams += [(pending.finish, pending.address), (ask, pending.address)]
        return datagrams

    def drop_old(self, now_s: float) -> bool:
        """Forget what was not answered; whether a pending session was among it."""
        self._called = [
            called for called in self._called if now_s - called.call.sent_s < CALL_LIFE_S
        ]
        kept = [one for one in self.pending if now_s - one.session.made_s < PENDING_LIFE_S]
        dropped = len(kept) < len(self.pending)
        self.pending = kept
        return dropped


def repeat_after_s(pending: Pending) -> float:
    """How long an answer may take."""
    return max(REPEAT_AFTER_S, 1.5 * pending.rtt_s)
