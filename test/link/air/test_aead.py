# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.air.aead import (
    CIPHERS,
    COUNTER_END,
    HEADER_BYTES,
    RENEW_AT,
    SECRET_BYTES,
    WINDOW,
    CounterExhaustedError,
    Opener,
    Sealer,
)

SECRET = bytes(range(SECRET_BYTES))
CCM = CIPHERS["aes-ccm-8"]


def _counter(datagram):
    return int.from_bytes(datagram[3:6], "big")


def _take(opener, datagram):
    """As the link does: replays first."""
    return None if opener.is_replay(_counter(datagram)) else opener.open(datagram)


@pytest.mark.parametrize("name", list(CIPHERS))
def test_what_is_sealed_opens_once_and_hides_its_payload(name):
    cipher = CIPHERS[name]
    sealer, opener = Sealer(cipher, SECRET, 7), Opener(cipher, SECRET)
    for payload in (b"", b"x", bytes(1200)):
        datagram = sealer.seal(0x18, payload)
        assert len(datagram) == len(payload) + HEADER_BYTES + cipher.tag_bytes
        assert bytes(range(64, 96)) not in datagram
        assert datagram[:3] == b"\x18\x00\x07"
        assert _take(opener, datagram) == payload
        assert _take(opener, datagram) is None
    first, second = sealer.seal(0x18, bytes(100)), sealer.seal(0x18, bytes(100))
    assert first[HEADER_BYTES:] != second[HEADER_BYTES:]


def test_ours_is_at_most_16_bytes_with_the_default():
    assert len(Sealer(CCM, SECRET, 1).seal(0x18, b"")) == 14


@pytest.mark.parametrize("name", list(CIPHERS))
def test_no_bit_can_be_changed(name):
    datagram = Sealer(CIPHERS[name], SECRET, 7).seal(0x18, b"payload")
    opener = Opener(CIPHERS[name], SECRET)
    for bit in range(8 * len(datagram)):
        changed = bytearray(datagram)
        changed[bit // 8] ^= 1 << bit % 8
        assert opener.open(bytes(changed)) is None
    for length in range(len(datagram)):
        assert opener.open(datagram[:length]) is None
    assert opener.open(datagram + b"\0") is None
    assert opener.newest == -1
    assert opener.open(datagram) == b"payload"


def test_another_direction_and_another_session_have_other_keys():
    datagram = Sealer(CCM, SECRET, 7).seal(0x18, b"payload")
    assert Opener(CCM, bytes([1]) + SECRET[1:]).open(datagram) is None
    assert Opener(CCM, SECRET[:-1] + b"\0").open(datagram) is None


@given(
    st.lists(
        st.one_of(
            st.integers(0, 3 * WINDOW),
            st.integers(WINDOW - 3, WINDOW + 3),
            st.just(COUNTER_END - 1),
        ),
        max_size=40,
    ),
    st.integers(0, 2 * WINDOW),
)
def test_the_window_is_a_set_of_those_that_came(counters, first):
    sealer, opener = Sealer(CCM, SECRET, 7), Opener(CCM, SECRET, first)
    came, newest = set(), first - 1
    for counter in counters:
        sealer.counter = counter
        may = counter >= first and counter > newest - WINDOW and counter not in came
        assert (_take(opener, sealer.seal(0x18, b"x")) == b"x") == may
        if may:
            came.add(counter)
            newest = max(newest, counter)


def test_datagrams_that_were_overtaken_by_fewer_than_the_window_come_in():
    sealer, opener = Sealer(CCM, SECRET, 7), Opener(CCM, SECRET)
    datagrams = [sealer.seal(0x18, b"x") for _ in range(WINDOW + 1)]
    assert WINDOW >= 1024
    assert _take(opener, datagrams[-1]) == b"x"
    assert _take(opener, datagrams[0]) is None
    assert all(_take(opener, datagram) == b"x" for datagram in datagrams[1:-1])


def test_a_counter_never_repeats():
    sealer = Sealer(CCM, SECRET, 7)
    sealer.counter = COUNTER_END - 1
    assert _counter(sealer.seal(0x18, b"last")) == COUNTER_END - 1
    for _ in range(2):
        with pytest.raises(CounterExhaustedError):
            sealer.seal(0x18, b"one more")
    assert RENEW_AT < COUNTER_END - 1_000_000
