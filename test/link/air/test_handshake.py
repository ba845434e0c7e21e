# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import hashlib
import random

import pytest

from sc2_ros.link.air import wire
from sc2_ros.link.air.aead import CIPHERS, SECRET_BYTES, Opener
from sc2_ros.link.air.handshake import CHALLENGE_REUSE_S, SEEN_HELLOS, Handshake
from sc2_ros.link.air.key import AirKey, mac

KEY = AirKey(bytes(range(32)))
CONTROL = wire.control_payload(True)
TRAFFIC = wire.SEALED | wire.Channel.FEATURES


def _end(role, seed, key=KEY, cipher="aes-ccm-8"):
    return Handshake(key, role, CIPHERS[cipher], random.Random(seed).randbytes)


@pytest.fixture
def caller():
    return _end(wire.Role.ONBOARD, 1)


@pytest.fixture
def answerer():
    return _end(wire.Role.GROUND, 2)


def _shake(caller, answerer, now_s=0.0):
    """(caller's session, answerer's, the three datagrams)."""
    call, hello = caller.hello(now_s)
    welcome = answerer.welcome(hello, now_s)
    session, instance, finish = caller.finish(call, welcome, CONTROL, now_s)
    assert instance == answerer.instance
    other, instance, control = answerer.accept(finish, now_s)
    assert instance == caller.instance
    assert control == CONTROL
    return session, other, (hello, welcome, finish)


def test_both_have_the_same_keys_and_each_direction_its_own(caller, answerer):
    session, other, _ = _shake(caller, answerer)
    up, down = session.sealer.seal(TRAFFIC, b"up"), other.sealer.seal(TRAFFIC, b"down")
    assert other.opener.open(up) == b"up"
    assert session.opener.open(down) == b"down"
    assert session.opener.open(up) is None
    assert other.opener.open(down) is None
    assert session.exported == other.exported


def test_who_finds_the_key_later_cannot_read_what_was_recorded(caller, answerer):
    """All that is on the air and in the key file, put together as the ends do it."""
    session, _, (hello, welcome, _) = _shake(caller, answerer)
    recorded = session.sealer.seal(TRAFFIC, b"up")
    transcript = hello[: -wire.MAC_BYTES] + welcome[: -wire.MAC_BYTES]
    salt = hashlib.sha256(transcript).digest()
    public = (hello[-40:-8], welcome[-40:-8])
    for guess in (b"", bytes(32), *public):
        secret = KEY.derive(b"session", 2 * SECRET_BYTES + 32, salt, guess)
        assert Opener(CIPHERS["aes-ccm-8"], secret).open(recorded) is None


def test_either_role_may_call():
    session, other, _ = _shake(_end(wire.Role.GROUND, 1), _end(wire.Role.ONBOARD, 2))
    assert other.opener.open(session.sealer.seal(TRAFFIC, b"x")) == b"x"


def test_every_session_has_other_keys_even_where_one_side_repeats_its_random_numbers(caller):
    sealed = set()
    for seed in range(2, 12):
        session, _, _ = _shake(_end(wire.Role.ONBOARD, 1), _end(wire.Role.GROUND, seed))
        sealed.add(session.sealer.seal(TRAFFIC, bytes(32))[6:])
    assert len(sealed) == 10


def test_the_keys_hang_on_all_that_was_agreed():
    """The same secrets of both ends, but for the number of the session and the instances."""
    exported = set()
    for number in range(3):
        ends = [
            Handshake(KEY, role, CIPHERS["aes-ccm-8"], lambda n, role=role: bytes([7 + role]) * n)
            for role in wire.Role
        ]
        tail = bytes([number])
        ends[0]._random = lambda n, tail=tail: bytes([7]) * n if n == 32 else tail * n
        session, _, _ = _shake(*ends)
        exported.add(session.exported)
    assert len(exported) == 3


def test_an_answer_is_never_longer_than_the_question(caller, answerer):
    _, hello = caller.hello(0)
    assert len(answerer.welcome(hello, 0)) <= len(hello)


