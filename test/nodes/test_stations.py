# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two ground stations: each serves its drone, and the other's while its station is dead."""

import socket
import time
from contextlib import ExitStack

import pytest
from air_network import DRONE, GROUP, STATION, Network, Stream, sealed

from sc2_ros.errors import ParameterError
from sc2_ros.link.air.arrival import Remote
from sc2_ros.link.air.key import new_key_file
from sc2_ros.link.air.wire import Role
from sc2_ros.media.messages import to_ns
from sc2_ros.nodes import qos
from sc2_ros.nodes.ground_station import GroundNode
from sc2_ros.nodes.standby import AFTER_S, STAYS_S, Called, Standby
from sc2_ros.nodes.stations import shares, sockets
from sc2_ros.runtime.ros import Detection2DArray, DiagnosticArray, rclpy


def test_a_standby_works_only_while_nobody_else_reports():
    watch = Standby(100.0)
    assert not watch.works(100.0 + AFTER_S)
    assert watch.works(100.1 + AFTER_S)
    for number in range(200):  # its own reports, which come back to it
        report = bytes([number])
        watch.on_sent(report)
        watch.on_report(report, 103.0)
        assert watch.works(103.0)
    watch.on_report(b"another's", 103.0)
    assert not watch.works(103.0 + AFTER_S)


def test_a_station_with_a_key_that_only_calls_its_drone_is_stood_in_for():
    network, topic = Network(), [Remote(GROUP, is_group=True)]
    network.add(DRONE, sealed(Role.ONBOARD, topic, seed=1), GROUP)
    network.add(STATION, sealed(Role.GROUND, topic, seed=2), GROUP)
    stream, watch = Stream(network), Standby(network.now_s, sealed=True)

    def hear(seconds):
        before = len(network.seen)
        stream.run(seconds)
        sent = [datagram for _, datagram, source, _ in network.seen[before:] if source == STATION]
        for datagram in sent:
            watch.on_report(datagram, network.now_s)
        return sent

    hear(2.0)
    assert not watch.works(network.now_s)
    network.lost = lambda datagram, source, destination: source == DRONE
    hear(10.0)
    assert len(hear(5.0)) > 5
    assert watch.works(network.now_s)


def test_a_drone_that_chooses_its_station_is_served_while_its_packets_come():
    watch = Called()
    assert not watch.works(100.0)
    watch.on_packet(100.0)
    assert watch.works(100.0 + STAYS_S)
    assert not watch.works(100.1 + STAYS_S)


def test_a_drone_with_a_slow_camera_has_not_gone_between_two_images():
    watch = Called()
    for number in range(4):
        watch.on_packet(100.0 + 20 * number)
    assert watch.works(179.9)
    assert not watch.works(100.0 + 3 * 20 + 2 * 20 + 0.1)
    for number in range(20):  # a faster one, after an outage
        watch.on_packet(1000.0 + number)
    assert not watch.works(1019.1 + STAYS_S)


def test_each_station_stands_in_for_the_one_before_it():
    assert shares("abcde", 2) == [(["a", "c", "e"], ["b", "d"]), (["b", "d"], ["a", "c", "e"])]
    assert shares("ab", 1) == [(["a", "b"], [])]
    with pytest.raises(ParameterError, match="give 1 to as many"):
        shares("ab", 3)


def test_a_drone_has_the_same_port_at_every_station():
    assert sockets("[::]:5600", "ab") == {"a": "[::]:5600", "b": "[::]:5601"}
    for first in ("0.0.0.0:65535", "0.0.0.0", "0.0.0.0:5600,0.0.0.0:5601", ":5600"):
        with pytest.raises(ParameterError, match=r"as 0\.0\.0\.0:5600"):
            sockets(first, "ab")


def test_a_drone_of_the_node_itself_cannot_be_stood_in_for(private_domain):
    given = ["-p", "drones:=d1", "-p", "standby:=d1"]
    rclpy.init(args=["node", "--ros-args", *given])
    try:
        with pytest.raises(ParameterError, match="serves anyway"):
            GroundNode().autostart()
    finally:
        rclpy.try_shutdown()


def words(**values):
    """Parameters on a command line; __ stands for a dot."""
    return [w for key, v in values.items() for w in ("-p", f"{key.replace('__', '.')}:={v}")]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("transport", "sealed"),
    [("topic", False), ("topic", True), ("udp", True)],
    ids=["topic", "sealed topic", "sealed socket"],
)
def test_a_station_that_dies_hands_its_drone_to_another_and_gets_it_back(
    node, spin_until, start, model, tmp_path, transport, sealed
):
    stamps, stations = [], []
    node.create_subscription(
        Detection2DArray,
        "d1/detections",
        lambda message: stamps.append(to_ns(message.header.stamp)),
        qos.RESULTS,
    )
    node.create_subscription(
        DiagnosticArray,
        "d1/frame_info",
        lambda message: stations.append(message.status[0].name.partition(":")[0]),
        qos.RESULTS,
    )
    common = words(model=model, transport=transport)
    if sealed:
        new_key_file(tmp_path / "air.key")
        common += words(air__key_file=tmp_path / "air.key")
    first, second = words(drones="d1", standby="d2"), words(drones="d2", standby="d1")
    drone = []
    if transport == "udp":
        ports = [f"127.0.0.1:{port}" for port in free_ports(4)]
        drone = words(air__remote=ports[0], air__standby=ports[3])
        first += words(air__local=",".join(ports[:2]))
        second += words(air__local=",".join(ports[2:]))
    start("camera_node", "-r", "__ns:=/d1", "-p", "fps:=5.0", "-p", "size:=96x80")
    start("onboard_node", "-r", "__ns:=/d1", *common, *drone)
    home = start("ground_node", *common, *first)
    other = start("ground_node", *common, *second, "-r", "__node:=second")
    spin_until(lambda: len(stamps) > 5, "results of its own station")

    home.kill()
    home.wait()
    killed_ns = time.time_ns()
    spin_until(lambda: stamps[-1] > killed_ns, "results of the other")
    spin_until(lambda: set(stations[-5:]) == {"second"}, "results of it alone")
    start("ground_node", *common, *first)
    spin_until(lambda: set(stations[-5:]) == {"ground_node"}, "its own station again")
    before = len(stamps)
    spin_until(lambda: len(stamps) > before + 10, "results of its own station alone")
    assert len(set(stamps[before:])) == len(stamps[before:])
    other.kill()
    other.wait()
    before = len(stamps)
    spin_until(lambda: len(stamps) > before + 10, "results without the other")


def free_ports(count):
    """Ports of UDP that nobody has bound."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
