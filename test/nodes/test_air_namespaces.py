# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The real nodes over a narrow and lossy radio of the kernel, the drone behind a NAT.

    drone's namespace                 router                     ground's namespace
    camera -> onboard -> UDP -> [tbf] ---- [loss, masquerade] ---- UDP -> ground -> detections

The DDS of either end stays on the loopback interface of its namespace.
"""

import json
import subprocess
import sys
import time

import air_flight as flights
import pytest

from sc2_ros.link.air.key import new_key_file
from sc2_ros.media.messages import to_ns
from sc2_ros.nodes import qos
from sc2_ros.runtime.ros import Detection2DArray, Node, rclpy

DEADLINE_S = 300.0
PORT = 5600
WHY_NOT = flights.why_not()

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "runs"),
]
COUNT_STRANGERS = f"""
table ip census {{
  counter strangers {{}}
  chain radio {{
    type filter hook prerouting priority -200
    udp sport {PORT} accept
    udp dport {PORT} accept
    meta l4proto icmp accept comment "the kernel: an address has gone"
    counter name strangers
  }}
}}
"""


@pytest.fixture
def net(private_domain):
    made = flights.Namespaces()
    made.do("drone", "tc qdisc add dev radio root tbf rate 300kbit burst 3000 limit 15000")
    made.lose(5)
    made.translate(True)
    made.nft(COUNT_STRANGERS)
    yield made
    made.close()


@pytest.fixture
def stamps(net):
    """Call it to listen a little: the stamps of all detections that came out at the ground."""
    heard = []
    with net.within("ground"):  # where Cyclone opens its sockets, once
        rclpy.init(args=["tester"])
        node = Node("tester")
    node.create_subscription(
        Detection2DArray, "detections", lambda m: heard.append(to_ns(m.header.stamp)), qos.RESULTS
    )

    def listen():
        rclpy.spin_once(node, timeout_sec=0.05)
        return heard

    yield listen
    rclpy.try_shutdown()


def test_results_flow_over_a_narrow_lossy_radio_from_behind_a_nat(
    net, start_in, stamps, model, tmp_path
):
    # Arrange
    new_key_file(tmp_path / "air.key")
    common = ("-p", f"model:={model}", "-p", "transport:=udp")
    common += ("-p", f"air.key_file:={tmp_path / 'air.key'}")
    start_in(net.names["ground"], "ground_node", *common, "-p", f"air.local:=0.0.0.0:{PORT}")
    start_in(net.names["drone"], "camera_node", "-p", "fps:=10.0", "-p", "size:=192x160")
    start_in(
        net.names["drone"], "onboard_node", *common,
        "-p", f"air.remote:={flights.STATION}", "-p", "rate.mode:=auto",
    )  # fmt: skip

    def flows(since_ns, what):
        give_up = time.monotonic() + DEADLINE_S
        while sum(stamp > since_ns for stamp in stamps()) < 10:
            assert time.monotonic() < give_up, f"no results {what}"

    # Act
    flows(0, "from behind the NAT")
    net.move_router(9)  # the NAT has forgotten the drone, the drone is told nothing
    flows(time.time_ns(), "after the NAT mapping has changed")
    net.cut()
    time.sleep(2.0)
    net.mend()
    flows(time.time_ns(), "after an outage")

    # Assert
    (counter,) = json.loads(net.do("router", "nft -j list counters").stdout)["nftables"][1:]
    assert counter["counter"]["packets"] == 0, "something else than our datagrams is on the radio"


def test_a_station_of_another_machine_stands_in_and_gives_the_drone_back(
    net, start_in, model, tmp_path
):
    """Its own station is behind the router, the other is the router; they share no loopback."""
    new_key_file(tmp_path / "air.key")
    common = ("-p", f"model:={model}", "-p", "transport:=udp")
    common += ("-p", f"air.key_file:={tmp_path / 'air.key'}")
    station = (*common, "-p", f"air.local:=0.0.0.0:{PORT}", "-p", "drones:=d1")
    other = (*common, "-p", f"air.local:=0.0.0.0:{PORT + 1},0.0.0.0:{PORT}", "-p", "drones:=d2")
    home = start_in(net.names["ground"], "ground_node", *station)
    start_in(
        net.names["router"],
        "ground_node",
        *other,
        "-p",
        "standby:=d1",
        "-r",
        "__node:=ground_node2",
    )
    start_in(
        net.names["drone"], "camera_node", "-p", "fps:=5.0", "-p", "size:=96x80", "-r", "__ns:=/d1"
    )
    start_in(
        net.names["drone"], "onboard_node", *common, "-r", "__ns:=/d1",
        "-p", f"air.remote:={flights.STATION}", "-p", f"air.standby:=10.77.1.1:{PORT}",
    )  # fmt: skip

    def serves(end):
        """Whether the station there shows the drone's images now."""
        command = [sys.executable, "-m", "sc2_ros.cli.main", "fleet", "--once"]
        command = ["ip", "netns", "exec", net.names[end], *command]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rows = (line.strip("│ ").split("│") for line in told.splitlines() if "│ d1 " in line)
        ages = [cells[2].strip() for cells in rows]
        return any(age != "-" and abs(float(age)) < 10 for age in ages)

    def comes_about(what, *ends):
        give_up = time.monotonic() + DEADLINE_S
        while [end for end in ("ground", "router") if serves(end)] != list(ends):
            assert time.monotonic() < give_up, what

    comes_about("results of its own station", "ground")
    home.kill()
    home.wait()
    comes_about("results of the other", "router")
    start_in(net.names["ground"], "ground_node", *station)
    comes_about("its own station again", "ground")
