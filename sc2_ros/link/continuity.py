# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which packets go on from those before, so that no single packet moves a stream's counters.

::

    number, time and size go on ------------------------------------------------> take it
    they jump: hold it until a second packet agrees with it --------------------> a new beginning
    a small jump ahead, then two frames that go on from before it --------------> it was false

A stranger's packet, or a damaged one whose checksum is right by chance, costs a frame at most. A
drone that starts again, a bag that loops and a camera that is switched to another size are believed
with their second packet; the first was held and is not lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

from sc2_ros.link.sequence import wrapped_difference

Item = TypeVar("Item")
Sizes = tuple[tuple[int, int], tuple[int, int]]
"""Width and height of the picture that is encoded and of the camera's image, pixels."""


@dataclass(frozen=True)
class ContinuityConstants:
    """What is plausible."""

    behind_frames: int = 64
    """Frames. A straggler may be so old; a frame further behind is of a sender that starts again.
    """
    ahead_frames: int = 32
    """Frames. A loss may be so long; a longer one waits for its second packet."""
    restart_ahead_frames: int = 1000
    """Frames. A frame further ahead does not go on from the newest one."""
    clock_s: float = 10.0
    """Seconds by which capture times may jump against arrivals: a clock that is set."""
    agree_frames: int = 8
    """Frames by which two packets that confirm each other may differ."""
    agree_s: float = 1.0
    """Seconds in which the second packet has to come while others contradict."""
    stale_s: float = 2.0
    """Seconds without a packet after which the first is believed, whatever it says."""
    most_held: int = 16
    """Packets that wait for a second one."""


CONTINUITY = ContinuityConstants()


class Place(NamedTuple):
    """Where in its stream a packet belongs.

    Attributes:
        frame: u16.
        time_ns: capture time; None of a predicted slice without its reference.
        sizes: of picture and image; None where the packet does not say.
        part: tells two packets of one frame apart.
    """

    frame: int
    time_ns: int | None
    sizes: Sizes | None
    part: int


class Verdict(Enum):
    """What to do with a packet; wherever it is taken, those that were held come before it."""

    TAKE = 0
    HOLD = 1
    """It waits for a second one."""
    RESTART = 2
    """The sender counts anew: begin afresh, then take it."""
    BACK = 3
    """The newest number was false: forget what is ahead of this packet, then take it."""


@dataclass
class _Held(Generic[Item]):
    place: Place
    item: Item
    came_s: float


