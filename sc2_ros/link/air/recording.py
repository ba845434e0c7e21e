# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sealed packets on a topic, which anybody may record, can be read later with the key file.

    KEY    kind, session 2, cipher 1, random 12, secret of the group sealed with the key file's, tag

A live receiver ignores KEY: what is recorded can be read later, and never be played to it as live.
The price is forward secrecy: who finds the key file can read what was recorded of such a topic.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

from cryptography.exceptions import InvalidTag

from sc2_ros.link.air import wire
from sc2_ros.link.air.aead import CIPHERS, HEADER_BYTES, NONCE_BYTES, Cipher, Opener
from sc2_ros.link.air.group import direction_secret
from sc2_ros.link.air.key import AirKey

KEY_EVERY_S = 2.0
"""A recording may begin at any time; 65 bytes every so often."""
_HEAD = struct.Struct(">BHB12s")
_SECRET_BYTES = 32
_PURPOSE = b"recording"


def key_datagram(
    key: AirKey, cipher: Cipher, offer: wire.GroupOffer, random: Callable[[int], bytes]
) -> bytes:
    """What lets a holder of the key file read the group's datagrams."""
    nonce = random(NONCE_BYTES)
    head = _HEAD.pack(wire.SEALED | wire.KEY, offer.session, cipher.code, nonce)
    aead = cipher.make(key.derive(_PURPOSE, 32))
    return head + aead.encrypt(nonce, offer.secret, head)


def is_sealed(datagram: bytes) -> bool:
    """Whether it is a sealed packet of features; no packet of the codec begins so."""
    return datagram[:1] == bytes([wire.SEALED | wire.Channel.FEATURES])


class Reader:
    """Opens recorded datagrams, in any order and as often as they come."""

    def __init__(self, key: AirKey, datagrams: Iterable[bytes]) -> None:
        """datagrams: all of the recording; its keys may stand behind what they open."""
        self.keys = 0
        """How many the key file opened."""
        self._openers: dict[int, list[Opener]] = {}
        known: set[bytes] = set()
        for datagram in datagrams:
            if datagram[:1] != bytes([wire.SEALED | wire.KEY]) or len(datagram) < _HEAD.size:
                continue
            head, sealed = datagram[: _HEAD.size], datagram[_HEAD.size :]
            _, session, code, nonce = _HEAD.unpack(head)
            ciphers = [cipher for cipher in CIPHERS.values() if cipher.code == code]
            if not ciphers or len(sealed) != _SECRET_BYTES + ciphers[0].tag_bytes:
                continue
            try:
                secret = ciphers[0].make(key.derive(_PURPOSE, 32)).decrypt(nonce, sealed, head)
            except InvalidTag:
                continue
            if secret not in known:
                known.add(secret)
                self.keys += 1
                opener = Opener(ciphers[0], direction_secret(secret))
                self._openers.setdefault(session, []).append(opener)

    def open(self, datagram: bytes) -> bytes | None:
        """The packet of features in a datagram; None if there is none that the key opens."""
        if not is_sealed(datagram) or len(datagram) < HEADER_BYTES:
            return None
        for opener in self._openers.get(datagram[1] << 8 | datagram[2], ()):
            payload = opener.open(datagram)
            if payload is not None:
                return payload
        return None
