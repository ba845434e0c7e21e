# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drone and a station in network namespaces of their own, for the kernel's own networking."""

import contextlib
import ctypes
import itertools
import json
import os
import shutil
import subprocess
import time

from sc2_ros.link.air.endpoint import AirConfig, Endpoint
from sc2_ros.link.air.wire import Channel, Role

CLONE_NEWNET = 0x40000000
_NUMBERS = itertools.count()
STATION = "10.77.2.2:5600"
FRAME_S = 0.05


def why_not(*tools):
    """Why there are no namespaces here, or not these tools (all); empty where there are."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in tools or ("ip", "tc", "nft") if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (iproute2, nftables)"
    probe = subprocess.run(["ip", "netns", "add", _name("probe")], capture_output=True, text=True)
    if probe.returncode:
        return f"no network namespaces here: {probe.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", _name("probe")], check=True)
    return ""


def _name(suffix):
    return f"sc2air{os.getpid()}{suffix}"


class Namespaces:
    """Drone and ground on either side of a router; close it when done.

        drone 10.77.1.2 -- 10.77.1.1 router 10.77.2.1 -- 10.77.2.2 ground

    IPv6 is off, so that nothing but what the tests send is on the cables (and ARP).
    """

    def __init__(self):
        self.names = {}
        try:
            for end in ("drone", "router", "ground"):
                self.names[end] = _name(f"{end[0]}{next(_NUMBERS)}")
                run("ip", "netns", "add", self.names[end])
                self.do(end, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
                self.do(end, "sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
                self.do(end, "ip link set lo up")
            for number, end in ((1, "drone"), (2, "ground")):
                self.do(
                    end,
                    f"ip link add radio type veth peer name {end} netns {self.names['router']}",
                )
                self.do(end, f"ip addr add 10.77.{number}.2/24 dev radio")
                self.do("router", f"ip addr add 10.77.{number}.1/24 dev {end}")
                self.do(end, "ip link set radio up")
                self.do("router", f"ip link set {end} up")
                self.do(end, f"ip route add default via 10.77.{number}.1")
            self.do("router", "sysctl -qw net.ipv4.ip_forward=1")
        except BaseException:
            self.close()
            raise

    def do(self, end, command):
        """Run a command in a namespace."""
        return run("ip", "netns", "exec", self.names[end], *command.split())

    def lose(self, percent):
        """Let the router drop datagrams at random, in both directions; 0 for none."""
        self.nft("add table ip loss\ndelete table ip loss\n")
        if percent:
            self.nft(
                "table ip loss {\n chain c {\n type filter hook forward priority 0\n"
                f"numgen random mod 100 < {percent} drop\n }}\n }}\n"
            )

    def translate(self, on):
        """Let the router hide the drone behind its own address, or not."""
        self.nft("add table ip nat\ndelete table ip nat\n")
        if on:
            self.nft(
                "table ip nat {\n chain post {\n type nat hook postrouting priority 100\n"
                'oifname "ground" masquerade random\n }\n }\n'
            )

    def move_drone(self, number):
        """Give the drone the address 10.77.1.number in place of the one it has."""
        self.do("drone", "ip addr flush dev radio")
        self.do("drone", f"ip addr add 10.77.1.{number}/24 dev radio")
        self.do("drone", "ip route replace default via 10.77.1.1")

    def move_router(self, number):
        """Give the router another address towards the ground; its NAT forgets its mappings."""
        self.do("router", "ip addr flush dev ground")
        self.do("router", f"ip addr add 10.77.2.{number}/24 dev ground")
        self.do("ground", f"ip route replace default via 10.77.2.{number}")

    def cut(self):
        """Take the drone off the air."""
        self.do("drone", "ip link set radio down")

    def mend(self):
        """Put it back."""
        self.do("drone", "ip link set radio up")
        self.do("drone", "ip route replace default via 10.77.1.1")

    def nft(self, text):
        """Load rules in the router."""
        run("ip", "netns", "exec", self.names["router"], "nft", "-f", "-", text=text)

    @contextlib.contextmanager
    def within(self, end):
        """Sockets that this thread opens in between belong to the namespace, and stay in it."""
        with (
            open("/proc/thread-self/ns/net") as here,
            open(f"/run/netns/{self.names[end]}") as there,
        ):
            _set_namespace(there.fileno())
            try:
                yield
            finally:
                _set_namespace(here.fileno())

    def counters(self, end):
        """(bytes, packets) that have left over the end's cable."""
        links = json.loads(self.do(end, "ip -j -s link show radio").stdout)
        sent = links[0]["stats64"]["tx"]
        return sent["bytes"], sent["packets"]

    def close(self):
        """Remove all of it."""
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


class Flight:
    """A drone that sends 20 frames a second and a station that reports on each."""

    def __init__(self, net, key_file, remote=STATION):
        self.net, self.key_file, self.remote = net, key_file, remote
        self.reports, self.frames = [], []
        self.number = 0
        self.start_ground()
        self.start_drone()

    def start_ground(self):
        """Start the station, again perhaps."""
        config = AirConfig("0.0.0.0:5600", key_file=self.key_file)
        with self.net.within("ground"):
            self.ground = Endpoint(config, Role.GROUND, self._frame)
        self.ground.start()

    def start_drone(self):
        """Start the drone's end, again perhaps."""
        config = AirConfig("0.0.0.0:0", (self.remote,), self.key_file)
        with self.net.within("drone"):
            self.drone = Endpoint(config, Role.ONBOARD, self.reports.append)
        self.drone.start()

    def _frame(self, delivery):
        self.frames.append(delivery)
        self.ground.send(Channel.FEEDBACK, delivery.payload, delivery.peer)

    def fly(self, seconds, size_bytes=100):
        """Send frames for so long."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.number += 1
            self.drone.send(Channel.FEATURES, b"%06d" % self.number + bytes(size_bytes - 6))
            time.sleep(FRAME_S)

    def seconds_until_it_flows(self, limit_s=10.0):
        """Until a report is back on a frame that was sent from now on."""
        first = self.number + 1
        start_s = time.monotonic()
        while time.monotonic() - start_s < limit_s:
            self.fly(0.8 * FRAME_S)
            if any(int(report.payload[:6]) >= first for report in self.reports[-5:]):
                return time.monotonic() - start_s
        return float("inf")

    def stop(self):
        """End both, and raise what either has met."""
        for endpoint in (self.drone, self.ground):
            endpoint.stop()
            endpoint.check()


def run(*command, text=None):
    """Run a command that has to succeed."""
    done = subprocess.run(command, capture_output=True, text=True, input=text)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done


def _set_namespace(file):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(file, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