@dataclass
class Continuity(Generic[Item]):
    """The judge of one stream; a pure function of packets and time."""

    trusts_first: bool = True
    """Whether the stream begins with its first packet, or with two that agree."""
    newest: Place | None = None
    """The packet that the others are measured by; sizes are the stream's."""
    _came_s: float = 0.0
    _before: Place | None = None
    """`newest` before a jump ahead that no second packet has confirmed yet."""
    _between: set[int] = field(default_factory=set)
    _held: list[_Held[Item]] = field(default_factory=list)
    released: Sequence[Item] = ()
    """Held packets that the last verdict has confirmed, in the order in which they came."""

    def judge(self, place: Place, item: Item, now_s: float) -> Verdict:
        """What to do with a packet that came at `now_s`; `item` is given back when confirmed."""
        self.released = ()
        newest = self.newest
        is_stale = newest is not None and not 0 <= now_s - self._came_s <= CONTINUITY.stale_s
        if newest is not None and not self._jumps(newest, place, now_s, is_stale):
            return self._go_on(newest, place, now_s)
        believed = is_stale if newest is not None else self.trusts_first
        if not self._confirms(place, now_s) and not believed:
            self._hold(place, item, now_s)
            return Verdict.HOLD
        self._before = None
        self._take(place, now_s)
        if newest is None or not _restarts(newest, place, is_stale):
            return Verdict.TAKE
        return Verdict.RESTART

    def _jumps(self, newest: Place, place: Place, now_s: float, is_stale: bool) -> bool:
        ahead = wrapped_difference(place.frame, newest.frame)
        if not -CONTINUITY.behind_frames < ahead <= CONTINUITY.ahead_frames:
            return True
        if ahead < 0 and is_stale:
            return True  # no straggler is so late
        if place.sizes and newest.sizes and place.sizes != newest.sizes:
            return True
        if place.time_ns is None or newest.time_ns is None:
            return False
        later_s = (place.time_ns - newest.time_ns) / 1e9
        if ahead < 0 and later_s > 0 and not self._is_between(place):
            return True  # an old number with a new picture
        waited_s = max(0.0, now_s - self._came_s)
        return not -CONTINUITY.clock_s <= later_s <= CONTINUITY.clock_s + 2 * waited_s

    def _go_on(self, newest: Place, place: Place, now_s: float) -> Verdict:
        ahead = wrapped_difference(place.frame, newest.frame)
        if self._before is not None:
            if ahead > 0 or (ahead == 0 and place.part != newest.part):
                self._before = None
            elif ahead < 0 and self._is_between(place):
                self._between.add(place.frame)
                if len(self._between) > 1:
                    self._take(place, now_s)
                    self._before = None
                    return Verdict.BACK
        if ahead > 1:
            self._before = self._before or newest
            self._between = set()
        if ahead >= 0:
            self._take(place, now_s)
        self._forget_held(now_s)
        return Verdict.TAKE

    def _is_between(self, place: Place) -> bool:
        """Whether a packet goes on from before a jump that nothing has confirmed."""
        before = self._before
        return before is not None and wrapped_difference(place.frame, before.frame) > 0

    def _take(self, place: Place, now_s: float) -> None:
        """This packet is the newest; what it does not say stays."""
        known = self.newest
        sizes = place.sizes or (known.sizes if known else None)
        time_ns = place.time_ns
        if time_ns is None and known is not None and known.frame == place.frame:
            time_ns = known.time_ns
        self.newest, self._came_s = place._replace(sizes=sizes, time_ns=time_ns), now_s

    def _confirms(self, place: Place, now_s: float) -> bool:
        """Whether a packet that waits agrees with this one; those that do are released."""
        agreeing = [held for held in self._held if _agree(held, place, now_s)]
        if not agreeing:
            return False
        self.released = [held.item for held in agreeing]
        self._held = []
        sizes = next((held.place.sizes for held in agreeing if held.place.sizes), None)
        if self.newest is not None and sizes is not None:
            self.newest = self.newest._replace(sizes=sizes)
        return True

    def _hold(self, place: Place, item: Item, now_s: float) -> None:
        self._held.append(_Held(place, item, now_s))
        del self._held[: -CONTINUITY.most_held]

    def _forget_held(self, now_s: float) -> None:
        """A packet has contradicted those that wait."""
        if self._held:
            self._held = [
                held for held in self._held if 0 <= now_s - held.came_s <= CONTINUITY.agree_s
            ]


def _restarts(newest: Place, place: Place, is_stale: bool) -> bool:
    """Whether the sender counts its frames anew.

    A straggler is a little older in both number and capture time. A number that is far behind or
    far ahead, or behind after a silence or with a capture time that is not a little older, is none.
    """
    ahead = wrapped_difference(place.frame, newest.frame)
    if not -CONTINUITY.behind_frames < ahead <= CONTINUITY.restart_ahead_frames:
        return True
    if ahead >= 0:
        return False
    if is_stale:
        return True
    if newest.time_ns is None or place.time_ns is None:
        return False
    return not -CONTINUITY.clock_s <= (place.time_ns - newest.time_ns) / 1e9 <= 0


def _agree(held: _Held[Item], place: Place, now_s: float) -> bool:
    """Whether two different packets are of one sender."""
    other = held.place
    ahead = wrapped_difference(place.frame, other.frame)
    if abs(ahead) > CONTINUITY.agree_frames or (ahead == 0 and place.part == other.part):
        return False
    if place.sizes and other.sizes and place.sizes != other.sizes:
        return False
    if place.time_ns is None or other.time_ns is None:
        return True
    waited_s = max(0.0, now_s - held.came_s)
    apart_s = abs(place.time_ns - other.time_ns) / 1e9
    if ahead == 0:
        return apart_s == 0
    return apart_s <= CONTINUITY.clock_s + 2 * waited_s
