# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files on real ROS 2, as installed by `colcon build`."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sc2_ros.nodes.parameters import TABLES

LONGEST_S = 1500.0
NODES = {
    "demo": ("camera_node", "onboard_node", "link_emulator_node", "ground_node"),
    "onboard": ("onboard_node",),
    "ground": ("ground_node",),
    "fleet": ("ground_node", "camera_node", "onboard_node", "link_emulator_node"),
    "drone": ("onboard_node",),
}

pytestmark = pytest.mark.processes


@pytest.fixture
def installed(rclpy):
    packages = pytest.importorskip("ament_index_python.packages", reason="needs ament_index_python")
    try:
        return packages.get_package_share_path("sc2_ros")
    except packages.PackageNotFoundError:
        pytest.skip("needs `colcon build` and `source install/setup.bash` first")


def test_the_demo_and_a_fleet_fly_take_parameters_and_end(installed):
    launch_test = shutil.which("launch_test")
    if launch_test is None:
        pytest.skip("needs launch_test (launch_testing)")
    command = [launch_test, str(Path(__file__).with_name("launch_flights.py"))]

    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NODES)
def test_every_parameter_is_listed_as_an_argument(installed, ros2, name):
    text = ros2("launch", "sc2_ros", f"{name}.launch.py", "--show-args")

    assert "'namespace':" in text
    assert "'params_file':" in text
    assert "Traceback" not in text
    rows = {row.name for node in NODES[name] for row in TABLES[node]}
    assert not [row for row in rows if f"'{row}':" not in text]
    assert ("'score_threshold':" in text) == (name not in ("onboard", "drone"))
    assert ("'rate.max_kbps':" in text) == (name != "ground")


@pytest.mark.parametrize("name", NODES)
def test_an_argument_that_a_launch_file_does_not_have_is_an_error(installed, ros2, name):
    camera = ["camera:=usb_cam"] if name == "drone" else []

    text = ros2("launch", "sc2_ros", f"{name}.launch.py", *camera, "nonsense:=1")

    assert f"{name}.launch.py has no argument nonsense" in text
    assert "process started" not in text


def test_nodes_come_up_with_every_parameter_given_as_an_argument(installed, tmp_path):
    rows = {row.name: row.default for node in NODES["demo"] for row in TABLES[node]}
    words = [f"{name}:={written(value)}" for name, value in rows.items() if value != ""]

    told = launched(tmp_path / "log", words, "images from", "packets from")

    assert "error" not in told.lower()


@pytest.mark.parametrize(
    ("argument", "node", "said"),
    [
        ("params_file", "camera_node: {ros__parameters: {input: nowhere}}", "no input 'nowhere'"),
        (
            "ground_params_file",
            "link_emulator_node: {ros__parameters: {link: 7mbit}}",
            "link 7mbit",
        ),
    ],
)
def test_what_a_file_says_and_no_argument_is_taken(installed, tmp_path, argument, node, said):
    file = tmp_path / "mine.yaml"
    file.write_text(f"/**/{node}\n")

    launched(tmp_path / "log", [f"{argument}:={file}"], said)


@pytest.mark.parametrize("word", ["1e3", "n"])
def test_text_stays_text_though_ros_would_read_a_number_or_a_truth(installed, tmp_path, word):
    told = launched(tmp_path / "log", [f"input:={word}"], "] error: ")

    assert f"no input '{word}'" in told


def test_stations_take_a_file_as_ros_reads_it(installed, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("ns: {ground_node: {ros__parameters: {score_threshold: 1e-1, model: 'n'}}}\n")
    words = ["drones:=a,b", "stations:=2", f"params_file:={file}"]

    told = launched(tmp_path / "log", words, "] error: ", file="fleet")

    assert "no checkpoint 'n'" in told


def launched(log, words, *texts, file="demo"):
    """What a launch file says until it has said all these texts."""
    command = ["ros2", "launch", "sc2_ros", f"{file}.launch.py", *words]
    with (
        log.open("w") as told,
        subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT) as launch,
    ):
        try:
            give_up = time.monotonic() + LONGEST_S
            goes_on = True
            while not all(text in log.read_text() for text in texts):
                assert goes_on, log.read_text()
                goes_on = launch.poll() is None and time.monotonic() < give_up
                time.sleep(0.1)
        finally:
            launch.send_signal(signal.SIGINT)
    return log.read_text()


