# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipes of docs/air.md, flown: how long after their start the nodes show results.

    sudo python benchmarks/air_recipes.py --json benchmarks/results/air_recipes.json

Camera, drone and ground in network namespaces with a router between them. wfb-ng is stood in for by
what it is to us, a UDP port for each direction on either side, carried by a plain relay; WireGuard
is wireguard-go (packages wireguard-go, wireguard-tools). A recipe that cannot run here says why.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from air_flight import Namespaces, run, why_not
from air_nodes import LOCAL_DDS, Flight, Nodes
from helpers.program import exit_with

from sc2_ros.errors import Sc2Error
from sc2_ros.link.air.key import new_key_file
from sc2_ros.runtime.ros import rclpy

Words = tuple[str, ...]
FLIES_S = 5.0


def parameters(**values: str) -> Words:
    """As command line words; `air_local` is air.local."""
    named = {name.replace("air_", "air."): value for name, value in values.items()}
    return tuple(word for name, value in named.items() for word in ("-p", f"{name}:={value}"))


def sealed(net: Namespaces, stack: ExitStack, key: str) -> tuple[Words, Words]:
    """Two addresses and a key."""
    ground = parameters(air_local="0.0.0.0:5600", air_key_file=key)
    return ground, parameters(air_remote="10.77.2.2:5600", air_key_file=key)


def nat(net: Namespaces, stack: ExitStack, key: str) -> tuple[Words, Words]:
    """The drone behind a masquerading router, as with LTE."""
    net.translate(True)
    return sealed(net, stack, key)


def wifi(net: Namespaces, stack: ExitStack, key: str) -> tuple[Words, Words]:
    """Marked as video."""
    ground, drone = sealed(net, stack, key)
    return ground, drone + parameters(air_dscp="34")


def wfb(net: Namespaces, stack: ExitStack, key: str) -> tuple[Words, Words]:
    """A port for each direction, one at 127.0.0.1 on either side."""
    relay(net, stack, "drone", "ground")
    relay(net, stack, "ground", "drone")
    ground = parameters(
        air_local="127.0.0.1:5600", air_remote="127.0.0.1:5601", air_fixed="true", air_key_file=key
    )
    drone = parameters(
        air_local="127.0.0.1:5601", air_remote="127.0.0.1:5600", air_fixed="true", air_key_file=key
    )
    return ground, drone


def relay(net: Namespaces, stack: ExitStack, sender: str, receiver: str) -> None:
    """What wfb_tx and wfb_rx are to us: from a port of one end to a port of the other."""
    taken_at, given_to = (5600, 5600) if sender == "drone" else (5601, 5601)
    with net.within(sender):
        taking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with net.within(receiver):
        giving = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taking.bind(("127.0.0.1", taken_at))
    taking.settimeout(0.2)
    stopped = threading.Event()

    def carry() -> None:
        while not stopped.is_set():
            try:
                giving.sendto(taking.recv(2048), ("127.0.0.1", given_to))
            except OSError:  # nothing came, or nobody listens yet
                continue

    thread = threading.Thread(target=carry)
    thread.start()
    stack.callback(thread.join)
    stack.callback(stopped.set)


def wireguard(net: Namespaces, stack: ExitStack, key: str) -> tuple[Words, Words]:
    """A tunnel, and an open link in it."""
    missing = [tool for tool in ("wireguard-go", "wg") if shutil.which(tool) is None]
    if missing:
        raise Sc2Error(f"not installed: {', '.join(missing)}")
    secrets = {end: run("wg", "genkey").stdout.strip() for end in ("drone", "ground")}
    public = {end: run("wg", "pubkey", text=one).stdout.strip() for end, one in secrets.items()}
    ends = {
        "drone": ("ground", "10.9.0.1", "10.9.0.2"),
        "ground": ("drone", "10.9.0.2", "10.9.0.1"),
    }
    for end, (other, own, its) in ends.items():
        name = f"wg{end[0]}{os.getpid()}"
        process = subprocess.Popen(
            ["ip", "netns", "exec", net.names[end], "wireguard-go", "-f", name],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        give_up_s = time.monotonic() + 20
        while f"{name}:" not in net.do(end, "ip -o link").stdout:
            if time.monotonic() > give_up_s:
                raise Sc2Error("wireguard-go makes no interface here")
            time.sleep(0.1)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(secrets[end])
            file.flush()
            call = " persistent-keepalive 15 endpoint 10.77.2.2:51820" if end == "drone" else ""
            net.do(
                end,
                f"wg set {name} listen-port 51820 private-key {file.name} peer {public[other]} "
                f"allowed-ips {its}/32{call}",
            )
        net.do(end, f"ip addr add {own}/24 dev {name}")
        net.do(end, f"ip link set {name} up mtu 1420")
    net.translate(True)
    return (
        parameters(air_local="10.9.0.2:5600"),
        parameters(air_local="10.9.0.1:0", air_remote="10.9.0.2:5600", air_overhead_bytes="60"),
    )


RECIPES: dict[str, Callable[[Namespaces, ExitStack, str], tuple[Words, Words]]] = {
    "two addresses and a key": sealed,
    "LTE: the drone behind a NAT": nat,
    "Wi-Fi: DSCP 34": wifi,
    "wfb-ng: a port for each direction": wfb,
    "WireGuard (wireguard-go), behind a NAT": wireguard,
}


def fly(recipe: str, key: str) -> dict[str, Any]:
    """Start the nodes as the recipe says; seconds until results, and how many in five seconds."""
    with ExitStack() as stack:
        net = Namespaces()
        stack.callback(net.close)
        try:
            ground, drone = RECIPES[recipe](net, stack, key)
        except Sc2Error as error:
            return {"not run": str(error)}
        nodes = Nodes(LOCAL_DDS)
        stack.callback(nodes.close)
        stack.callback(rclpy.try_shutdown)
        udp = ("-p", "transport:=udp")
        flight = Flight(net, nodes, (*udp, *ground), (*udp, *drone), fps=5.0)
        until_s = flight.seconds_until_results()
        before = len(flight.stamps)
        flight.fly(FLIES_S)
        return {
            "seconds_until_results": round(until_s, 2),
            "results_per_s": round((len(flight.stamps) - before) / FLIES_S, 1),
        }


def main() -> int:
    """Fly each; exit status 1 where one gives no results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help="a word of the recipe's name")
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    if reason := why_not():
        raise Sc2Error(f"this benchmark cannot run here: {reason}")
    os.environ.update(LOCAL_DDS)
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "air.key"
        new_key_file(key_file)
        for recipe in RECIPES:
            if args.only is None or args.only in recipe:
                report[recipe] = fly(recipe, str(key_file))
                print(f"{recipe}: {report[recipe]}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return int(not all(one.get("results_per_s", 1) > 0 for one in report.values()))


if __name__ == "__main__":
    exit_with(main)
