# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rate follows a link of the kernel: two network namespaces, tc tbf between them, nft loss.

    drone's namespace                        ground's namespace
    camera -> onboard -> DDS -> [tbf] veth ---- veth [nft: some lost] -> DDS -> ground
                  UDP ping ---->                     <---- UDP echo

Everything is measured with the kernel's own counters and with pings through the same queue. There
is no limit on how long it takes but for a deadline, which a slow machine may need.
"""

import contextlib
import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import deque

import numpy as np
import pytest

DEADLINE_S = 300.0
DRONE_IP, GROUND_IP = "10.77.31.1", "10.77.31.2"
QUEUE_BYTES = 30_000
WINDOW_S = 3.0
MOST_PING_S = 0.150
"""What the issue asks for; a full queue makes 0.8 s at 300 kbit/s and 2 s at 120."""

pytestmark = pytest.mark.processes


def shell(*words, stdin=None):
    done = subprocess.run(words, input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


@contextlib.contextmanager
def inside(namespace):
    """What this thread opens in here, it opens in a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as home, open(f"/var/run/netns/{namespace}") as away:
        if libc.setns(away.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            libc.setns(home.fileno(), 0)


class Air:
    """Two namespaces and the link between them."""

    def __init__(self, rate_kbit, lost_percent):
        number = os.getpid()
        self.drone, self.ground = f"sc2-drone-{number}", f"sc2-ground-{number}"
        self._samples = deque()
        self._veth = f"sc2a{number}"
        peer = f"sc2b{number}"
        for name in (self.drone, self.ground):
            shell("ip", "netns", "add", name)
        shell(
            *("ip", "link", "add", self._veth, "netns", self.drone, "type", "veth"),
            *("peer", "name", peer, "netns", self.ground),
        )
        for name, veth, address in (
            (self.drone, self._veth, DRONE_IP),
            (self.ground, peer, GROUND_IP),
        ):
            shell("ip", "-n", name, "addr", "add", f"{address}/24", "dev", veth)
            shell("ip", "-n", name, "link", "set", veth, "up")
            shell("ip", "-n", name, "link", "set", "lo", "up")
        self._tbf("add", rate_kbit)
        rules = (
            "table inet air {\n chain input {\n type filter hook input priority 0;\n"
            f" ip saddr {DRONE_IP} numgen random mod 100 < {lost_percent} drop\n }}\n}}\n"
        )
        shell("ip", "netns", "exec", self.ground, "nft", "-f", "-", stdin=rules)

    def _tbf(self, verb, rate_kbit):
        self.rate_bps = rate_kbit * 1e3
        shell(
            *("ip", "netns", "exec", self.drone, "tc", "qdisc", verb, "dev", self._veth, "root"),
            *("tbf", "rate", f"{rate_kbit}kbit", "burst", "2000", "limit", str(QUEUE_BYTES)),
        )

    def change(self, rate_kbit):
        self._tbf("change", rate_kbit)
        self._samples.clear()

    def used(self):
        """Share of the capacity used over the last seconds; 0 until they are over."""
        text = shell(
            *("ip", "netns", "exec", self.drone, "tc", "-s", "-j", "qdisc", "show"),
            *("dev", self._veth),
        )
        now_s = time.monotonic()
        self._samples.append((now_s, json.loads(text)[0]["bytes"]))
        while len(self._samples) > 2 and self._samples[1][0] <= now_s - WINDOW_S:
            self._samples.popleft()
        first_s, first = self._samples[0]
        if now_s - first_s < WINDOW_S:
            return 0.0
        return (self._samples[-1][1] - first) * 8 / (now_s - first_s) / self.rate_bps

    def close(self):
        for name in (self.drone, self.ground):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


class Pinger:
    """Ten datagrams a second through the drone's queue, echoed by the ground."""

    def __init__(self, air):
        with inside(air.ground):
            self._far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with inside(air.drone):
            self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far.bind((GROUND_IP, 0))
        self._near.bind((DRONE_IP, 0))
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
    missing = [tool for tool in ("ip", "tc", "nft") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (packages iproute2 and nftables)")
    if os.geteuid() != 0:
        pytest.skip("needs root, to make network namespaces")
    made = None
    try:
        made = Air(rate_kbit=300, lost_percent=2)
    except OSError as error:
        for kind in ("drone", "ground"):
            subprocess.run(["ip", "netns", "del", f"sc2-{kind}-{os.getpid()}"], capture_output=True)
        pytest.skip(f"this kernel does not let us make the link: {error}")
    yield made
    made.close()


@pytest.fixture
def start_in(air, monkeypatch):
    """Start a node in a namespace; DDS goes through the veth, by unicast."""
    running = []

    def begin(namespace, address, name, *ros_args):
        environment = {
            **os.environ,
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT",
            "CYCLONEDDS_URI": "<CycloneDDS><Domain><General><Interfaces>"
            f'<NetworkInterface address="{address}" multicast="false"/></Interfaces>'
            "<AllowMulticast>false</AllowMulticast></General><Discovery>"
            "<ParticipantIndex>auto</ParticipantIndex>"
            "<MaxAutoParticipantIndex>3</MaxAutoParticipantIndex><Peers>"
            f'<Peer address="{DRONE_IP}"/><Peer address="{GROUND_IP}"/></Peers>'
            "</Discovery></Domain></CycloneDDS>",
        }
        command = [sys.executable, "-m", f"sc2_ros.nodes.{name}", "--ros-args", *ros_args]
        process = subprocess.Popen(["ip", "netns", "exec", namespace, *command], env=environment)
        running.append(process)
        return process

    yield begin
    for process in running:
        process.terminate()
    for process in running:
        process.wait(DEADLINE_S)


@pytest.fixture
def pinger(air):
    made = Pinger(air)
    yield made
    made.close()


def test_the_rate_follows_a_link_of_the_kernel_and_leaves_room_for_others(
    air, start_in, pinger, model
):
    rate = ("-p", "rate.mode:=auto", "-p", "rate.max_kbps:=2000.0")
    start_in(air.ground, GROUND_IP, "ground_node", "-p", f"model:={model}")
    start_in(air.drone, DRONE_IP, "camera_node", "-p", "fps:=15.0", "-p", "size:=192x160")
    drone = start_in(air.drone, DRONE_IP, "onboard_node", "-p", f"model:={model}", *rate)

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
