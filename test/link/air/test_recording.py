# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was recorded of a sealed topic is read with the key file, and is of no use to others."""

import pytest
from air_network import DRONE, GROUP, KEY, STATION, Network, sealed

from sc2_ros.codec import wire
from sc2_ros.errors import PacketError
from sc2_ros.link.air.aead import CIPHERS
from sc2_ros.link.air.arrival import Remote
from sc2_ros.link.air.key import AirKey
from sc2_ros.link.air.recording import KEY_EVERY_S, Reader
from sc2_ros.link.air.wire import Role


def fly(seconds=4.0, station=True, **options):
    """A drone on a topic: (what it sent, what was recorded)."""
    network = Network()
    remotes = [Remote(GROUP, is_group=True)]
    drone = sealed(Role.ONBOARD, remotes, seed=1, recorded=True, **options)
    network.add(DRONE, drone)
    if station:
        ground = sealed(Role.GROUND, remotes, seed=2, **options)
        network.add(STATION, ground, GROUP)
    network.run(0.1)
    sent = []
    for number in range(round(seconds / 0.1)):
        sent.append(b"frame %d" % number)
        network.send(DRONE, sent[-1])
        network.run(0.1)
    if station:
        assert network.payloads(STATION)[-5:] == sent[-5:]
    return sent, [one for _, one, source, _ in network.seen if source == DRONE]


def read(key, recorded):
    reader = Reader(key, recorded)
    opened = [reader.open(datagram) for datagram in recorded]
    return [payload for payload in opened if payload is not None]


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("station", [True, False])
def test_a_recording_is_read_with_the_key(station, cipher):
    sent, recorded = fly(station=station, cipher=cipher)
    assert read(KEY, recorded) == sent


def test_a_recording_goes_on_through_a_change_of_keys():
    sent, recorded = fly(seconds=20.0, renew_s=5.0)
    assert Reader(KEY, recorded).keys >= 3
    assert read(KEY, recorded) == sent


def test_a_recording_that_begins_in_flight_is_read_from_its_begin():
    sent, recorded = fly(seconds=3 * KEY_EVERY_S)
    assert read(KEY, recorded[-30:]) == sent[-len(read(KEY, recorded[-30:])) :] != []


def test_it_hides_everything_from_who_has_another_key():
    sent, recorded = fly()
    assert read(AirKey(bytes(32)), recorded) == []
    assert not any(frame in datagram for frame in sent for datagram in recorded)


def test_a_recording_that_is_played_back_is_no_flight():
    _, recorded = fly()
    network = Network()
    fresh = sealed(Role.GROUND, [Remote(GROUP, is_group=True)], seed=3)
    network.add(STATION, fresh, GROUP)
    for datagram in recorded:
        network.inject(datagram, DRONE, GROUP)
        network.run(0.02)
    assert network.payloads(STATION) == []
    assert fresh.counts.malformed == 0


def test_a_ground_without_the_key_is_told_why_it_reads_nothing():
    _, recorded = fly()
    with pytest.raises(PacketError, match="air.key_file"):
        wire.parse(next(one for one in recorded if one[0] == 0x15))
