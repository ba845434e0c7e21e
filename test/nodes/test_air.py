# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes with sockets of their own on the radio: everything crosses, and nothing else does."""

import json
import re
import socket
import time
from collections import defaultdict

import numpy as np
import pytest

from sc2_ros.cli.main import main
from sc2_ros.codec import wire
from sc2_ros.errors import AirAddressError, PacketError
from sc2_ros.link.air.endpoint import AirConfig
from sc2_ros.link.air.key import new_key_file
from sc2_ros.link.air.recording import is_sealed
from sc2_ros.link.air.wire import Role
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.messages import header, image_message, packet_bytes
from sc2_ros.nodes import air, ground_node, qos
from sc2_ros.nodes.air import (
    CALIBRATION,
    CAPABLE,
    CONGESTED,
    NodeLink,
    air_configs,
    read_calibration,
)
from sc2_ros.nodes.diagnostics import Level
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.nodes.parameters import GROUND
from sc2_ros.runtime.ros import (
    CameraInfo,
    Detection2DArray,
    DiagnosticArray,
    Image,
    UInt8MultiArray,
    rclpy,
)

SETTINGS = {row.name: row.default for row in GROUND} | {"transport": "udp"}


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def values_of(messages, status_name):
    """Of the newest status whose name ends so."""
    for message in reversed(messages):
        for status in message.status:
            if status.name.endswith(status_name):
                return {value.key: value.value for value in status.values}
    return {}


def wait_for(condition, seconds=20.0):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


@pytest.mark.processes
@pytest.mark.parametrize(("transport", "sealed"), [("udp", True), ("both", False)])
def test_everything_crosses_by_udp(
    node, spin_until, start, model, tmp_path, transport, sealed, capfd
):
    port = free_port()
    common = ["-p", f"model:={model}", "-p", f"transport:={transport}"]
    if sealed:
        new_key_file(tmp_path / "air.key")
        common += ["-p", f"air.key_file:={tmp_path / 'air.key'}"]
    heard = defaultdict(list)
    topics = {
        "detections": Detection2DArray,
        "mask": Image,
        "mask/camera_info": CameraInfo,
        "features": UInt8MultiArray,
        "drone/features": UInt8MultiArray,
        "/diagnostics": DiagnosticArray,
    }
    for topic, kind in topics.items():
        node.create_subscription(kind, topic, heard[topic].append, qos.SENSOR)
    camera = node.create_publisher(Image, "camera/image", qos.RESULTS)
    calibration = node.create_publisher(CameraInfo, "camera/camera_info", qos.RESULTS)
    info = CameraInfo(width=192, height=160, distortion_model="plumb_bob", d=[0.1, 0.2])
    info.k = np.array([99.0, 0, 96, 0, 99, 80, 0, 0, 1])

    start("ground_node", *common, "-p", f"air.local:=127.0.0.1:{port}")
    start(
        "onboard_node", *common, "-p", f"air.remote:=127.0.0.1:{port}",
        "-p", "rate.mode:=fixed", "-p", "rate.index:=0.0", "-r", "image:=camera/image",
        "-r", "features:=drone/features", "-r", "feedback:=drone/feedback",
    )  # fmt: skip
    image = np.zeros((160, 192, 3), np.uint8)

    def seen(topic):
        info.header = header(0, "cam")
        camera.publish(image_message(image, node.get_clock().now().nanoseconds, "cam"))
        calibration.publish(info)
        return heard[topic]

    spin_until(lambda: len(seen("detections")) > 3, "detections")
    spin_until(lambda: seen("mask/camera_info"), "camera_info")
    spin_until(lambda: seen("mask")[-1:] and heard["mask"][-1].header.frame_id == "cam", "frame_id")
    spin_until(
        lambda: seen("mask") and values_of(heard["/diagnostics"], "link").get("rtt_ms"),
        "reports at the drone",
    )
    spin_until(
        lambda: seen("mask") and values_of(heard["/diagnostics"], "air").get("peers"),
        "the air link's diagnostics",
    )
    assert heard["mask/camera_info"][0].k[0] == pytest.approx(99.0)
    assert list(heard["mask/camera_info"][0].d) == [0.1, 0.2]
    assert bool(heard["features"]) == bool(heard["drone/features"]) == (transport == "both")
    radio = values_of(heard["/diagnostics"], "air")
    assert radio["overhead_bytes_per_packet"] == ("42" if sealed else "29")
    if sealed:
        assert re.fullmatch(r"[0-9a-f]{8}", radio["key"])


