# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Capture times as compact headers tell them: against what the reference lets expect.

::

    expected = reference's time + distance x reference's interval
    interval = (time - reference's time) div distance       of a frame that was predicted
             = 0                                            of one that needs no other

Both ends know the reference's time and interval, so that of a camera that keeps its rate only its
jitter travels. All of it is arithmetic of i64 that wraps around, and div rounds down: whatever a
clock does, there is a difference for every time and a time for every difference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sc2_ros.codec.header import MAX_DISTANCE, Header, PacketType
from sc2_ros.errors import PacketError

_HALF = 1 << 63


@dataclass(frozen=True)
class Stamp:
    """What a frame tells of the capture times of those predicted from it.

    Attributes:
        time_ns: its own capture time, i64.
        interval_ns: from frame to frame, i64; 0 of a frame that needs no other.
    """

    time_ns: int
    interval_ns: int = 0

    def expected_ns(self, distance: int) -> int:
        """The capture time to be expected `distance` frames later."""
        return _wrapped(self.time_ns + distance * self.interval_ns)

    def following(self, time_ns: int, distance: int) -> Stamp:
        """The stamp of a frame predicted from this one, `distance` > 0 frames later."""
        return Stamp(time_ns, _wrapped(time_ns - self.time_ns) // distance)


def relative(header: Header, reference: Stamp) -> Header:
    """A compact header as it travels, from one with its absolute capture time.

    Raises:
        PacketError: the capture time is no i64.
    """
    time_ns = header.capture_time_ns
    if not -_HALF <= time_ns < _HALF:
        raise PacketError(f"capture time of {time_ns} ns has more than 64 bits")
    difference_ns = _wrapped(time_ns - reference.expected_ns(header.reference))
    return replace(header, capture_time_ns=difference_ns, time_is_relative=True)


def absolute(header: Header, reference: Stamp) -> Header:
    """The header with its absolute capture time; as it is, if it has that."""
    if not header.time_is_relative:
        return header
    time_ns = _wrapped(reference.expected_ns(header.reference) + header.capture_time_ns)
    return replace(header, capture_time_ns=time_ns, time_is_relative=False)


class CaptureTimes:
    """The capture times of packets for who hears them all but does not decode them.

    Who misses packets may be told a wrong time: not, as a decoder would, that a reference is
    another one.
    """

    def __init__(self) -> None:
        self._streams: dict[int, dict[int, Stamp]] = {}

    def resolve(self, header: Header) -> Header | None:
        """The header with its absolute capture time, from one that was parsed.

        Returns:
            None where the reference was not heard, or is none of the last 32 frames of its stream.
        """
        if header.type not in (PacketType.FEATURES, PacketType.REPAIR):
            return header
        frames = self._streams.setdefault(header.stream, {})
        known = frames.get(header.frame)
        if header.time_is_relative:
            reference = frames.get((header.frame - header.reference) & 0xFFFF)
            if reference is None:
                return None
            header = absolute(header, reference)
            stamp = reference.following(header.capture_time_ns, header.reference)
        elif known is not None and known.time_ns == header.capture_time_ns:
            # Beside slices that need no other frame there may be predicted ones, which count.
            stamp = known
        else:
            stamp = Stamp(header.capture_time_ns)
        if stamp != known:
            frames.pop(header.frame, None)
            frames[header.frame] = stamp
            if len(frames) > MAX_DISTANCE:
                del frames[next(iter(frames))]
        return header


def _wrapped(value: int) -> int:
    """The i64 that is equal to it modulo 2^64."""
    return (value + _HALF) % (2 * _HALF) - _HALF
