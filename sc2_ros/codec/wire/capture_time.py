# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Capture times of predicted slices, which travel as offsets from what the reference makes expect.

::

    expected = reference's time + distance x reference's interval
    interval = (time - reference's time) div distance       of a predicted frame
             = 0                                            of a keyframe

Both ends know the reference's time and interval, so only the jitter of a camera that keeps its rate
travels. All of it is arithmetic of i64 that wraps around, and div rounds down: whatever a clock
does, there is an offset for every time and a time for every offset.
"""

from __future__ import annotations

from dataclasses import dataclass

from sc2_ros.codec.wire.header import MAX_DISTANCE, Header, PacketType
from sc2_ros.codec.wire.packet import Packet
from sc2_ros.codec.wire.predicted import PredictedPacket
from sc2_ros.errors import PacketError

_HALF = 1 << 63


@dataclass(frozen=True)
class Stamp:
    """What a frame says of the capture times of those predicted from it.

    Attributes:
        time_ns: its own capture time, i64.
        interval_ns: from frame to frame, i64; 0 of a keyframe.
    """

    time_ns: int
    interval_ns: int = 0

    def expected_ns(self, distance: int) -> int:
        """The capture time to be expected `distance` frames later."""
        return _wrapped(self.time_ns + distance * self.interval_ns)

    def following(self, time_ns: int, distance: int) -> Stamp:
        """The stamp of a frame predicted from this one, `distance` > 0 frames later."""
        return Stamp(time_ns, _wrapped(time_ns - self.time_ns) // distance)

    def offset_ns(self, time_ns: int, distance: int) -> int:
        """What travels of a capture time `distance` frames later.

        Raises:
            PacketError: the capture time is no i64.
        """
        if not -_HALF <= time_ns < _HALF:
            raise PacketError(f"capture time of {time_ns} ns has more than 64 bits")
        return _wrapped(time_ns - self.expected_ns(distance))


def resolve(packet: PredictedPacket, reference: Stamp, checkpoint_id: int) -> Packet:
    """A predicted slice with its capture time, from the stamp of its reference."""
    header, head = packet.header, packet.head
    complete = Header(
        **vars(header),
        checkpoint_id=checkpoint_id,
        capture_time_ns=_wrapped(reference.expected_ns(head.distance) + packet.offset_ns),
        origin=head.origin,
    )
    return Packet(complete, packet.payload, head)


class CaptureTimes:
    """The capture times of packets for who hears them all but does not decode them.

    Who misses packets may get a wrong time: not, as a decoder would, notice that a reference is
    another one.
    """

    def __init__(self) -> None:
        self._streams: dict[int, dict[int, Stamp]] = {}

    def resolve(self, packet: Packet | PredictedPacket) -> Header | None:
        """The header with its capture time, of a packet that was parsed; its checkpoint may be 0.

        Returns:
            None where the reference was not heard, or is none of the last 32 frames of its stream.
        """
        if packet.header.type not in (PacketType.FEATURES, PacketType.REPAIR):
            return packet.header if isinstance(packet, Packet) else None
        frames = self._streams.setdefault(packet.header.stream, {})
        known = frames.get(packet.header.frame)
        if isinstance(packet, PredictedPacket):
            distance = packet.head.distance
            reference = frames.get((packet.header.frame - distance) & 0xFFFF)
            if reference is None:
                return None
            header = resolve(packet, reference, 0).header
            stamp = reference.following(header.capture_time_ns, distance)
        else:
            header = packet.header
            stamp = Stamp(header.capture_time_ns)
            if known is not None and known.time_ns == header.capture_time_ns:
                # Beside complete slices there may be predicted ones, whose interval counts.
                stamp = known
        if stamp != known:
            frames.pop(header.frame, None)
            frames[header.frame] = stamp
            if len(frames) > MAX_DISTANCE:
                del frames[next(iter(frames))]
        return header


def _wrapped(value: int) -> int:
    """The i64 that is equal to it modulo 2^64."""
    return (value + _HALF) % (2 * _HALF) - _HALF