@pytest.mark.parametrize("ecn", [CAPABLE, CONGESTED])
def test_the_ground_counts_marks_of_a_congested_link(ecn):
    """What is sent with the mark is as what a router has marked."""
    came = []
    ground = NodeLink(AirConfig("127.0.0.1:0"), Role.GROUND, lambda *packet: came.append(packet))
    ground.start()
    local = ground.status(0.0).values["local"]
    drone = NodeLink(AirConfig("127.0.0.1:0", (local,), ecn=ecn), Role.ONBOARD, came.append)
    drone.start()
    try:
        wait_for(lambda: drone.status(0.0).values["peers"])
        drone.send(b"packet")
        wait_for(lambda: came)
    finally:
        drone.stop()
        ground.stop()
    assert ground.marked == (ecn == CONGESTED)


def test_the_calibration_crosses_a_radio_of_one_direction():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind(("127.0.0.1", 0))
        station.settimeout(20)
        config = AirConfig("127.0.0.1:0", ("{}:{}".format(*station.getsockname()),))
        drone = NodeLink(config, Role.ONBOARD, lambda *_: None)
        drone.calibrate(CameraInfo(width=64, height=48))
        drone.turn(time.monotonic())
        datagram = station.recv(2048)
        drone.stop()
    assert read_calibration(datagram[1:]).width == 64


def test_a_station_that_stands_in_gets_the_calibration_at_once(monkeypatch):
    monkeypatch.setattr(air, "REPEAT_S", 1e9)
    came = {"home": [], "other": []}
    stations = {
        name: NodeLink(
            AirConfig("127.0.0.1:0"), Role.GROUND, lambda packet, _, to=got: to.append(packet)
        )
        for name, got in came.items()
    }
    for station in stations.values():
        station.start()
    home, other = (station.status(0.0).values["local"] for station in stations.values())
    config = AirConfig("127.0.0.1:0", (home,), standby=(other,))
    drone = NodeLink(config, Role.ONBOARD, lambda *_: None)
    drone.calibrate(CameraInfo(width=64, height=48))
    drone.start()

    def calibrated(name):
        drone.send(b"packet")
        drone.turn(time.monotonic())
        return any(map(NodeLink.is_calibration, came[name]))

    try:
        wait_for(lambda: calibrated("home"))
        assert not came["other"]
        assert drone.status(0.0).level == Level.OK
        stations["home"].stop()
        wait_for(lambda: calibrated("other"))
        status = drone.status(0.0)
    finally:
        drone.stop()
        stations["other"].stop()
    assert status.level == Level.WARN
    assert "air.standby serves" in status.message
    assert (status.values["peers"], status.values["standing_by"]) == (other, home)


@pytest.mark.parametrize("sealed", [False, True])
def test_the_line_says_how_long_the_other_end_has_been_silent(tmp_path, sealed):
    key_file = str(tmp_path / "air.key") if sealed else ""
    if sealed:
        new_key_file(tmp_path / "air.key")
    ground = NodeLink(AirConfig("127.0.0.1:0", key_file=key_file), Role.GROUND, lambda *_: None)
    ground.start()
    local = ground.status(0.0).values["local"]
    config = AirConfig("127.0.0.1:0", (local,), key_file)
    drone = NodeLink(config, Role.ONBOARD, lambda *_: None)
    drone.start()
    try:
        wait_for(lambda: drone.status(time.monotonic()).level == Level.OK)
        later_s = time.monotonic() + air.SILENT_S
        ground.stop()  # whether it has just been heard or not, nothing comes after this
        assert drone.status(later_s - 10).message == "1 at the other end"
        status = drone.status(later_s + 10)
    finally:
        drone.stop()
    assert status.level == Level.WARN
    assert "silent for" in status.message
    assert status.values["peers"] == local


def test_what_a_node_sends_may_be_marked():
    assert air_configs({**SETTINGS, "air.local": "0.0.0.0:1"}, 1)[0].ecn == CAPABLE


