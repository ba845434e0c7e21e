# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rate follows a link of the kernel: two network namespaces, tc tbf between them, nft loss.

    drone's namespace                        router             ground's namespace
    camera -> onboard -> DDS -> [tbf] veth ---- [nft: some lost] ---- veth -> DDS -> ground
                  UDP ping ---->                                     <---- UDP echo

Everything is measured with the kernel's own counters and with pings through the same queue. There
is no limit on how long it takes but for a deadline, which a slow machine may need.
"""

import contextlib
import json
import socket
import threading
import time
from collections import deque

import air_flight as flights
import numpy as np
import pytest

DEADLINE_S = 300.0
ADDRESSES = {"drone": "10.77.1.2", "ground": "10.77.2.2"}
QUEUE_BYTES = 30_000
WINDOW_S = 3.0
MOST_PING_S = 0.150
"""What the issue asks for; a full queue makes 0.8 s at 300 kbit/s and 2 s at 120."""

WHY_NOT = flights.why_not()

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "runs"),
]


class Air:
    """Two namespaces and the link between them."""

    def __init__(self, rate_kbit, lost_percent):
        self.net = flights.Namespaces()
        self.within = self.net.within
        self._samples = deque()
        self._tbf("add", rate_kbit)
        self.net.lose(lost_percent)

    def _tbf(self, verb, rate_kbit):
        self.rate_bps = rate_kbit * 1e3
        limits = f"rate {rate_kbit}kbit burst 2000 limit {QUEUE_BYTES}"
        self.net.do("drone", f"tc qdisc {verb} dev radio root tbf {limits}")

    def change(self, rate_kbit):
        self._tbf("change", rate_kbit)
        self._samples.clear()

    def used(self):
        """Share of the capacity used over the last seconds; 0 until they are over."""
        text = self.net.do("drone", "tc -s -j qdisc show dev radio").stdout
        now_s = time.monotonic()
        self._samples.append((now_s, json.loads(text)[0]["bytes"]))
        while len(self._samples) > 2 and self._samples[1][0] <= now_s - WINDOW_S:
            self._samples.popleft()
        first_s, first = self._samples[0]
        if now_s - first_s < WINDOW_S:
            return 0.0
        return (self._samples[-1][1] - first) * 8 / (now_s - first_s) / self.rate_bps


class Pinger:
    """Ten datagrams a second through the drone's queue, echoed by the ground."""

    def __init__(self, air):
        with air.within("ground"):
            self._far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with air.within("drone"):
            self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far.bind((ADDRESSES["ground"], 0))
        self._near.bind((ADDRESSES["drone"], 0))
        self._stop = threading.Event()
        self._times = deque(maxlen=200)
        self._threads = [
            threading.Thread(target=target) for target in (self._echo, self._ping, self._hear)
        ]
        for thread in self._threads:
            thread.start()

    def _echo(self):
        self._far.settimeout(0.2)
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                data, sender = self._far.recvfrom(100)
                self._far.sendto(data, sender)

    def _ping(self):
        while not self._stop.wait(0.1):
            now = np.float64(time.monotonic()).tobytes()
            self._near.sendto(now.ljust(64, b"\0"), self._far.getsockname())

    def _hear(self):
        self._near.settimeout(0.2)
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                sent_s = float(np.frombuffer(self._near.recv(100)[:8])[0])
                self._times.append((sent_s, time.monotonic() - sent_s))

    def p90_s(self):
        """Of the last seconds; infinite while there are too few."""
        since_s = time.monotonic() - WINDOW_S
        taken = [took_s for sent_s, took_s in list(self._times) if sent_s >= since_s]
        return float(np.percentile(taken, 90)) if len(taken) > 10 else np.inf

    def close(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._near.close()
        self._far.close()


@pytest.fixture
def air():
    made = Air(rate_kbit=300, lost_percent=2)
    yield made
    made.net.close()


@pytest.fixture
def start_at(air, start_in):
    """Start a node at an end of the link; DDS goes through the veth, by unicast."""

    def begin(end, name, *ros_args):
        peers = "".join(f'<Peer address="{address}"/>' for address in ADDRESSES.values())
        uri = (
            "<CycloneDDS><Domain><General><Interfaces>"
            f'<NetworkInterface address="{ADDRESSES[end]}" multicast="false"/></Interfaces>'
            "<AllowMulticast>false</AllowMulticast></General><Discovery>"
            "<ParticipantIndex>auto</ParticipantIndex>"
            f"<MaxAutoParticipantIndex>3</MaxAutoParticipantIndex><Peers>{peers}</Peers>"
            "</Discovery></Domain></CycloneDDS>"
        )
        environment = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT", "CYCLONEDDS_URI": uri}
        return start_in(air.net.names[end], name, *ros_args, **environment)

    return begin


@pytest.fixture
def pinger(air):
    made = Pinger(air)
    yield made
    made.close()


def test_the_rate_follows_a_link_of_the_kernel_and_leaves_room_for_others(
    air, start_at, pinger, model
):
    rate = ("-p", "rate.mode:=auto", "-p", "rate.max_kbps:=2000.0")
    start_at("ground", "ground_node", "-p", f"model:={model}")
    start_at("drone", "camera_node", "-p", "fps:=15.0", "-p", "size:=192x160")
    drone = start_at("drone", "onboard_node", "-p", f"model:={model}", *rate)

    def settles(share, what):
        give_up = time.monotonic() + DEADLINE_S
        used, ping_s = air.used(), pinger.p90_s()
        while not (used >= share and ping_s <= MOST_PING_S):
            assert drone.poll() is None
            assert time.monotonic() < give_up, (
                f"{what}: {used:.0%} used of {air.rate_bps / 1e3:.0f} kbit/s, ping "
                f"{ping_s * 1e3:.0f} ms after {DEADLINE_S:.0f} s"
            )
            time.sleep(0.25)
            used, ping_s = air.used(), pinger.p90_s()

    # The stream begins at 200 kbit/s, so 75 % of 300 tells that feedback comes back.
    settles(0.75, "after the start")
    air.change(120)
    settles(0.5, "after the drop")
    air.change(300)
    settles(0.75, "after the rise")
