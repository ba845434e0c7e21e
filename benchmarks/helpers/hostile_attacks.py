# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Single hostile packets, made of genuine ones with one lie each, and the defences against them.

An attack takes a flight (test/hostile.py) and sends its packet. A defence is named by what is put
in its place to switch it off; `against` are the attacks that it is there for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from hostile import EPOCH_NS, Flight, features, report
from predicting import shipped

from sc2_ros.codec import wire
from sc2_ros.codec.wire.packet import build_geometry
from sc2_ros.ground import pipeline
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.ground.stream import GroundStream
from sc2_ros.link.acknowledgements import Acknowledgements
from sc2_ros.link.continuity import Continuity, Place, Verdict
from sc2_ros.link.sender_log import SenderLog

FAR_NS = 1 << 62
FIRST = "an image of 8192x8192, to a ground that has just started"


@dataclass(frozen=True)
class Attack:
    """What a stranger sends; before: what happens to the flight with it or without it."""

    send: Callable[[Flight], None]
    before: Callable[[Flight], None] = lambda flight: None


def to_ground(ahead: int, **changes: Any) -> Attack:
    """A genuine slice with another frame number, capture time or stream."""
    return Attack(lambda flight: flight.to_ground(features(flight, ahead, **changes)))


def to_drone(**changes: Any) -> Attack:
    """A genuine report with another field."""
    return Attack(lambda flight: flight.to_drone(report(flight, **changes)))


def sizes(
    encoded: tuple[int, int],
    source: tuple[int, int],
    before: Callable[[Flight], None] = lambda flight: None,
) -> Attack:
    """The next frame, of other sizes."""

    def send(flight: Flight) -> None:
        packet = flight.newest()
        geometry = build_geometry(wire.Geometry(encoded, source))
        flight.to_ground(features(flight, 1, payload=geometry + packet.payload[8:]))

    return Attack(send, before)


def restart_ground(flight: Flight) -> None:
    """The ground knows nothing of the flight any more."""
    flight.ground = GroundPipeline(shipped(), GroundConfig())


def _name(flight: Flight) -> None:
    """Another frame_id."""
    newest = wire.parse(flight.down[-1]).header
    flight.to_ground(
        wire.build_stream_info(
            stream=newest.stream,
            checkpoint_id=flight.newest().header.checkpoint_id,
            frame=newest.frame,
            capture_time_ns=EPOCH_NS + round(flight.now_s * 1e9),
            frame_id="stranger",
        )
    )


def _one_less(flight: Flight) -> None:
    """The count goes back by one."""
    _, told = flight.report()
    flight.to_drone(report(flight, packets=told.packets - 1))


ATTACKS: dict[str, Attack] = {
    "frame + 60, capture time 2^62": to_ground(60, capture_time_ns=FAR_NS),
    "frame + 20, capture time 2^62": to_ground(20, capture_time_ns=FAR_NS),
    "frame + 60": to_ground(60),
    "frame + 30,000": to_ground(30_000),
    "frame + 1, capture time 2^62": to_ground(1, capture_time_ns=FAR_NS),
    "frame + 1, capture time -2^63": to_ground(1, capture_time_ns=-(1 << 63)),
    "frame + 1 of another size": sizes((256, 192), (256, 192)),
    "frame + 1 of an image of 8192x8192": sizes((128, 96), (8192, 8192)),
    FIRST: sizes((128, 96), (8192, 8192), restart_ground),
    "frame_id": Attack(_name),
    "report + 32,000": to_drone(ahead=32_000),
    "report + 50": to_drone(ahead=50),
    "report of another session": to_drone(session=12_345, ahead=9_000),
    "report, arrival an hour later": to_drone(ahead=1, arrival_us=3_600_000_000 & 0xFFFFFFFF),
    "report, 2^31 packets came": to_drone(ahead=1, packets=1 << 31, size_bytes=1 << 31),
    "report, a packet less came": Attack(_one_less),
    "report, no packet came": to_drone(ahead=1, packets=0, size_bytes=0),
    "report of a station that holds nothing": to_drone(
        station=777, session=5, ahead=1, held=frozenset()
    ),
}


def _take_all(self: Continuity[Any], place: Place, item: object, now_s: float) -> Verdict:
    self.released = ()
    self._take(place, now_s)
    return Verdict.TAKE


def _believe_name(self: GroundStream, frame_id: str) -> None:
    self.frame_id, self._named = frame_id, True
    self.log.knows_frame_id = True


@dataclass(frozen=True)
class Defence:
    """A rule that a single packet has to pass, where it is, and what stands for "no rule"."""

    owner: Any
    attribute: str
    off: Any
    against: tuple[str, ...]

    @contextmanager
    def switched_off(self) -> Iterator[None]:
        """Fly without it."""
        with mock.patch.object(self.owner, self.attribute, self.off):
            yield


DEFENCES = {
    "jumps of a stream wait for a second packet": Defence(
        Continuity, "judge", _take_all,
        tuple(one for one in ATTACKS if one.startswith("frame +")),
    ),
    "frame_id needs a second packet": Defence(GroundStream, "name", _believe_name, ("frame_id",)),
    "an image is not much larger than its picture": Defence(
        pipeline, "check_sizes", lambda sizes, max_pixels: None,
        (FIRST,),
    ),
    "reports are about packets that left, as they left": Defence(
        SenderLog, "is_possible", lambda self, feedback, now_s: True,
        tuple(one for one in ATTACKS if one.startswith("report,")),
    ),
    "a station is believed with its second report": Defence(
        Acknowledgements, "_is_believed", lambda self, feedback, now_s: True,
        tuple(one for one in ATTACKS if one.startswith("report ")),
    ),
}  # fmt: skip
