# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The air link in figures: forged and replayed datagrams, cost of sealing, bytes on air.

    python benchmarks/air.py --json benchmarks/results/air.json

Forged: datagrams by somebody who has recorded everything but has no key, at both ends. Replayed:
every recorded datagram again, into the same session, into a later one, and after a restart of
either end. None may be accepted, and traffic must flow on; the exit status is 1 otherwise.

Cost is CPU time of one thread with all bookkeeping (session, replay window, counts), beside the
bare AES-CCM of the `cryptography` package in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from sc2_ros.link.air import wire
from sc2_ros.link.air.aead import CIPHERS
from sc2_ros.link.air.arrival import Address, Remote
from sc2_ros.link.air.key import AirKey
from sc2_ros.link.air.open import OpenLink
from sc2_ros.link.air.sealed import SealedLink

DRONE, STATION, STRANGER = ("10.0.0.1", 1), ("10.0.0.2", 1), ("10.6.6.6", 6)
FEATURES, FEEDBACK = wire.Channel.FEATURES, wire.Channel.FEEDBACK
KINDS = [wire.SEALED | kind for kind in (1, 2, 3, 4, FEATURES, FEEDBACK)]


class Pair:
    """A drone and a station on a perfect wire, and all that ever went over it."""

    def __init__(self, key: AirKey, cipher: str = "aes-ccm-8") -> None:
        self._key, self._cipher = key, cipher
        self.recorded: list[tuple[bytes, Address]] = []
        self.now_s = 0.0
        self.start_drone()
        self.start_station()
        self.meet()

    def start_drone(self) -> None:
        """Start the drone's end, again perhaps."""
        self.drone = SealedLink(
            self._key, wire.Role.ONBOARD, [Remote(STATION)], cipher=self._cipher
        )

    def start_station(self) -> None:
        """Start the station's end, again perhaps."""
        self.station = SealedLink(self._key, wire.Role.GROUND, cipher=self._cipher)

    def meet(self) -> None:
        """Let time pass until both ends have a session."""
        end_s = self.now_s + 2.0
        while self.now_s < end_s:
            self.now_s += 0.1
            self.drone.turn(self.now_s)
            self.station.turn(self.now_s)
            self.exchange()

    def exchange(self) -> tuple[list[bytes], list[bytes]]:
        """Deliver what is under way: (what the station, what the drone was given)."""
        at_station: list[bytes] = []
        at_drone: list[bytes] = []
        ways = ((self.drone, self.station, DRONE, at_station),)
        ways += ((self.station, self.drone, STATION, at_drone),)
        while sum(self._deliver(*way) for way in ways):  # both ways each time
            pass
        return at_station, at_drone

    def _deliver(
        self, sender: SealedLink, receiver: SealedLink, source: Address, given: list[bytes]
    ) -> bool:
        datagrams = sender.outgoing()
        for datagram, _ in datagrams:
            self.recorded.append((datagram, source))
            arrival = receiver.receive(datagram, source, self.now_s)
            if arrival is not None:
                given.append(arrival.payload)
        return bool(datagrams)

    def flows(self) -> bool:
        """Whether a frame and a report come through now."""
        self.drone.send(FEATURES, b"frame", None, self.now_s)
        self.station.send(FEEDBACK, b"report", None, self.now_s)
        at_station, at_drone = self.exchange()
        return b"frame" in at_station and b"report" in at_drone

    def talk(self, count: int) -> None:
        """Exchange this many frames and reports."""
        for number in range(count):
            self.now_s += 0.001
            self.drone.send(FEATURES, b"frame %d" % number, None, self.now_s)
            self.station.send(FEEDBACK, b"report %d" % number, None, self.now_s)
            self.exchange()

    def attack(self, datagram: bytes, source: Address) -> int:
        """Let a datagram arrive at both ends; how many accepted it, answers are thrown away."""
        accepted = 0
        for end in (self.station, self.drone):
            accepted += end.receive(datagram, source, self.now_s) is not None
        return accepted