def written(value):
    """A parameter's value as an argument."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("rate.max_kpbs:=300", "did you mean rate.max_kbps?"),
        ("rate.max_kbps:=0", "rate.max_kbps:=0 is out of range: 1.0 to 100000.0"),
        ("rate.max_kbps:=1e6", "rate.max_kbps:=1e6 is out of range: 1.0 to 100000.0"),
        ("rate.max_kbps:=fast", "rate.max_kbps:=fast is no number"),
        ("rate.mode:=fsat", "rate.mode:=fsat is unknown; use one of auto, budget, fixed"),
    ],
)
def test_a_mistaken_argument_is_one_sentence(installed, ros2, argument, said):
    text = ros2("launch", "sc2_ros", "onboard.launch.py", argument)

    assert said in text
    assert "process started" not in text


def test_a_station_that_there_is_not_is_refused(installed, ros2):
    text = ros2("launch", "sc2_ros", "fleet.launch.py", "stations:=3", "station:=4")

    assert "station:=4 of 3; give 1 to 3, or 0 for all" in text
    assert "process started" not in text


def test_a_drone_with_its_camera_takes_parameters_and_is_started_again(
    installed, node, spin_until, monkeypatch, tmp_path
):
    """The driver is our camera node under the name of usb_cam: it publishes image_raw."""
    from diagnostic_msgs.msg import DiagnosticArray
    from rclpy.parameter_client import AsyncParameterClient
    from rclpy.qos import qos_profile_sensor_data
    from std_msgs.msg import UInt8MultiArray

    executable = tmp_path / "lib" / "usb_cam" / "usb_cam_node_exe"
    index = tmp_path / "share" / "ament_index" / "resource_index" / "packages" / "usb_cam"
    for path in (executable, index):
        path.parent.mkdir(parents=True)
    index.touch()
    executable.write_text(
        f"#!/bin/sh\nexec {sys.executable} -m sc2_ros.nodes.camera_node "
        '"$@" --ros-args -r image:=image_raw -p size:=96x80 -p fps:=5.0 -r __node:=camera_node\n'
    )
    executable.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path}:{os.environ['AMENT_PREFIX_PATH']}")
    packets, topics = [], set()
    node.create_subscription(
        UInt8MultiArray, "/d1/features", packets.append, qos_profile_sensor_data
    )
    node.create_subscription(
        DiagnosticArray,
        "/diagnostics",
        lambda message: topics.update(v.value for s in message.status for v in s.values),
        10,
    )
    words = ("namespace:=d1", "camera:=usb_cam", "rate.mode:=fixed", "rate.index:=0")
    command = ["ros2", "launch", "sc2_ros", "drone.launch.py", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as launch:
        try:
            spin_until(lambda: len(packets) > 5, "packets")
            spin_until(lambda: "/d1/image_raw" in topics, "the camera's topic")
            drones = [
                process
                for process in psutil.Process(launch.pid).children(recursive=True)
                if any("onboard_node" in word for word in process.cmdline())
            ]
            client = AsyncParameterClient(node, "/d1/onboard_node")
            spin_until(client.services_are_ready, "the parameter services")
            asked = client.get_parameters(["rate.mode", "rate.index"])
            spin_until(asked.done, "the parameters")
            for process in drones:
                process.kill()
            packets.clear()
            spin_until(lambda: len(packets) > 5, "packets of the node that was started again")
        finally:
            launch.send_signal(signal.SIGINT)
    mode, rate_index = asked.result().values
    assert mode.string_value == "fixed"
    assert rate_index.double_value == 0.0
