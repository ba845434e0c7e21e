# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Discovery settings, and IDL types built from the message definitions."""

import pytest
from cyclonedds.idl import IdlStruct

from sc2_ros.runtime.dds import PARSE_BUFFER, RECEIVE_BUFFER, discovery_configuration, raw_type
from sc2_ros.runtime.messages import STORE


def test_localhost_keeps_to_the_loopback_interface():
    config = discovery_configuration()

    assert '<NetworkInterface address="127.0.0.1"' in config
    assert "<AllowMulticast>false</AllowMulticast>" in config
    assert '<Peer address="localhost"/>' in config
    assert f'<SocketReceiveBufferSize max="{RECEIVE_BUFFER}"/>' in config
    assert f"<ReceiveBufferSize>{PARSE_BUFFER}</ReceiveBufferSize>" in config


def test_unset_is_the_subnet_with_this_host_by_unicast(monkeypatch):
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE")
    monkeypatch.setenv("ROS_STATIC_PEERS", "10.0.0.7;ground.local")

    config = discovery_configuration()

    assert "NetworkInterface" not in config
    assert "AllowMulticast" not in config
    for peer in ("localhost", "10.0.0.7", "ground.local"):
        assert f'<Peer address="{peer}"/>' in config


def test_the_users_own_configuration_has_the_last_word(monkeypatch):
    monkeypatch.setenv("CYCLONEDDS_URI", "file:///etc/cyclone.xml")
    assert discovery_configuration().endswith("</CycloneDDS>,file:///etc/cyclone.xml")

    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SYSTEM_DEFAULT")
    assert discovery_configuration() == "file:///etc/cyclone.xml"


def test_off_hides_the_process_from_static_peers_too(monkeypatch):
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "OFF")
    monkeypatch.setenv("ROS_STATIC_PEERS", "10.0.0.7")

    config = discovery_configuration()

    assert "<Tag>ros_discovery_off_" in config
    assert "<Peer " not in config


@pytest.mark.parametrize("word", ["MOON", "subnet"])
def test_an_unknown_range_is_localhost_with_a_warning_as_in_rcl(monkeypatch, capsys, word):
    localhost = discovery_configuration()
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", word)

    assert discovery_configuration() == localhost
    assert f"ROS_AUTOMATIC_DISCOVERY_RANGE is '{word}'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["vision_msgs/msg/Detection2DArray", "sensor_msgs/msg/CameraInfo",
                                  "rcl_interfaces/msg/ParameterValue"])  # fmt: skip
def test_an_idl_type_has_the_fields_of_its_message_under_the_ros_name(name):
    idl = raw_type(name).__idl__
    package, _, short = name.split("/")

    assert idl.idl_transformed_typename == f"{package}::msg::dds_::{short}_"
    assert issubclass(idl.datatype, IdlStruct)
    assert list(idl.datatype.__annotations__) == [field for field, _ in STORE.fielddefs[name][1]]


@pytest.mark.parametrize("in_a_file", [False, True])
def test_an_interface_is_named_once(monkeypatch, tmp_path, in_a_file):
    uri = '<CycloneDDS><Domain><General><Interfaces><NetworkInterface name="lo"/></Interfaces>'
    uri += "</General></Domain></CycloneDDS>"
    if in_a_file:
        path = tmp_path / "cyclone.xml"
        path.write_text(uri)
        uri = f"file://{path}"
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("CYCLONEDDS_URI", uri)

    own, _, given = discovery_configuration().partition("</CycloneDDS>,")

    assert "NetworkInterface" not in own
    assert "<AllowMulticast>false</AllowMulticast>" in own
    assert given == uri


def test_the_older_variable_keeps_to_this_machine_too(monkeypatch):
    localhost = discovery_configuration()
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    monkeypatch.setenv("ROS_STATIC_PEERS", "10.0.0.7")
    elsewhere = discovery_configuration()

    monkeypatch.setenv("ROS_LOCALHOST_ONLY", "0")
    assert discovery_configuration() == elsewhere
    for word in ("1", "1 "):  # rcl looks at the first character
        monkeypatch.setenv("ROS_LOCALHOST_ONLY", word)
        assert discovery_configuration() == localhost