def forgeries(recorded: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """What somebody can make of recorded datagrams without the key."""
    chance = random.Random(seed)
    for number in range(count):
        datagram = bytearray(chance.choice(recorded))
        way = number % 8
        if way == 0:
            datagram = bytearray(chance.randbytes(chance.randrange(1300)))
        elif way == 1:
            datagram[:] = chance.randbytes(len(datagram))
            datagram[0] = chance.choice(KINDS)
        elif way == 2:  # one bit
            datagram[chance.randrange(len(datagram))] ^= 1 << chance.randrange(8)
        elif way == 3:  # a counter to come
            datagram[3:6] = chance.randbytes(3)
        elif way == 4:  # the next ones, with a tag by chance
            datagram[3:6] = chance.randrange(1 << 16).to_bytes(3, "big")
            datagram[-8:] = chance.randbytes(8)
        elif way == 5:  # head of one, body of another
            datagram[6:] = chance.choice(recorded)[6:]
            datagram[0] = chance.choice(KINDS)
        elif way == 6:
            del datagram[chance.randrange(len(datagram)) :]
        else:
            datagram += chance.randbytes(chance.randrange(1, 40))
        yield bytes(datagram)


def forged_report(count: int, cipher: str = "aes-ccm-8", seed: int = 1) -> dict[str, Any]:
    """Forged datagrams accepted, of `count` at each end, and whether traffic flows on."""
    pair = Pair(AirKey(os.urandom(32)), cipher)
    pair.talk(100)
    accepted = 0
    broken = 0
    start_s = time.process_time()
    for number, datagram in enumerate(
        forgeries([one for one, _ in pair.recorded], count, seed), start=1
    ):
        accepted += pair.attack(datagram, (STRANGER, DRONE, STATION)[number % 3])
        if number % 1024 == 0:
            pair.drone.outgoing(), pair.station.outgoing()
            broken += not pair.flows()
    spent_s = time.process_time() - start_s
    return {
        "forged": count,
        "accepted": accepted,
        "interruptions": broken + (not pair.flows()),
        "us_each_at_both_ends": round(spent_s / count * 1e6, 2),
    }


def replay_report(count: int) -> dict[str, dict[str, int]]:
    """Replayed datagrams accepted, of at least `count` in each case."""

    def pair() -> Pair:
        made = Pair(AirKey(os.urandom(32)))
        made.talk(count // 2)
        return made

    def other_session(made: Pair) -> None:
        # The drone's end is told that time has passed: the session is renewed, the old forgotten.
        made.now_s += 1000.0
        made.meet()
        made.now_s += 20.0
        made.meet()

    def restart_drone(made: Pair) -> None:
        made.start_drone()
        made.meet()

    def restart_station(made: Pair) -> None:
        made.start_station()
        made.drone.send(FEATURES, b"unanswered", None, made.now_s)
        made.meet()

    def restart_both(made: Pair) -> None:
        made.start_drone()
        made.start_station()
        made.meet()

    def same(made: Pair) -> None:
        pass

    cases: dict[str, Callable[[Pair], None]] = {
        "same session": same,
        "other session": other_session,
        "drone restarted": restart_drone,
        "station restarted": restart_station,
        "both restarted": restart_both,
    }
    report = {}
    for name, change in cases.items():
        made = pair()
        recorded = made.recorded[:]
        change(made)
        accepted = sum(made.attack(datagram, source) for datagram, source in recorded)
        made.drone.outgoing(), made.station.outgoing()
        report[name] = {
            "replayed": len(recorded),
            "accepted": accepted,
            "interruptions": int(not made.flows()),
        }
    return report


def cost_report(size_bytes: int, cipher: str, rounds: int = 5, count: int = 4000) -> dict[str, Any]:
    """CPU time of sealing and opening a payload, and of bare AES-CCM; the best of some rounds."""
    pair = Pair(AirKey(os.urandom(32)), cipher)
    payload = os.urandom(size_bytes)
    bare = AESCCM(os.urandom(32), tag_length=8)
    nonce, header = bytes(12), bytes(6)
    bare_sealed = bare.encrypt(nonce, payload, header)
    best = dict.fromkeys(("seal", "open", "bare_seal", "bare_open"), float("inf"))
    waiting: deque[bytes] = deque()

    def seal() -> None:
        pair.drone.send(FEATURES, payload, None, pair.now_s)

    def take() -> None:
        assert pair.station.receive(waiting.popleft(), DRONE, pair.now_s) is not None

    for _ in range(rounds):
        best["seal"] = min(best["seal"], _us(seal, count))
        waiting += [datagram for datagram, _ in pair.drone.outgoing()]
        best["open"] = min(best["open"], _us(take, count))
        best["bare_seal"] = min(
            best["bare_seal"], _us(lambda: bare.encrypt(nonce, payload, header), count)
        )
        best["bare_open"] = min(
            best["bare_open"], _us(lambda: bare.decrypt(nonce, bare_sealed, header), count)
        )
    report: dict[str, Any] = {f"{name}_us": round(value, 2) for name, value in best.items()}
    report["times_bare"] = round(
        (best["seal"] + best["open"]) / (best["bare_seal"] + best["bare_open"]), 2
    )
    return report


def _us(call: Callable[[], object], count: int) -> float:
    start_s = time.thread_time()
    for _ in range(count):
        call()
    return (time.thread_time() - start_s) / count * 1e6


def bytes_report() -> dict[str, int]:
    """Bytes on air of a datagram beyond its payload, over IPv4 (IPv6 has 20 more)."""
    report = {"udp open": 28 + OpenLink(wire.Role.GROUND).overhead_bytes}
    for name in CIPHERS:
        link = SealedLink(AirKey(bytes(32)), wire.Role.GROUND, cipher=name)
        report[f"udp {name}"] = 28 + link.overhead_bytes
    return report


def main() -> int:
    """Measure, print, judge."""
    args = _parse_arguments()
    report: dict[str, Any] = {"on_air_beyond_payload": bytes_report()}
    print("bytes on air beyond the payload:", report["on_air_beyond_payload"])
    report["cost"] = {
        f"{name} {size} B": cost_report(size, name) for name in CIPHERS for size in (12, 1200)
    }
    for name, cost in report["cost"].items():
        print(f"{name}: {cost}")
    report["forged"] = forged_report(args.forged)
    print("forged:", report["forged"])
    report["replayed"] = replay_report(args.replayed)
    for case, result in report["replayed"].items():
        print(f"replayed, {case}: {result}")
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    results = [report["forged"], *report["replayed"].values()]
    return int(any(result["accepted"] or result["interruptions"] for result in results))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--forged", type=int, default=1_000_000, help="datagrams at each end")
    parser.add_argument("--replayed", type=int, default=100_000, help="datagrams in each case")
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