def test_each_drone_of_a_ground_node_has_its_address_and_key():
    values = {**SETTINGS, "air.local": "0.0.0.0:1, 0.0.0.0:2", "air.key_file": "a.key, b.key"}
    configs = air_configs(values, 2)
    assert [(config.local, config.key_file) for config in configs] == [
        ("0.0.0.0:1", "a.key"),
        ("0.0.0.0:2", "b.key"),
    ]
    assert [config.remotes for config in configs] == [(), ()]


@pytest.mark.parametrize(
    ("name", "value"),
    [("air.local", "0.0.0.0:1"), ("air.key_file", "a, b, c"), ("air.remote", "a:1, b:1, c:1")],
)
def test_too_few_or_many_addresses_are_refused(name, value):
    values = {**SETTINGS, "air.local": "0.0.0.0:1, 0.0.0.0:2", name: value}
    with pytest.raises(AirAddressError, match=name):
        air_configs(values, 2)


@pytest.mark.parametrize(
    "packet", [CALIBRATION, CALIBRATION + b"garbage", CALIBRATION + bytes(2000)]
)
def test_what_is_no_camera_info_is_a_bad_packet(packet):
    assert NodeLink.is_calibration(packet)
    with pytest.raises(PacketError):
        read_calibration(packet)


@pytest.mark.processes
def test_packets_on_a_topic_are_sealed_with_a_key_and_a_bag_of_them_is_read_with_it(
    node, spin_until, start, model, tmp_path, capsys
):
    key_file, other = str(tmp_path / "air.key"), str(tmp_path / "other.key")
    new_key_file(tmp_path / "air.key")
    new_key_file(tmp_path / "other.key")
    common = ["-p", f"model:={model}", "-p", f"air.key_file:={key_file}"]
    heard = defaultdict(list)
    topics = {
        "detections": Detection2DArray,
        "features": UInt8MultiArray,
        "feedback": UInt8MultiArray,
        "/diagnostics": DiagnosticArray,
    }
    for topic, kind in topics.items():
        node.create_subscription(kind, topic, heard[topic].append, qos.SENSOR)
    camera = node.create_publisher(Image, "camera/image", qos.RESULTS)
    start("ground_node", *common)
    start("onboard_node", *common, "-r", "image:=camera/image", "-p", "rate.mode:=fixed")
    image = np.zeros((160, 192, 3), np.uint8)

    def seen(topic):
        camera.publish(image_message(image, node.get_clock().now().nanoseconds, "cam"))
        return heard[topic]

    spin_until(lambda: len(seen("detections")) > 5, "detections")
    spin_until(
        lambda: seen("detections") and values_of(heard["/diagnostics"], "link").get("rtt_ms"),
        "reports at the drone",
    )
    spin_until(
        lambda: any(packet_bytes(one)[0] == 0x15 for one in seen("features")),
        "what a recording is read with, every two seconds",
    )
    recorded = [packet_bytes(message) for message in heard["features"]]
    assert sum(map(is_sealed, recorded)) > 5
    for packet in recorded + [packet_bytes(message) for message in heard["feedback"]]:
        with pytest.raises(PacketError):
            wire.parse(packet)

    with BagWriter(tmp_path / "bag") as bag:
        for number, message in enumerate(heard["features"]):
            bag.write_message("/features", message, number * 10**8)
    report = tmp_path / "report.json"
    argv = ["replay", str(bag.path), "--checkpoint", str(model), "--out", str(tmp_path / "out")]
    assert main([*argv, "--key", key_file, "--json", str(report)]) == 0
    assert json.loads(report.read_text())["frames"] > 5
    assert main(argv) == 2
    assert "--key" in capsys.readouterr().err
    assert main([*argv, "--key", other]) == 2
    assert "does not open" in capsys.readouterr().err


@pytest.mark.parametrize("create", [OnboardNode, ground_node.create])
def test_an_address_that_nothing_is_sent_to_is_told(private_domain, model, create, capfd):
    """Whoever gives air.remote and forgets transport waits for datagrams that never leave."""
    words = f"-p model:={model} -p air.remote:=10.0.0.2:5600".split()
    rclpy.init(args=["node", "--ros-args", *words])
    made = create()
    try:
        made.autostart()
        assert "air.remote is of no use to transport topic; set transport:=udp" in (
            capfd.readouterr().err
        )
    finally:
        made.destroy_node()
        rclpy.try_shutdown()
