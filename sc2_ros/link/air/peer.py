# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One other end of the link: where it is, its sessions, and when it has to be asked or called."""

from __future__ import annotations

from sc2_ros.link.air.aead import RENEW_AT, Cipher, Opener
from sc2_ros.link.air.arrival import Address, PeerState, Remote
from sc2_ros.link.air.group import GroupMember
from sc2_ros.link.air.handshake import Session

ASK_AFTER_S = 0.25
"""What was sent has had no answer for so long: ask for one (43 bytes)."""
CALL_AFTER_S = 0.5
"""Nor has that: the other end may have restarted, so call it."""
CALL_EVERY_S = 0.3
SLOW_CALL_EVERY_S = 5.0
"""For one that has gone while others are there."""
TELL_EVERY_S = 0.5
GONE_AFTER_S = 10.0
KEEP_ALIVE_S = 15.0
"""NAT routers forget a UDP mapping after 30 s or more (RFC 4787 wants two minutes)."""
FORGET_AFTER_S = 120.0
"""A peer that we do not call, and that is silent for so long, is forgotten."""
CROSSING_S = 2.0
"""Sessions that were made within so long may be of two ends that have called at once."""
OLD_SESSION_S = 10.0
"""A session that was replaced still opens what is under way for so long."""


class Peer:
    """One other end; `remote` is set if it is our task to call it."""

    def __init__(self, number: int, instance: bytes, cipher: Cipher) -> None:
        self.number = number
        self.instance = instance
        self.address: Address = ("", 0)
        self.remote: Remote | None = None
        self.sessions: list[Session] = []
        self.member = GroupMember(cipher)
        self.told: set[bytes] = set()
        """Keys of our group that it has."""
        self._telling = self.told
        self._candidate: Address | None = None
        self.heard_s = 0.0
        self.rtt_s: float | None = None
        self._sent_s = 0.0
        self._answered_s = 0.0
        self._asked_s: float | None = None
        self._pinged_s: float | None = None
        self._last_ping_s = float("-inf")
        self._last_call_s = float("-inf")

    def state(self, used: bool) -> PeerState:
        """What diagnostics show."""
        return PeerState(self.number, self.address, self.heard_s, self.rtt_s, used)

    def take(self, session: Session) -> None:
        """Seal with this session from now on.

        Where both call at once, both seal with the session that the drone has called: if each did
        with another one, each would forget the other's as replaced, again and again.
        """
        crosses = session.by_station and any(
            not newest.by_station and abs(session.made_s - newest.made_s) < CROSSING_S
            for newest in self.sessions[:1]
        )
        self.sessions.insert(int(crosses), session)
        del self.sessions[3:]
        self._asked_s = self._pinged_s = None

    def session_of(self, opener: Opener) -> Session:
        """The session with this key; the present one where it is a group's."""
        return next((one for one in self.sessions if one.opener is opener), self.sessions[0])

    def drop_old_sessions(self, now_s: float) -> bool:
        """Forget the keys of sessions that were replaced a while ago; whether there were any."""
        kept = [
            session
            for index, session in enumerate(self.sessions)
            if index == 0 or now_s - self.sessions[index - 1].made_s < OLD_SESSION_S
        ]
        dropped = len(kept) < len(self.sessions)
        self.sessions = kept
        return dropped

    # What happened

    def sent(self, now_s: float) -> None:
        """Something that has an answer as a rule went to it."""
        self._sent_s = now_s
        if self._asked_s is None:
            self._asked_s = now_s

    def pinged(self, telling: set[bytes], now_s: float) -> None:
        """It was asked for an answer, and told these keys of our group."""
        self.sent(now_s)
        self._telling = telling
        self._last_ping_s = now_s
        if self._pinged_s is None:
            self._pinged_s = now_s

    def answered(self, now_s: float) -> None:
        """It has answered what it was last asked, unless that was just now."""
        if now_s > self._last_ping_s:
            self.told = self._telling

    def called(self, now_s: float) -> None:
        """It was sent a HELLO."""
        self._last_call_s = now_s

    def heard(self, to_all: bool, now_s: float) -> None:
        """Something of it was accepted. What it sends to all its group answers no question."""
        self.heard_s = now_s
        self._asked_s = None
        if not to_all:
            self._answered_s = now_s
            self._pinged_s = None

    def came_from(self, source: Address) -> None:
        """Follow it to another address when two datagrams in a row, each the newest, come from it.

        One alone may be genuine, caught by a stranger who was faster in sending it on.
        """
        if source == self.address:
            self._candidate = None
        elif source == self._candidate:
            self.address, self._candidate = source, None
        else:
            self._candidate = source

    # What is due

    def wants_call(self, somebody_heard: bool, now_s: float) -> bool:
        """Whether to send a HELLO now. somebody_heard: others answer, so the link is not down."""
        if self.remote is None:
            return False
        gone = somebody_heard and now_s - self.heard_s > GONE_AFTER_S
        every_s = SLOW_CALL_EVERY_S if gone else CALL_EVERY_S
        if now_s - self._last_call_s < every_s:
            return False
        return self.unanswered_s(now_s) > self._call_after_s

    def wants_ping(self, now_s: float) -> bool:
        """Whether to ask for an answer now."""
        if self.remote is None or now_s - self._last_ping_s < ASK_AFTER_S:
            return False
        unanswered_s = self.unanswered_s(now_s)
        if unanswered_s > self._call_after_s:
            return False  # It is called.
        if unanswered_s > max(ASK_AFTER_S, 1.5 * (self.rtt_s or 0)):
            return True
        # Silence keeps no NAT mapping; and who hears a group only may have been forgotten in it.
        return now_s - min(self._sent_s, self._answered_s) > KEEP_ALIVE_S

    def wants_telling(self, secrets: set[bytes], now_s: float) -> bool:
        """Whether to tell it these keys of our group (again), with a question.

        Only the answer says that it has them: its reports may be about packets of before.
        """
        if secrets <= self.told or now_s - self.heard_s > GONE_AFTER_S:
            return False
        return now_s - self._last_ping_s >= TELL_EVERY_S

    def wants_renewal(self, renew_s: float, now_s: float) -> bool:
        """Whether the session is to be replaced: of age, or its counters near their end."""
        session = self.sessions[0]
        return (
            self.remote is not None
            and now_s - self._last_call_s >= CALL_EVERY_S
            and (
                now_s - session.made_s >= renew_s
                or session.sealer.counter >= RENEW_AT
                or session.opener.newest >= RENEW_AT
            )
        )

    def is_forgotten(self, somebody_heard: bool, now_s: float) -> bool:
        """Whether it has been silent for too long to be kept."""
        calls_alone = self.remote is not None and not (self.remote.is_group and somebody_heard)
        return not calls_alone and now_s - self.heard_s > FORGET_AFTER_S

    @property
    def _call_after_s(self) -> float:
        return max(CALL_AFTER_S, 2 * (self.rtt_s or 0))

    def answers(self, now_s: float) -> bool:
        """Whether it is called by us, and owes no answer for so long that it is called again."""
        return self.remote is not None and self.unanswered_s(now_s) <= self._call_after_s

    def unanswered_s(self, now_s: float) -> float:
        """For how long it owes an answer."""
        since = [at for at in (self._asked_s, self._pinged_s) if at is not None]
        return now_s - min(since) if since else 0.0
