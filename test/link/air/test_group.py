# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import random

from sc2_ros.link.air import group
from sc2_ros.link.air.aead import CIPHERS
from sc2_ros.link.air.group import SWITCH_S, GroupMember, GroupSender

CCM = CIPHERS["aes-ccm-8"]


def _sender(seed=1, renew_s=900.0):
    return GroupSender(CCM, random.Random(seed).randbytes, renew_s)


def _take(member, datagram):
    """What the member's keys make of a datagram."""
    for session, opener in member.openers():
        counter = int.from_bytes(datagram[3:6], "big")
        if session == int.from_bytes(datagram[1:3], "big") and not opener.is_replay(counter):
            payload = opener.open(datagram)
            if payload is not None:
                return payload
    return None


def test_before_the_first_member_nothing_is_sealed():
    sender = _sender()
    assert sender.seal(0x18, b"x") is None
    assert sender.offers() == ()


def test_a_member_opens_from_when_it_was_told_on():
    sender, member = _sender(), GroupMember(CCM)
    sender.begin(bytes(32), 0.0)
    early = sender.seal(0x18, b"early")
    member.learn(sender.offers())
    assert _take(member, early) is None
    assert _take(member, sender.seal(0x18, b"now")) == b"now"


def test_to_be_told_again_lets_nothing_in_twice():
    sender, member = _sender(), GroupMember(CCM)
    sender.begin(bytes(32), 0.0)
    assert member.learn(sender.offers())
    offers = sender.offers()  # on a slower way than what is sealed next
    datagram = sender.seal(0x18, b"once")
    assert _take(member, datagram) == b"once"
    assert not member.learn(offers)
    assert _take(member, datagram) is None


def test_the_session_of_the_first_member_goes_into_the_key():
    secrets = set()
    for exported in (bytes(32), bytes([1]) * 32):
        sender = _sender(seed=7)
        sender.begin(exported, 0.0)
        secrets.add(sender.offers()[0].secret)
    assert len(secrets) == 2


def test_the_next_key_is_handed_out_before_it_is_used(monkeypatch):
    monkeypatch.setattr(group, "RENEW_AT", 3)
    sender, member = _sender(), GroupMember(CCM)
    sender.begin(bytes(32), 0.0)
    for _ in range(3):
        sender.seal(0x18, b"x")
    sender.turn(1.0)
    assert len(sender.offers()) == 2
    member.learn(sender.offers())
    assert len(member.openers()) == 2
    old = sender.seal(0x18, b"old")
    sender.turn(1.0 + SWITCH_S)
    assert len(sender.offers()) == 1
    new = sender.seal(0x18, b"new")
    assert old[1:3] != new[1:3]
    assert _take(member, new) == b"new"
    assert _take(member, old) == b"old"


def test_keys_are_renewed_by_age_and_members_keep_two():
    sender, member = _sender(renew_s=10.0), GroupMember(CCM)
    sender.begin(bytes(32), 0.0)
    seen = set()
    for now_s in range(100):
        sender.turn(float(now_s))
        member.learn(sender.offers())
        assert len(member.openers()) <= 2
        datagram = sender.seal(0x18, b"x")
        seen.add(datagram[1:3])
        assert _take(member, datagram) == b"x"
    assert len(seen) >= 8
