# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`sc2 fleet`: a row for each drone, from what the stations publish."""

import asyncio
import json
import signal
import subprocess
import sys
import time

import aiohttp
import pytest
from domains import own_domain
from rich.console import Console

from sc2_ros.cli.api.fleet_board import FleetBoard, table
from sc2_ros.cli.fleet import FleetOverview
from sc2_ros.nodes import qos
from sc2_ros.nodes.diagnostics import Level, Status, to_message
from sc2_ros.runtime import ros

SECOND_NS = 10**9
DEADLINE_S = 60.0


def text_of(board, now_ns, now_s):
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table(board.rows(now_ns, now_s)))
    return console.export_text()


def row_of(board, drone, now_ns=50 * SECOND_NS, now_s=1.0):
    lines = text_of(board, now_ns, now_s).splitlines()
    (line,) = (line for line in lines if f" {drone} " in line)
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def test_a_drone_has_a_row_of_what_its_station_says_and_sees():
    board = FleetBoard()
    link = {"kbit_per_s": "310", "loss": "0.020"}
    assert board.on_status("ground_node: a/front link", 0, "2 %", link, 1.0) == "a/front"
    decoder = {"frames_per_s": "9.8", "skipped_per_s": "0.1"}
    board.on_status("ground_node: a/front decoder", 0, "9.8 frames/s", decoder, 1.0)
    board.on_result("a/front", 49 * SECOND_NS + SECOND_NS // 2, 7)
    assert board.on_status("onboard_node: camera", 2, "no image", {}, 1.0) is None

    assert row_of(board, "a/front") == [
        *("a/front", "ground_node", "0.5", "9.8", "0.1", "310", "0.020", "7", "ok")
    ]


def test_the_worst_that_is_said_is_shown_and_a_silent_station_too():
    board = FleetBoard()
    board.on_status("ground_node1: b link", 2, "no packet for 4 s", {}, 1.0)
    board.on_status("ground_node1: b decoder", 0, "0.0 frames/s", {}, 1.0)

    assert row_of(board, "b")[-1] == "no packet for 4 s"
    assert row_of(board, "b", now_s=31.0)[-1] == "its station has said nothing for 30 s"
    board.on_status("ground_node2: b decoder", 0, "9.0 frames/s", {}, 32.0)
    assert row_of(board, "b", now_s=32.0)[1:2] + row_of(board, "b", now_s=32.0)[-1:] == [
        *("ground_node2", "ok")
    ]


def test_brackets_in_what_a_station_says_are_text():
    board = FleetBoard()
    message = "[::]:5600 [red] has [/nothing]"
    board.on_status("ground_node: a link", 1, message, {}, 1.0)

    assert row_of(board, "a")[-1] == message


@pytest.fixture
def graph(monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", str(own_domain()))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    ros.rclpy.init(args=["test"])
    yield
    ros.rclpy.try_shutdown()


@pytest.fixture
def page(graph):
    """The address that `sc2 fleet --view` prints."""
    command = [sys.executable, "-m", "sc2_ros.cli.main", "fleet", "--view"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield next(word for word in process.stdout.readline().split() if word.startswith("http"))
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE_S) == 130  # of ctrl-C, as of every command


def test_the_page_shows_what_is_published(graph, page):
    station = ros.Node("station")
    said = station.create_publisher(ros.DiagnosticArray, "/diagnostics", qos.RESULTS)
    status = Status("d1 link", Level.WARN, "2 % lost", {"kbit_per_s": "88"})

    async def shown():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{page}stream") as stream,
        ):
            while True:
                said.publish(
                    to_message([status], station.get_clock().now().to_msg(), "ground_node", "d1")
                )
                rows = json.loads((await stream.receive()).data)["fleet"]["rows"]
                if rows:
                    return rows

    (row,) = asyncio.run(asyncio.wait_for(shown(), DEADLINE_S))
    assert row["cells"][:2] == ["d1", "ground_node"]
    assert row["cells"][-1] == "2 % lost"
    assert row["level"] == 1


def test_the_drones_are_found_by_what_is_published(graph):
    station, overview = ros.Node("station"), FleetOverview()
    said = station.create_publisher(ros.DiagnosticArray, "/diagnostics", qos.RESULTS)
    seen = station.create_publisher(ros.Detection2DArray, "d1/detections", qos.RESULTS)
    status = Status("d1 link", Level.OK, "fine", {"kbit_per_s": "88"})
    stamp = station.get_clock().now().to_msg()
    result = ros.Detection2DArray()
    result.header.stamp = stamp
    give_up_s = time.monotonic() + DEADLINE_S
    executor = ros.SingleThreadedExecutor()
    executor.add_node(overview)

    def row():
        text = text_of(overview.board, time.time_ns(), time.monotonic())
        return next((line for line in text.splitlines() if " d1 " in line), "")

    while "88" not in row() or " 0 " not in row().replace("│", " "):
        assert time.monotonic() < give_up_s, row()
        said.publish(to_message([status], stamp, "ground_node", "d1"))
        seen.publish(result)
        executor.spin_once(0.05)


def test_a_signal_ends_it_as_ctrl_c_does(graph):
    station = ros.Node("station")
    said = station.create_publisher(ros.DiagnosticArray, "/diagnostics", qos.RESULTS)
    command = [sys.executable, "-m", "sc2_ros.cli.main", "fleet", "--once", "--seconds", "600"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        give_up_s = time.monotonic() + DEADLINE_S
        while not said.get_subscription_count():
            assert time.monotonic() < give_up_s
            ros.rclpy.spin_once(station, timeout_sec=0.05)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    assert (process.returncode, error) == (130, "")
