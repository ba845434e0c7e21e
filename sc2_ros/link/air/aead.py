# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sealing and opening of single datagrams, with a counter that never repeats and a replay window.

    byte 0      kind of datagram (wire.py)
    bytes 1-2   session
    bytes 3-5   counter
    then        ciphertext, as long as the payload, and the tag (8 or 16 bytes)

The first six bytes are associated data: readable, not changeable. The nonce is the session's
secret 96-bit value XOR the counter (as in TLS 1.3, RFC 8446 section 5.3); the key belongs to one
direction of one session, so a (key, nonce) pair is used once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

HEADER_BYTES = 6
COUNTER_BITS = 24
COUNTER_END = 1 << COUNTER_BITS
"""Datagrams that one key may seal; a session is renewed long before (RENEW_AT)."""
RENEW_AT = COUNTER_END * 3 // 4
WINDOW = 1024
"""How far behind the newest a datagram may come and still be accepted (once)."""
WINDOW_MASK = (1 << WINDOW) - 1
NONCE_BYTES = 12
SECRET_BYTES = 32 + NONCE_BYTES
"""Bytes of key material for one direction."""


class Aead(Protocol):
    """What `cryptography` gives for each cipher."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Ciphertext and tag."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Plaintext; raises InvalidTag."""


@dataclass(frozen=True)
class Cipher:
    """An AEAD with a 256-bit key; `code` names it in the handshake."""

    name: str
    code: int
    tag_bytes: int
    make: Callable[[bytes], Aead]


def _ccm_8(key: bytes) -> Aead:
    return AESCCM(key, tag_length=8)


CIPHERS = {
    cipher.name: cipher
    for cipher in (
        # CCM keeps its strength with a short tag: a guess succeeds once in 2^64. GCM does not
        # (a few successful guesses give away its authentication key), so it has 16 bytes only.
        Cipher("aes-ccm-8", 1, 8, _ccm_8),
        Cipher("aes-gcm", 2, 16, AESGCM),
        Cipher("chacha20-poly1305", 3, 16, ChaCha20Poly1305),
    )
}


class CounterExhaustedError(Exception):
    """A key has sealed all it may; nothing more is sent until the session is renewed."""


class Sealer:
    """Seals the datagrams of one direction of one session."""

    __slots__ = ("_aead", "_iv", "_session", "counter")

    def __init__(self, cipher: Cipher, secret: bytes, session: int) -> None:
        """secret: SECRET_BYTES of key material; session: 16 bits."""
        self._aead = cipher.make(secret[:32])
        self._iv = int.from_bytes(secret[32:SECRET_BYTES], "big")
        self._session = session << COUNTER_BITS
        self.counter = 0

    def seal(self, kind: int, payload: bytes) -> bytes:
        """The datagram that carries the payload.

        Raises:
            CounterExhaustedError: the counter would repeat.
        """
        counter = self.counter
        if counter >= COUNTER_END:
            raise CounterExhaustedError
        self.counter = counter + 1
        header = (kind << 40 | self._session | counter).to_bytes(HEADER_BYTES, "big")
        nonce = (self._iv ^ counter).to_bytes(NONCE_BYTES, "big")
        return header + self._aead.encrypt(nonce, payload, header)


class Opener:
    """Opens the datagrams of one direction of one session, each at most once."""

    __slots__ = ("_aead", "_iv", "_seen", "newest")

    def __init__(self, cipher: Cipher, secret: bytes, first: int = 0) -> None:
        """first: the lowest counter that is accepted, for who joins a stream that runs."""
        self._aead = cipher.make(secret[:32])
        self._iv = int.from_bytes(secret[32:SECRET_BYTES], "big")
        self.newest = first - 1
        """The highest counter opened so far."""
        # Bit i: counter newest - i has come. All of them "have" below the first.
        self._seen = WINDOW_MASK

    def is_replay(self, counter: int) -> bool:
        """Whether the counter has come already, or lies behind the window."""
        behind = self.newest - counter
        return behind >= 0 and (behind >= WINDOW or bool(self._seen >> behind & 1))

    def open(self, datagram: bytes) -> bytes | None:
        """The payload; None if the tag is wrong. Whoever calls asks `is_replay` before."""
        header = datagram[:HEADER_BYTES]
        counter = int.from_bytes(header[3:], "big")
        nonce = (self._iv ^ counter).to_bytes(NONCE_BYTES, "big")
        try:
            payload = self._aead.decrypt(nonce, datagram[HEADER_BYTES:], header)
        except InvalidTag:
            return None
        ahead = counter - self.newest
        if ahead > 0:
            self._seen = (self._seen << ahead | 1) & WINDOW_MASK if ahead < WINDOW else 1
            self.newest = counter
        else:
            self._seen |= 1 << -ahead
        return payload
