# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two ground stations: each serves its drone, and the other's while its station is dead."""

import time

import pytest

from sc2_ros.codec import wire
from sc2_ros.errors import ParameterError
from sc2_ros.link.feedback import parse_feedback
from sc2_ros.media.messages import packet_bytes, to_ns
from sc2_ros.nodes import qos
from sc2_ros.nodes.ground_station import GroundNode
from sc2_ros.nodes.standby import AFTER_S, Standby
from sc2_ros.runtime.ros import Detection2DArray, UInt8MultiArray, rclpy


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


@pytest.mark.parametrize(
    ("words", "said"),
    [(("standby:=d1",), "serves anyway"), (("standby:=d2", "transport:=udp"), "air.remote")],
)
def test_what_cannot_be_stood_in_for_is_refused(private_domain, words, said):
    given = [word for value in ("drones:=d1", *words) for word in ("-p", value)]
    rclpy.init(args=["node", "--ros-args", *given])
    try:
        with pytest.raises(ParameterError, match=said):
            GroundNode().autostart()
    finally:
        rclpy.try_shutdown()


@pytest.mark.processes
def test_a_station_that_dies_hands_its_drone_to_another_and_gets_it_back(
    node, spin_until, start, model
):
    stamps, stations = [], []
    node.create_subscription(
        Detection2DArray,
        "d1/detections",
        lambda message: stamps.append(to_ns(message.header.stamp)),
        qos.RESULTS,
    )
    node.create_subscription(
        UInt8MultiArray,
        "d1/feedback",
        lambda message: stations.append(station_of(message)),
        qos.PACKETS,
    )
    network, first = ("-p", f"model:={model}"), ("-p", "drones:=d1", "-p", "standby:=d2")
    start("camera_node", "-r", "__ns:=/d1", "-p", "fps:=5.0", "-p", "size:=96x80")
    start("onboard_node", "-r", "__ns:=/d1", *network)
    home = start("ground_node", *network, *first)
    second = ("-p", "drones:=d2", "-p", "standby:=d1", "-r", "__node:=second")
    start("ground_node", *network, *second)
    spin_until(lambda: len(stamps) > 5, "results of its own station")

    for _ in range(2):
        home.kill()
        home.wait()
        killed_ns, before = time.time_ns(), len(stamps)
        spin_until(lambda: len(stamps) > before + 10, "results of the other")  # noqa: B023
        assert stamps[-1] > killed_ns
        other = stations[-1]
        home = start("ground_node", *network, *first)
        spin_until(lambda: other not in stations[-10:], "its own station again")  # noqa: B023
        before = len(stamps)
        spin_until(lambda: len(stamps) > before + 10, "results of it")  # noqa: B023
        assert len(set(stamps[before:])) == len(stamps[before:])


def station_of(message):
    """Number of the ground station that a report is of."""
    packet = wire.parse(packet_bytes(message))
    return parse_feedback(packet.payload).station
