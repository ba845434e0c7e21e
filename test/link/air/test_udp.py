# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import select
import socket
import struct
import time

import pytest

from sc2_ros.errors import AirAddressError
from sc2_ros.link.air import udp
from sc2_ros.link.air.udp import SO_TIMESTAMPNS, UdpSocket


def _wait(*sockets):
    for one in sockets:
        assert select.select([one], [], [], 5)[0]


@pytest.fixture(params=["127.0.0.1:0", "[::1]:0"])
def local(request):
    try:
        UdpSocket(request.param).close()
    except AirAddressError as error:
        pytest.skip(str(error))
    return request.param


def test_a_datagram_comes_with_the_kernels_time_and_its_mark(local):
    sender, receiver = UdpSocket(local, ecn=1, dscp=46), UdpSocket(local)
    # The first socket of a machine that wants times has the kernel begin to take them; soon.
    for _ in range(50):
        sender.send(b"warm up", receiver.address)
        _wait(receiver)
        time.sleep(0.01)
        if time.monotonic() - receiver.receive(1)[0].arrival_s > 0.009:
            break
    before_s = time.monotonic()
    assert sender.send(b"hello", receiver.address)
    _wait(receiver)
    sent_s = time.monotonic()
    time.sleep(0.05)  # The node is busy; the time is that of the arrival all the same.
    (item,) = receiver.receive(10)
    assert (item.datagram, item.source, item.ecn) == (b"hello", sender.address, 1)
    assert before_s - 0.001 <= item.arrival_s <= sent_s + 0.001


def test_dscp_and_ecn_are_in_the_header(local):
    family = socket.AF_INET6 if "[" in local else socket.AF_INET
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    receiver.bind(("::1" if "[" in local else "127.0.0.1", 0))
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    if family == socket.AF_INET6:
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
    UdpSocket(local, ecn=2, dscp=34).send(b"x", receiver.getsockname())
    _, ancillary, _, _ = receiver.recvmsg(100, 100)
    values = [int.from_bytes(data[:1], "little") for _, _, data in ancillary]
    assert 34 << 2 | 2 in values
    receiver.close()


def test_an_ipv6_socket_talks_to_ipv4():
    try:
        receiver = UdpSocket("[::]:0")
    except AirAddressError as error:
        pytest.skip(str(error))
    sender = UdpSocket("127.0.0.1:0", ecn=2)
    sender.send(b"four", ("127.0.0.1", receiver.address[1]))
    _wait(receiver)
    (item,) = receiver.receive(1)
    assert item.source == ("::ffff:127.0.0.1", sender.address[1], 0, 0)
    assert item.ecn == 2
    receiver.send(b"back", item.source)
    _wait(sender)
    assert sender.receive(1)[0].datagram == b"back"


def test_work_per_turn_is_bounded_and_nothing_blocks():
    sender, receiver = UdpSocket("127.0.0.1:0"), UdpSocket("127.0.0.1:0")
    for number in range(20):
        sender.send(b"%d" % number, receiver.address)
    _wait(receiver)
    assert [item.datagram for item in receiver.receive(8)] == [b"%d" % n for n in range(8)]
    assert len(receiver.receive(100)) == 12
    assert receiver.receive(100) == []
    assert (sender.sent, sender.sent_bytes) == (receiver.received, receiver.received_bytes)
    assert (sender.sent, sender.sent_bytes) == (20, 30 + 20 * 28)


def test_what_is_too_long_for_us_is_not_taken_for_its_beginning():
    sender, receiver = UdpSocket("127.0.0.1:0"), UdpSocket("127.0.0.1:0")
    sender.send(bytes(udp.DATAGRAM_BYTES + 1), receiver.address)
    _wait(receiver)
    assert receiver.receive(1)[0].datagram == b""


def test_what_cannot_be_sent_is_counted_by_its_reason():
    sender = UdpSocket("127.0.0.1:0")
    assert not sender.send(bytes(70_000), ("127.0.0.1", 9))
    assert not sender.send(b"x", ("255.255.255.255", 9))
    assert sender.send_errors == {"EMSGSIZE": 1, "EACCES": 1}
    assert sender.sent == 0


def test_a_port_in_use_a_strange_address_and_no_interface_are_errors():
    taken = UdpSocket("127.0.0.1:0")
    with pytest.raises(AirAddressError, match=r"air\.local: cannot bind .*in use"):
        UdpSocket(f"127.0.0.1:{taken.address[1]}")
    with pytest.raises(AirAddressError, match="cannot bind"):
        UdpSocket("192.0.2.1:0")
    with pytest.raises(AirAddressError, match="on nosuch0: No such device"):
        UdpSocket("127.0.0.1:0", interface="nosuch0")
    with pytest.raises(AirAddressError, match="cannot find"):
        UdpSocket("no.such.host.invalid:0")


def test_a_wall_clock_that_is_set_spoils_no_arrival():
    now_ns = time.time_ns()
    assert abs(udp.arrival_s(now_ns - 100_000_000) - (time.monotonic() - 0.1)) < 0.05
    for wrong_ns in (now_ns + 5_000_000_000, now_ns - 3600_000_000_000, None):
        assert abs(udp.arrival_s(wrong_ns) - time.monotonic()) < 0.05


def test_ancillary_data_of_others_is_passed_over():
    stamp = struct.pack("@ll", 7, 9)
    assert udp.read_ancillary([]) == (None, 0)
    assert udp.read_ancillary([(socket.SOL_SOCKET, SO_TIMESTAMPNS, stamp)]) == (7_000_000_009, 0)
    assert udp.read_ancillary([(socket.SOL_SOCKET, SO_TIMESTAMPNS, b"")]) == (None, 0)
    assert udp.read_ancillary([(99, 99, b"x")]) == (None, 0)
