# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import socket

import pytest

from sc2_ros.errors import AirAddressError
from sc2_ros.link.air import address as addresses

V4, V6 = socket.AF_INET, socket.AF_INET6


def test_addresses_are_read_as_users_write_them():
    assert addresses.split("10.0.0.1:5600") == ("10.0.0.1", 5600)
    assert addresses.split(" [fd00::2]:5600 ") == ("fd00::2", 5600)
    assert addresses.split("station.local:1") == ("station.local", 1)
    assert addresses.family_of("[::]:5600") == V6
    assert addresses.family_of("0.0.0.0:0") == V4


@pytest.mark.parametrize(
    "text", ["", "10.0.0.1", "10.0.0.1:", ":5600", "10.0.0.1:x", "h:70000", "h:-1"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(AirAddressError, match="host:port"):
        addresses.split(text)


def test_ipv6_without_brackets_is_refused_with_the_way_to_write_it():
    with pytest.raises(AirAddressError, match="brackets"):
        addresses.split("fd00::2:5600")


def test_one_socket_of_ipv6_serves_both():
    assert addresses.resolve("10.0.0.1:5600", V4) == ("10.0.0.1", 5600)
    assert addresses.resolve("10.0.0.1:5600", V6) == ("::ffff:10.0.0.1", 5600, 0, 0)
    assert addresses.resolve("[fd00::2]:5600", V6) == ("fd00::2", 5600, 0, 0)
    with pytest.raises(AirAddressError, match=r"air\.local of IPv6"):
        addresses.resolve("[fd00::2]:5600", V4)
    assert addresses.shown(("::ffff:10.0.0.1", 5600, 0, 0)) == "10.0.0.1:5600"
    assert addresses.shown(("fd00::2", 5600, 0, 0)) == "[fd00::2]:5600"
    assert addresses.ip_udp_bytes(("::ffff:10.0.0.1", 5600, 0, 0)) == 28
    assert addresses.ip_udp_bytes(("fd00::2", 5600, 0, 0)) == 48


def test_groups_are_told_by_their_address():
    assert addresses.remote("239.1.2.3:5600", V4, False).is_group
    assert addresses.remote("239.1.2.3:5600", V6, False).is_group
    assert addresses.remote("[ff02::5c2]:5600", V6, False).is_group
    assert not addresses.remote("10.0.0.1:5600", V4, False).is_group
    assert addresses.remote("127.0.0.1:5600", V4, True).is_group
    with pytest.raises(AirAddressError, match="port 0"):
        addresses.remote("10.0.0.1:0", V4, False)
