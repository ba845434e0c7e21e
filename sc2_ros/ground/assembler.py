# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Slices of one stream, in whatever order and number they come, to frames in order.

A frame is finished when its last slice comes, when a newer frame is complete or has begun a while
ago, when more than a few frames are open, or when its time is over. What is missing then is taken
from the frame that the others were predicted from, moved as they were, and true in `concealed`.
Where there is none, or it shows something else, it is zero in the latent; the networks were trained
with such holes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.frame.decoder import DecodedSlice
from sc2_ros.codec.frame.reference import Prediction, ReferenceWindow, predict
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire import Geometry, Header, Motion, Stamp

LATE_WINDOW = 64
"""A frame number up to so many behind the newest finished one is late; further back, a restart."""
DEADLINE = 0.3
"""Of the time from frame to frame, in which a packet may come behind those of the next frame."""
ALIKE = 0.8
"""Another frame fills holes if it leaves less than this share of the energy of what came."""


@dataclass(frozen=True, eq=False)
class AssembledFrame:
    """A finished frame.

    Attributes:
        header: of the first slice that came.
        stamp: capture time and interval; where no slice is missing, as the drone has them.
        geometry: the frame's sizes and origin.
        symbols: (C, h, w) int8, zero where nothing came.
        coded: (h, w) bool, positions that came and were not skipped.
        latent: (C, h, w) float32, zero where nothing came.
        received: (h, w) bool, the positions that came.
        slices_expected: slices that the frame was cut into.
        slices_received: different slices that came.
        slices_repaired: slices that did not come but were made from repair packets.
        repaired: (h, w) bool, the positions of those; true in `received`, too.
        concealed: (h, w) bool, the positions that did not come but were taken from another frame.
        size_bytes: bytes on the wire of the packets that were used, repair packets included.
        first_s: arrival of the first of them, seconds.
        last_s: arrival of the last of them, seconds.
    """

    header: Header
    stamp: Stamp
    geometry: Geometry
    symbols: npt.NDArray[np.int8]
    coded: npt.NDArray[np.bool_]
    latent: npt.NDArray[np.float32]
    received: npt.NDArray[np.bool_]
    slices_expected: int
    slices_received: int
    slices_repaired: int
    repaired: npt.NDArray[np.bool_]
    concealed: npt.NDArray[np.bool_]
    size_bytes: int
    first_s: float
    last_s: float

    @property
    def encoded_size(self) -> tuple[int, int]:
        """(width, height) of the network's input before padding, pixels."""
        return self.geometry.encoded_size

    @property
    def source_size(self) -> tuple[int, int]:
        """(width, height) of the camera's image, pixels."""
        return self.geometry.source_size

    @property
    def complete(self) -> bool:
        """Whether no slice is missing."""
        return self.slices_received + self.slices_repaired == self.slices_expected


@dataclass
class AssemblerStats:
    """Counts since the assembler was made."""

    complete: int = 0
    incomplete: int = 0
    duplicates: int = 0
    late: int = 0
    inconsistent: int = 0


@dataclass(eq=False)
class _OpenFrame:
    first: DecodedSlice
    first_s: float
    last_s: float
    size_bytes: int = 0
    slices: dict[int, DecodedSlice] = field(default_factory=dict)
    repaired: set[int] = field(default_factory=set)
    prediction: Prediction | None = None
    """Of those slices that have one; all have the same."""

    @property
    def expected(self) -> int:
        return self.first.header.slices

    @property
    def stamp(self) -> Stamp:
        header = self.first.header
        if self.prediction is None:
            return Stamp(header.capture_time_ns)
        reference = self.prediction.reference
        distance = (header.frame - reference.frame) & 0xFFFF
        return reference.stamp.following(header.capture_time_ns, distance)

    def fits(self, piece: DecodedSlice) -> bool:
        """Whether a slice with this frame's number can be of this frame."""
        a, b = self.first.header, piece.header
        before, other = self.prediction, piece.prediction
        if before and other and before.reference.frame != other.reference.frame:
            return False
        return (a.rows, a.cols, a.rate_code, a.capture_time_ns) == (
            b.rows,
            b.cols,
            b.rate_code,
            b.capture_time_ns,
        ) and self.first.geometry == piece.geometry

    def put(self, piece: DecodedSlice, *, repaired: bool) -> None:
        """Take a slice of the frame; `repaired`: it did not come itself."""
        self.slices[piece.header.slice] = piece
        if repaired:
            self.repaired.add(piece.header.slice)
        if self.prediction is None:
            self.prediction = piece.prediction


