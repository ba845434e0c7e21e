# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Endpoints with real sockets and threads, on the loopback interface."""

import threading
import time
from pathlib import Path

import pytest

from sc2_ros.errors import AirAddressError, KeyFileError, ParameterError
from sc2_ros.link.air.endpoint import AirConfig, Endpoint
from sc2_ros.link.air.wire import Channel, Role


def wait_for(condition, limit_s=10):
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, "did not come in time"
        time.sleep(0.002)


@pytest.fixture
def start():
    running = []

    def begin(config, role, deliver):
        endpoint = Endpoint(config, role, deliver)
        running.append(endpoint)
        endpoint.start()
        return endpoint

    yield begin
    for endpoint in running:
        endpoint.stop()
        endpoint.check()


def _port(endpoint):
    return endpoint.status().local[1]


@pytest.mark.parametrize("sealed", [True, False])
def test_frames_and_reports_over_real_sockets(start, key_file, sealed):
    key = key_file if sealed else ""
    at_ground, at_drone = [], []
    ground = start(AirConfig("127.0.0.1:0", key_file=key), Role.GROUND, at_ground.append)
    remote = (f"127.0.0.1:{_port(ground)}",)
    drone = start(AirConfig("127.0.0.1:0", remote, key, ecn=1), Role.ONBOARD, at_drone.append)
    wait_for(lambda: drone.status().peers)
    payload = bytes(range(200))
    assert drone.send(Channel.FEATURES, payload) == 200 + (42 if sealed else 29)
    wait_for(lambda: at_ground)
    frame = at_ground[0]
    assert (frame.channel, frame.payload, frame.ecn) == (Channel.FEATURES, payload, 1)
    assert frame.size_bytes == 200 + drone.overhead_bytes == 200 + (42 if sealed else 29)
    assert 0 <= time.monotonic() - frame.arrival_s < 5
    ground.send(Channel.FEEDBACK, b"report", frame.peer)
    wait_for(lambda: at_drone)
    assert at_drone[0].payload == b"report"
    assert drone.status().key == ground.status().key == (drone.status().key if sealed else "")
    assert bool(drone.status().key) == sealed


@pytest.mark.parametrize("sealed", [True, False])
def test_headers_are_those_of_the_address_that_is_called(start, key_file, sealed):
    """A node asks before anybody has answered, and one socket of IPv6 serves IPv4, too."""
    try:
        config = AirConfig("[::]:0", ("127.0.0.1:9",), key_file if sealed else "")
        drone = start(config, Role.ONBOARD, print)
    except AirAddressError as error:
        pytest.skip(str(error))
    assert drone.overhead_bytes == (42 if sealed else 29)


def test_what_deliver_raises_is_raised_where_the_node_looks(key_file):
    def fail(delivery):
        raise RuntimeError("the node is broken")

    ground = Endpoint(AirConfig("127.0.0.1:0"), Role.GROUND, fail)
    ground.start()
    drone = Endpoint(AirConfig("127.0.0.1:0", (f"127.0.0.1:{_port(ground)}",)), Role.ONBOARD, print)
    drone.send(Channel.FEATURES, b"x")
    wait_for(lambda: not ground._thread.is_alive())
    with pytest.raises(RuntimeError, match="broken"):
        ground.check()
    ground.stop()
    drone.stop()


def test_sending_from_many_threads_repeats_no_counter(start, key_file):
    at_ground = []
    ground = start(AirConfig("127.0.0.1:0", key_file=key_file), Role.GROUND, at_ground.append)
    remote = (f"127.0.0.1:{_port(ground)}",)
    drone = start(AirConfig("127.0.0.1:0", remote, key_file), Role.ONBOARD, print)
    wait_for(lambda: drone.status().peers)

    def send(first):
        for number in range(first, first + 100):
            drone.send(Channel.FEATURES, b"%d" % number)

    threads = [threading.Thread(target=send, args=(100 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: len(at_ground) == 400)
    assert {item.payload for item in at_ground} == {b"%d" % number for number in range(400)}


def test_the_port_is_free_again_after_stop(key_file):
    first = Endpoint(AirConfig("127.0.0.1:0"), Role.GROUND, print)
    port = _port(first)
    first.start()
    first.stop()
    second = Endpoint(AirConfig(f"127.0.0.1:{port}"), Role.GROUND, print)
    second.stop()


def test_bad_settings_are_errors_that_say_what_to_do(tmp_path, key_file):
    def make(**options):
        Endpoint(AirConfig(**options), Role.ONBOARD, print)

    with pytest.raises(KeyFileError, match="sc2 key new"):
        make(key_file=str(tmp_path / "none"))
    with pytest.raises(ParameterError, match="aes-ccm-8, aes-gcm"):
        make(cipher="rot13")
    with pytest.raises(AirAddressError, match="host:port"):
        make(remotes=("nowhere",))
    with pytest.raises(AirAddressError, match=r"exactly one air\.remote"):
        make(fixed=True)


def test_the_key_is_in_nothing_that_is_shown(start, key_file):
    secret = Path(key_file).read_text().strip().partition(":")[2]
    endpoint = start(AirConfig("127.0.0.1:0", key_file=key_file), Role.GROUND, print)
    for shown in (repr(endpoint), repr(endpoint.status()), str(vars(endpoint))):
        assert secret not in shown
        assert secret[:8] not in shown
