# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Interfaces that go and come back, and multicast groups, over the kernel's networking."""

import select
import time

import air_flight as flights
import pytest

from sc2_ros.link.air.endpoint import AirConfig, Endpoint
from sc2_ros.link.air.udp import UdpSocket
from sc2_ros.link.air.wire import Channel, Role

WHY_NOT = flights.why_not("ip")
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "runs")

GROUP = ("239.1.1.1", 5600)


def _restart_modem(net):
    """The drone's interface goes and comes back: the same name and address, another number."""
    net.do("drone", "ip link del radio")
    _mend_modem(net)


def _mend_modem(net):
    net.do("drone", f"ip link add radio type veth peer name drone netns {net.names['router']}")
    net.do("router", "ip addr add 10.77.1.1/24 dev drone")
    net.do("router", "ip link set drone up")
    net.do("drone", "ip addr add 10.77.1.2/24 dev radio")
    net.mend()


class _BoundFlight(flights.Flight):
    """The drone's socket is bound to its interface, which its thread has to find."""

    def start_drone(self):
        config = AirConfig("0.0.0.0:0", (self.remote,), self.key_file, interface="radio")
        with self.net.within("drone"):
            self.drone = Endpoint(config, Role.ONBOARD, self.reports.append)
            self.drone.start()


def test_a_socket_of_one_interface_goes_on_when_that_has_come_back(net, key_file):
    flight = _BoundFlight(net, key_file)
    assert flight.seconds_until_it_flows() < 10
    local = flight.drone.status().local
    _restart_modem(net)
    assert flight.seconds_until_it_flows() < 10
    assert flight.drone.status().local == local
    flight.stop()


def _comes_from_a_group(net, member):
    """Whether a datagram to the group, sent now, reaches a socket."""
    with net.within("router"):
        sender = UdpSocket("0.0.0.0:0", interface="drone")
        sender.send(b"all", GROUP)
        sender.close()
    return bool(select.select([member], [], [], 0.5)[0]) and len(member.receive(1)) == 1


@pytest.mark.parametrize("interface", ["", "radio"])
def test_a_member_of_a_group_is_one_again_when_its_interface_has_come_back(net, interface):
    with net.within("drone"):
        member = UdpSocket("0.0.0.0:5600", [GROUP], interface=interface)
        assert _comes_from_a_group(net, member)
        member.follow_interfaces()  # nothing has happened
        assert _comes_from_a_group(net, member)
        net.do("drone", "ip link del radio")
        member.follow_interfaces()  # away
    _mend_modem(net)
    with net.within("drone"):
        member.follow_interfaces()
        assert _comes_from_a_group(net, member)
    member.close()


def test_a_station_that_joins_a_group_later(net, key_file):
    remote, came = ("239.1.1.1:5600",), {"router": [], "drone": []}
    with net.within("drone"):
        drone = Endpoint(AirConfig("0.0.0.0:0", remote, key_file), Role.ONBOARD, print)
    ends = [drone]

    def join(end, interface=""):
        config = AirConfig("0.0.0.0:5600", remote, key_file, interface=interface)
        with net.within(end):
            ends.append(Endpoint(config, Role.GROUND, came[end].append))
        ends[-1].start()

    def send_until(condition):
        end_s = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end_s
            drone.send(Channel.FEATURES, b"packet")
            time.sleep(flights.FRAME_S)

    try:
        drone.start()
        join("router", "drone")
        send_until(lambda: came["router"])
        join("drone")
        send_until(lambda: came["drone"])
        count = len(came["router"])
        send_until(lambda: len(came["router"]) > count)
        assert len(drone.status().peers) == 2
    finally:
        for end in ends:
            end.stop()