class FrameAssembler:
    """Collects the slices of one stream; memory is bounded by `max_open` frames."""

    def __init__(
        self, tables: CodingTables, max_open: int = 4, references: ReferenceWindow | None = None
    ) -> None:
        """`tables` dequantise; when more than `max_open` frames are begun, the oldest is given.

        `references` are the last complete frames, from which holes are concealed.
        """
        self._tables = tables
        self._references = references
        self._max_open = max_open
        self._open: list[_OpenFrame] = []  # oldest first
        self._last: Header | None = None
        self.stats = AssemblerStats()

    def add(
        self, piece: DecodedSlice, size_bytes: int, now_s: float, *, repaired: bool = False
    ) -> list[AssembledFrame]:
        """Take a slice that came in a packet of `size_bytes`, or was made from repair packets.

        Returns:
            The frames that are finished by it, oldest first.
        """
        header = piece.header
        if self._is_late(header):
            self.stats.late += 1
            return []
        frame = self._find(piece, now_s)
        if not frame.fits(piece):
            self.stats.inconsistent += 1
            return []
        if header.slice in frame.slices:
            self.stats.duplicates += 1
            return []
        frame.put(piece, repaired=repaired)
        frame.size_bytes += size_bytes
        frame.last_s = now_s
        if len(frame.slices) == frame.expected:
            return self._finish(self._open.index(frame) + 1)
        return self._finish(max(len(self._open) - self._max_open, 0))

    def expire(
        self, now_s: float, timeout_s: float, deadline_s: float = math.inf
    ) -> list[AssembledFrame]:
        """Give up waiting for frames of which nothing came for `timeout_s`, and older ones.

        Not counted from the first slice: on a slow link a large frame takes longer than that to
        pass, and one that is always given up is never a reference either. Packets come in order,
        but for a few: of a frame after which a newer one has begun `deadline_s` ago, nothing more
        comes. 0 stands for a share of the time between the two.
        """
        overdue = [
            position
            for position, frame in enumerate(self._open)
            if now_s - frame.last_s >= timeout_s or now_s >= self._given_up_s(position, deadline_s)
        ]
        return self._finish(overdue[-1] + 1) if overdue else []

    def restart(self) -> None:
        """The sender counts anew: no number is late."""
        self._last = None

    def go_back(self, frame: int) -> None:
        """Forget what is ahead of a frame: its number was false."""
        self._open = [one for one in self._open if _signed(one.first.header.frame - frame) <= 0]
        if self._last is not None and _signed(self._last.frame - frame) > 0:
            self._last = None

    def _given_up_s(self, position: int, deadline_s: float) -> float:
        if position + 1 >= len(self._open):
            return math.inf
        begun_s, newer_s = self._open[position].first_s, self._open[position + 1].first_s
        return newer_s + (deadline_s or DEADLINE * max(0.0, newer_s - begun_s))

    def _is_late(self, header: Header) -> bool:
        """Whether the frame was given away already, whole or not.

        A stream that starts again goes back in its numbers, so a slice is late only if its number
        is slightly behind and its capture time is not ahead.
        """
        if self._last is None:
            return False
        behind = (self._last.frame - header.frame) & 0xFFFF
        return behind <= LATE_WINDOW and header.capture_time_ns <= self._last.capture_time_ns

    def _find(self, piece: DecodedSlice, now_s: float) -> _OpenFrame:
        """The open frame that a slice belongs to; it is begun if there is none."""
        number = piece.header.frame
        place = len(self._open)
        for position, frame in enumerate(self._open):
            ahead = _signed(frame.first.header.frame - number)
            if ahead == 0:
                return frame
            if ahead > 0:
                place = min(place, position)
        begun = _OpenFrame(piece, now_s, now_s)
        self._open.insert(place, begun)
        return begun

    def _finish(self, count: int) -> list[AssembledFrame]:
        """Give away the `count` oldest open frames."""
        finished = [self._assemble(frame) for frame in self._open[:count]]
        del self._open[:count]
        for frame in finished:
            self._last = frame.header
            if frame.complete:
                self.stats.complete += 1
            else:
                self.stats.incomplete += 1
        return finished

    def _assemble(self, frame: _OpenFrame) -> AssembledFrame:
        first = frame.first
        channels = len(first.symbols)
        symbols = np.zeros((channels, first.grid_h, first.grid_w), np.int8)
        received = np.zeros((first.grid_h, first.grid_w), np.bool_)
        repaired = np.zeros((first.grid_h, first.grid_w), np.bool_)
        coded = np.zeros((first.grid_h, first.grid_w), np.bool_)
        for number, piece in frame.slices.items():
            _, height, width = piece.symbols.shape
            rows = slice(piece.y0, piece.y0 + height)
            cols = slice(piece.x0, piece.x0 + width)
            symbols[:, rows, cols] = piece.symbols
            coded[rows, cols] = piece.coded
            received[rows, cols] = True
            repaired[rows, cols] = number in frame.repaired
        latent = self._tables.dequantise(symbols, first.header.rate_code)
        concealed = np.zeros_like(received)
        if not received.all() and (before := self._before(frame)) is not None:
            moved = self._tables.dequantise(before.symbols, before.reference.code)
            gain = self._tables.gains[first.header.rate_code][:, None, None]
            if _alike(symbols, moved * gain, received & before.known):
                concealed = before.known & ~received
                latent = np.where(concealed, moved, latent)
        return AssembledFrame(
            header=first.header,
            stamp=frame.stamp,
            geometry=first.geometry,
            symbols=symbols,
            coded=coded,
            latent=latent,
            received=received,
            slices_expected=frame.expected,
            slices_received=len(frame.slices) - len(frame.repaired),
            slices_repaired=len(frame.repaired),
            repaired=repaired,
            concealed=concealed,
            size_bytes=frame.size_bytes,
            first_s=frame.first_s,
            last_s=frame.last_s,
        )

    def _before(self, frame: _OpenFrame) -> Prediction | None:
        """What an earlier frame predicts of this one."""
        if frame.prediction is not None:
            return frame.prediction
        newest = self._references.newest if self._references is not None else None
        first = frame.first
        # Nothing tells how the picture moved: a frame on the same grid is taken as it is.
        if newest is None or newest.geometry != first.geometry:
            return None
        return predict(newest, Motion(), first.grid_h, first.grid_w)


def _alike(
    symbols: npt.NDArray[np.int8],
    guess: npt.NDArray[np.float32],
    where: npt.NDArray[np.bool_],
) -> bool:
    """Whether another frame tells more of what did come than its own mean per channel does.

    After a cut, or where the camera moved and nobody says how, it does not, and what it shows in
    the holes would be objects that are not there.
    """
    seen = symbols[:, where].astype(np.float32)
    spread = seen - seen.mean(axis=1, keepdims=True) if seen.size else seen
    return float(np.square(seen - guess[:, where]).sum()) < ALIKE * float(np.square(spread).sum())


def _signed(difference: int) -> int:
    """Difference of two 16-bit counters that wrap, -32768 .. 32767."""
    return (difference + 0x8000 & 0xFFFF) - 0x8000
