# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How two ends that hold the same key agree on fresh keys for a session: three datagrams.

    caller                                             answerer
    HELLO    fresh public key a, MAC(key)      ->      keeps nothing
             <-      WELCOME   fresh public key b, MAC(key; a, b)
    FINISH   a, sealed CONTROL, MAC(key; all)  ->      the session stands
             <-      CONTROL, sealed                   confirmed; traffic in both directions

    secrets of the two directions = HKDF-SHA256(key || X25519(a, b), salt = SHA-256(a, b and all
    that was agreed))

Both ends put in something fresh, so a recorded session opens nothing in another. The Diffie-Hellman
part (RFC 7748) is forgotten with the session: who finds the key file in a crashed drone cannot read
what was recorded before. As in WireGuard, a stranger gets no answer at all; unlike there no clock
and no cookie are needed, because the answerer keeps no state for a HELLO: its public key `b` is the
same for all callers until one has used it, and FINISH brings `a` again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sc2_ros.link.air import wire
from sc2_ros.link.air.aead import SECRET_BYTES, Cipher, Opener, Sealer
from sc2_ros.link.air.key import AirKey, mac

CHALLENGE_REUSE_S = 1.0
"""For so long after its first use `b` serves others who are calling at the same time."""
SEEN_HELLOS = 1024


@dataclass
class Session:
    """The keys of two ends: one to seal with, one to open with."""

    number: int
    sealer: Sealer
    opener: Opener
    exported: bytes
    """32 secret bytes that both know, for whatever else is to be derived."""
    made_s: float
    by_station: bool = False
    """Whether the station has called."""


@dataclass(frozen=True)
class Call:
    """A HELLO that waits for a WELCOME."""

    session: int
    private: X25519PrivateKey
    head: bytes
    sent_s: float