def test_nothing_recorded_makes_a_session_again(caller, answerer):
    for now_s in (0.0, 0.1, 5.0):
        _, _, (hello, welcome, finish) = _shake(caller, answerer, now_s)
        for later_s in (now_s, now_s + CHALLENGE_REUSE_S, now_s + 2, now_s - 100):
            assert answerer.accept(finish, later_s) is None
            assert answerer.welcome(hello, later_s) is None
        call, _ = caller.hello(now_s)
        assert caller.finish(call, welcome, CONTROL, now_s) is None
    # Nor with an answerer that has restarted: it answers, and the recorded FINISH does not fit.
    restarted = _end(wire.Role.GROUND, 3)
    assert restarted.welcome(hello, 0) is not None
    assert restarted.accept(finish, 0) is None


def test_several_callers_at_once_are_served(answerer):
    callers = [_end(wire.Role.ONBOARD, seed) for seed in range(10, 15)]
    calls = [caller.hello(0) for caller in callers]
    welcomes = [answerer.welcome(hello, 0) for _, hello in calls]
    for caller, (call, _), welcome in zip(callers, calls, welcomes, strict=True):
        session, _, finish = caller.finish(call, welcome, CONTROL, 0.1)
        other, _, _ = answerer.accept(finish, 0.1)
        assert other.opener.open(session.sealer.seal(TRAFFIC, b"x")) == b"x"


def test_no_bit_of_the_handshake_can_be_changed(caller, answerer):
    call, hello = caller.hello(0)
    assert all(answerer.welcome(bad, 0) is None for bad in _changed(hello))
    welcome = answerer.welcome(hello, 0)
    assert all(caller.finish(call, bad, CONTROL, 0) is None for bad in _changed(welcome))
    _, _, finish = caller.finish(call, welcome, CONTROL, 0)
    # The first byte is the kind, by which the link chooses whom to ask.
    assert all(answerer.accept(bad, 0) is None for bad in _changed(finish, 8))
    assert answerer.accept(finish, 0) is not None


def _changed(datagram, from_bit=0):
    for bit in range(from_bit, 8 * len(datagram)):
        changed = bytearray(datagram)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)
    for length in range(len(datagram)):
        yield datagram[:length]
    yield datagram + b"\0"


def test_another_key_gets_no_answer(caller):
    stranger = _end(wire.Role.GROUND, 2, AirKey(bytes(32)))
    call, hello = caller.hello(0)
    assert stranger.welcome(hello, 0) is None
    welcome = _end(wire.Role.GROUND, 2).welcome(hello, 0)
    forged = welcome[: -wire.MAC_BYTES] + mac(bytes(32), welcome, wire.MAC_BYTES)
    assert caller.finish(call, forged, CONTROL, 0) is None


def test_nobody_talks_with_its_own_reflection_or_its_like(caller):
    call, hello = caller.hello(0)
    assert caller.welcome(hello, 0) is None
    assert _end(wire.Role.ONBOARD, 5).welcome(hello, 0) is None


def test_another_cipher_is_counted_and_not_answered(caller):
    other = _end(wire.Role.GROUND, 2, cipher="aes-gcm")
    _, hello = caller.hello(0)
    assert other.welcome(hello, 0) is None
    assert other.other_cipher == 1
    # A stranger cannot count it up.
    assert other.welcome(hello[:-1] + bytes([hello[-1] ^ 1]), 0) is None
    assert other.other_cipher == 1


def test_what_calls_leave_behind_is_bounded(caller, answerer):
    for _ in range(SEEN_HELLOS + 50):
        assert answerer.welcome(caller.hello(0)[1], 0) is not None
    assert len(answerer._seen) == SEEN_HELLOS


def test_a_public_key_that_fixes_the_secret_is_refused(caller, answerer):
    """RFC 7748 section 6.1: such points give all zeros. Only who has our key can send one."""
    call, hello = caller.hello(0)
    welcome = answerer.welcome(hello, 0)
    head = welcome[: -wire.MAC_BYTES - wire.PUBLIC_BYTES] + bytes(wire.PUBLIC_BYTES)
    key = KEY.derive(b"answer", 32)
    forged = head + mac(key, b"welcome" + call.head + head, wire.MAC_BYTES)
    assert caller.finish(call, forged, CONTROL, 0) is None
