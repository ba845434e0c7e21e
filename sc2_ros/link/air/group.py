# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The key with which a sender seals for all members of a multicast group at once.

It is drawn by the sender, and handed to each member inside that member's own session, together with
the counter from which on datagrams are to be accepted. So a member that has just started accepts
nothing that was recorded before.
"""

from __future__ import annotations

from collections.abc import Callable

from sc2_ros.link.air.aead import RENEW_AT, SECRET_BYTES, Cipher, Opener, Sealer
from sc2_ros.link.air.key import hkdf
from sc2_ros.link.air.wire import GroupOffer

SWITCH_S = 2.0
"""Between handing out a new key and using it."""


class _Generation:
    def __init__(self, cipher: Cipher, secret: bytes, session: int, made_s: float) -> None:
        self.secret, self.session, self.made_s = secret, session, made_s
        self.sealer = Sealer(cipher, direction_secret(secret), session)

    def offer(self) -> GroupOffer:
        return GroupOffer(self.session, self.secret, self.sealer.counter)


class GroupSender:
    """The sending side's key, and the next one while it is handed out."""

    def __init__(self, cipher: Cipher, random: Callable[[int], bytes], renew_s: float) -> None:
        self._cipher, self._random, self._renew_s = cipher, random, renew_s
        self._present: _Generation | None = None
        self._next: _Generation | None = None

    def begin(self, exported: bytes, now_s: float) -> None:
        """Draw the first key when the first session stands; that session's secret goes into it."""
        if self._present is None:
            self._present = self._generation(exported, now_s)

    def turn(self, now_s: float) -> None:
        """Draw the next key when it is time, and change over when members have had it."""
        if self._present is None:
            return
        if self._next is not None:
            if now_s - self._next.made_s >= SWITCH_S:
                self._present, self._next = self._next, None
        elif (
            self._present.sealer.counter >= RENEW_AT
            or now_s - self._present.made_s >= self._renew_s
        ):
            self._next = self._generation(self._present.secret, now_s)

    def seal(self, kind: int, payload: bytes) -> bytes | None:
        """A datagram for the group; None while there is no member.

        Raises:
            CounterExhaustedError: the counter would repeat.
        """
        return self._present.sealer.seal(kind, payload) if self._present else None

    def offers(self) -> tuple[GroupOffer, ...]:
        """What a member must know."""
        generations = (self._present, self._next)
        return tuple(generation.offer() for generation in generations if generation is not None)

    def _generation(self, mixed_in: bytes, now_s: float) -> _Generation:
        secret = hkdf(self._random(32) + mixed_in, b"group", 32)
        session = int.from_bytes(self._random(2), "big")
        return _Generation(self._cipher, secret, session, now_s)


def direction_secret(secret: bytes) -> bytes:
    """Key material for the group's one direction."""
    return hkdf(secret, b"group traffic", SECRET_BYTES)


class GroupMember:
    """The receiving side: the newest two keys of one sender."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher
        self._known: dict[bytes, tuple[int, Opener]] = {}

    def learn(self, offers: tuple[GroupOffer, ...]) -> bool:
        """Take keys that are new; one that is known keeps its window. Whether any was new."""
        changed = False
        for offer in offers:
            if offer.secret not in self._known:
                opener = Opener(self._cipher, direction_secret(offer.secret), offer.first)
                self._known[offer.secret] = (offer.session, opener)
                changed = True
        while len(self._known) > 2:
            del self._known[next(iter(self._known))]
        return changed

    def openers(self) -> list[tuple[int, Opener]]:
        """(session, opener) of every key."""
        return list(self._known.values())
