# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The forms of datagrams on the air link.

    sealed   HELLO     kind, session 2, terms 1, instance 4, public key 32, MAC 8     48 bytes
             WELCOME   kind, session 2, instance 4, public key 32, MAC 8              47 bytes
             FINISH    kind, session 2, instance 4, public key 32, MAC 8, and a CONTROL
             CONTROL   aead.py's form; flags 1, group keys
             FEATURES, FEEDBACK   aead.py's form; one packet of the codec, one report
             KEY       for recordings of a topic, see recording.py
    open     the same kinds, each one byte before its payload; CONTROL: flags 1, token 4
             (drawn by who asks; the answer repeats it)

Numbers are big-endian. `instance` is drawn at random when an endpoint starts, so that a restart
can be told; `session` is drawn by who calls.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

SEALED = 0x10
OPEN = 0x20


class Channel(IntEnum):
    """What a datagram's payload is, for the nodes."""

    FEATURES = 8
    FEEDBACK = 9


HELLO, WELCOME, FINISH, CONTROL, KEY = 1, 2, 3, 4, 5

MAC_BYTES = 8
INSTANCE_BYTES = 4
PUBLIC_BYTES = 32
_HELLO = struct.Struct(">BHB4s32s")
_ANSWER = struct.Struct(">BH4s32s")
HELLO_BYTES = _HELLO.size + MAC_BYTES
WELCOME_BYTES = _ANSWER.size + MAC_BYTES
FINISH_HEAD_BYTES = _ANSWER.size + MAC_BYTES


class Role(IntEnum):
    """The two ends; an end talks with the other kind only, never with its own reflection."""

    ONBOARD = 0
    GROUND = 1

    @property
    def other(self) -> Role:
        """The role of whom this one talks with."""
        return Role(1 - self)


@dataclass(frozen=True)
class Terms:
    """What the caller is and how it seals."""

    role: Role
    cipher_code: int

    @property
    def byte(self) -> int:
        """Both in one byte."""
        return self.role << 4 | self.cipher_code


def hello_head(session: int, terms: Terms, instance: bytes, public: bytes) -> bytes:
    """HELLO without its MAC."""
    return _HELLO.pack(SEALED | HELLO, session, terms.byte, instance, public)


def answer_head(kind: int, session: int, instance: bytes, public: bytes) -> bytes:
    """WELCOME or FINISH without the MAC."""
    return _ANSWER.pack(SEALED | kind, session, instance, public)


def read_hello(datagram: bytes) -> tuple[int, int, bytes, bytes] | None:
    """(session, byte of terms, instance, public key); None where the length is not HELLO's."""
    if len(datagram) != HELLO_BYTES:
        return None
    _, session, terms, instance, public = _HELLO.unpack_from(datagram)
    return session, terms, instance, public


def read_answer(datagram: bytes) -> tuple[int, bytes, bytes] | None:
    """(session, instance, public key) of a WELCOME or FINISH; None where it is too short."""
    if len(datagram) < WELCOME_BYTES:
        return None
    _, session, instance, public = _ANSWER.unpack_from(datagram)
    return session, instance, public


FROM = {Role.ONBOARD: Channel.FEATURES, Role.GROUND: Channel.FEEDBACK}
"""The channel on which an end of this role sends."""

# The payload of CONTROL: a byte of flags, then what is needed to hear a group.
ASKS = 0x01
"""The sender wants an answer."""
FROM_GROUND = 0x02
"""Open links only: the sender's role (sealed ones have a key for each)."""
_GROUPS_SHIFT = 4
_GROUP = struct.Struct(">H32sI")


@dataclass(frozen=True)
class GroupOffer:
    """What a member needs to open a group's datagrams from counter `first` on."""

    session: int
    secret: bytes
    first: int


@dataclass(frozen=True)
class Control:
    """A keep-alive or its answer, with the keys of the sender's group."""

    asks: bool
    groups: tuple[GroupOffer, ...] = ()


def control_payload(asks: bool, groups: Sequence[GroupOffer] = ()) -> bytes:
    """A byte without groups, 38 more for each (at most two: the present and the next)."""
    flags = len(groups) << _GROUPS_SHIFT | (ASKS if asks else 0)
    parts = (_GROUP.pack(offer.session, offer.secret, offer.first) for offer in groups)
    return bytes([flags]) + b"".join(parts)


def read_control(payload: bytes) -> Control | None:
    """The control message; None where it has another length than it says."""
    if not payload:
        return None
    count = payload[0] >> _GROUPS_SHIFT
    if len(payload) != 1 + count * _GROUP.size:
        return None
    groups = tuple(GroupOffer(*fields) for fields in _GROUP.iter_unpack(payload[1:]))
    return Control(bool(payload[0] & ASKS), groups)