class Handshake:
    """Both sides of the handshake, for one endpoint. Nothing here knows addresses or peers."""

    def __init__(
        self,
        key: AirKey,
        role: wire.Role,
        cipher: Cipher,
        random: Callable[[int], bytes],
    ) -> None:
        """random: `os.urandom`, but for tests that must repeat."""
        self.instance = random(wire.INSTANCE_BYTES)
        self.other_cipher = 0
        """Genuine HELLOs refused because the other side is set to another cipher."""
        self._key = key
        self._role = role
        self._cipher = cipher
        self._random = random
        self._hello_key = key.derive(b"hello", 32)
        self._answer_key = key.derive(b"answer", 32)
        self._seen: dict[bytes, None] = {}
        self._used: set[bytes] = set()
        self._used_s: float | None = None
        self._challenge = self._private()
        self._public = public_bytes(self._challenge)

    # The caller

    def hello(self, now_s: float) -> tuple[Call, bytes]:
        """A call with a fresh public key, and its datagram."""
        private = self._private()
        session = int.from_bytes(self._random(2), "big")
        terms = wire.Terms(self._role, self._cipher.code)
        head = wire.hello_head(session, terms, self.instance, public_bytes(private))
        call = Call(session, private, head, now_s)
        return call, head + mac(self._hello_key, head, wire.MAC_BYTES)

    def finish(
        self, call: Call, welcome: bytes, control: bytes, now_s: float
    ) -> tuple[Session, bytes, bytes] | None:
        """What a WELCOME to this call leads to: (session, other's instance, FINISH datagram).

        None if the WELCOME is not genuine or answers another call. control: payload that is sealed
        into the FINISH.
        """
        fields = wire.read_answer(welcome)
        if fields is None or len(welcome) != wire.WELCOME_BYTES or fields[0] != call.session:
            return None
        session, instance, public = fields
        head = welcome[: -wire.MAC_BYTES]
        transcript = call.head + head
        expected = mac(self._answer_key, b"welcome" + transcript, wire.MAC_BYTES)
        if not hmac.compare_digest(expected, welcome[-wire.MAC_BYTES :]):
            return None
        made = self._session(session, call.private, public, transcript, self._role, now_s)
        if made is None:
            return None
        own = public_bytes(call.private)
        finish_head = wire.answer_head(wire.FINISH, session, self.instance, own)
        sealed = made.sealer.seal(wire.SEALED | wire.CONTROL, control)
        finish_mac = mac(self._answer_key, b"finish" + transcript + sealed, wire.MAC_BYTES)
        return made, instance, finish_head + finish_mac + sealed

    # The answerer

    def welcome(self, hello: bytes, now_s: float) -> bytes | None:
        """The answer to a HELLO, never longer than it; None if there is nothing to answer."""
        fields = wire.read_hello(hello)
        if fields is None:
            return None
        session, terms, _, public = fields
        if terms >> 4 != self._role.other or public in self._seen:
            return None
        head = hello[: -wire.MAC_BYTES]
        expected = mac(self._hello_key, head, wire.MAC_BYTES)
        if not hmac.compare_digest(expected, hello[-wire.MAC_BYTES :]):
            return None
        if terms & 15 != self._cipher.code:
            self.other_cipher += 1
            return None
        # A HELLO that was recorded and is sent again costs no second answer.
        self._seen[public] = None
        if len(self._seen) > SEEN_HELLOS:
            del self._seen[next(iter(self._seen))]
        self.forget_used_challenge(now_s)
        answer = wire.answer_head(wire.WELCOME, session, self.instance, self._public)
        tag = mac(self._answer_key, b"welcome" + head + answer, wire.MAC_BYTES)
        return answer + tag

    def accept(self, finish: bytes, now_s: float) -> tuple[Session, bytes, bytes] | None:
        """What a FINISH leads to: (session, caller's instance, payload of its CONTROL).

        None if it is not genuine, answers an older WELCOME, or has come before.
        """
        fields = wire.read_answer(finish)
        if fields is None:
            return None
        session, instance, public = fields
        self.forget_used_challenge(now_s)
        if public in self._used:
            return None
        terms = wire.Terms(self._role.other, self._cipher.code)
        hello = wire.hello_head(session, terms, instance, public)
        answer = wire.answer_head(wire.WELCOME, session, self.instance, self._public)
        transcript = hello + answer
        head, sealed = finish[: wire.FINISH_HEAD_BYTES], finish[wire.FINISH_HEAD_BYTES :]
        # Before any costly arithmetic: strangers end here.
        expected = mac(self._answer_key, b"finish" + transcript + sealed, wire.MAC_BYTES)
        if not hmac.compare_digest(expected, head[-wire.MAC_BYTES :]):
            return None
        made = self._session(session, self._challenge, public, transcript, self._role.other, now_s)
        if made is None or len(sealed) < 6 or sealed[0] != wire.SEALED | wire.CONTROL:
            return None
        payload = made.opener.open(sealed)
        if payload is None:
            return None
        self._used.add(public)
        if self._used_s is None:
            self._used_s = now_s
        return made, instance, payload

    def forget_used_challenge(self, now_s: float) -> None:
        """Draw a new `b` when the present one has made a session, so that it makes none again."""
        if self._used_s is not None and not 0 <= now_s - self._used_s <= CHALLENGE_REUSE_S:
            self._challenge = self._private()
            self._public = public_bytes(self._challenge)
            self._used = set()
            self._used_s = None

    # Both

    def _private(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self._random(32))

    def _session(
        self,
        number: int,
        private: X25519PrivateKey,
        public: bytes,
        transcript: bytes,
        caller: wire.Role,
        now_s: float,
    ) -> Session | None:
        """The session's keys; None where the public key is one of the few that fix the result."""
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError:
            return None
        secret = self._key.derive(
            b"session",
            2 * SECRET_BYTES + 32,
            salt=hashlib.sha256(transcript).digest(),
            more=shared,
        )
        of_caller, of_answerer = secret[:SECRET_BYTES], secret[SECRET_BYTES : 2 * SECRET_BYTES]
        own, other = (of_caller, of_answerer) if caller == self._role else (of_answerer, of_caller)
        return Session(
            number,
            Sealer(self._cipher, own, number),
            Opener(self._cipher, other),
            secret[2 * SECRET_BYTES :],
            now_s,
            caller is wire.Role.GROUND,
        )


def public_bytes(private: X25519PrivateKey) -> bytes:
    """The 32 bytes of the public key (the long form works with old releases of the library)."""
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
