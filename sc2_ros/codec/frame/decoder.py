# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A features packet to the symbols of its slice: each decodes by itself, or with its reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.rans import untrimmed
from sc2_ros.codec.entropy.walk import PredictedInput
from sc2_ros.codec.entropy.walks import open_walk
from sc2_ros.codec.frame.reference import (
    Prediction,
    Reference,
    ReferenceWindow,
    predict,
    predicted_input,
    predicted_symbols,
    slice_input,
)
from sc2_ros.codec.slicing import MAX_PATCH_SYMBOLS, Grid, coding_order
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire.capture_time import resolve
from sc2_ros.codec.wire.header import Header, PacketType
from sc2_ros.codec.wire.packet import GEOMETRY_BYTES, Geometry, Packet, parse_geometry
from sc2_ros.codec.wire.predicted import Motion, PredictedHead, PredictedPacket, reference_hash
from sc2_ros.errors import MissingReferenceError, PacketError

Values = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DecodedSlice:
    """One slice as it came off the wire, and what it was predicted from, if anything.

    `symbols` (C, ph, pw) int16 belong at row `y0`, column `x0` of a latent of `grid_h` x `grid_w`;
    `coded` (ph, pw) bool is its skip map: of a keyframe slice, true everywhere.
    """

    symbols: npt.NDArray[np.int16]
    coded: Flags
    y0: int
    x0: int
    grid_h: int
    grid_w: int
    header: Header
    geometry: Geometry
    prediction: Prediction | None = None

    @property
    def encoded_size(self) -> tuple[int, int]:
        """(width, height) of the network's input before padding, pixels."""
        return self.geometry.encoded_size

    @property
    def source_size(self) -> tuple[int, int]:
        """(width, height) of the camera's image, pixels."""
        return self.geometry.source_size


class PacketDecoder:
    """The ground's side of the codec, for one checkpoint's tables."""

    def __init__(self, tables: CodingTables, checkpoint_id: int) -> None:
        """Derive the look-up tables."""
        self._tables, self._checkpoint_id = tables, checkpoint_id
        self._walk = open_walk(tables.context)
        if tables.skip is not None:
            self._skip_walk = open_walk(tables.skip)
        # Of the newest predicted frame; they are the same for all its slices.
        self._prediction: Prediction | None = None
        self._input: tuple[tuple[Prediction, int, Grid], PredictedInput] | None = None

    def resolve(
        self, packet: Packet | PredictedPacket, references: ReferenceWindow | None = None
    ) -> Packet:
        """The packet with its capture time, which that of a predicted slice's reference tells.

        Raises:
            MissingReferenceError: the reference is not in `references`.
            PacketError: the checkpoint has no skip network.
        """
        if isinstance(packet, Packet):
            return packet
        reference = self._reference(packet.header.frame, packet.head, references)
        return resolve(packet, reference.stamp, self._checkpoint_id)

    def decode(
        self, packet: Packet | PredictedPacket, references: ReferenceWindow | None = None
    ) -> DecodedSlice:
        """Decode the slice of a features packet: by itself, or with the frame that it names.

        Raises:
            MismatchError: it was made with another checkpoint.
            MissingReferenceError: it is predicted from a frame that is not in `references`.
            PacketError: anything else that is wrong with it.
        """
        if packet.header.type is not PacketType.FEATURES:
            raise PacketError(f"expected a features packet, got {packet.header.type.name}")
        packet = self.resolve(packet, references)
        header, head = packet.header, packet.head
        header.check_checkpoint(self._checkpoint_id)
        data, reference = packet.payload, None
        if head is not None:
            reference = self._reference(header.frame, head, references)
            sizes = reference.geometry
            geometry = Geometry(sizes.encoded_size, sizes.source_size, head.origin)
        else:
            geometry = parse_geometry(data, header.origin)
            data = data[GEOMETRY_BYTES:]
        height, width = geometry.latent_shape
        if header.rows > height or header.cols > width:
            raise PacketError(
                f"{header.rows}x{header.cols} slices of a latent of {height}x{width} positions"
            )
        grid = Grid(header.rows, header.cols, height, width)
        patch = grid.patch(header.slice)
        own = Grid(1, 1, patch.y1 - patch.y0, patch.x1 - patch.x0)
        shape = (self._tables.channels, own.height, own.width)
        if np.prod(shape) > MAX_PATCH_SYMBOLS:
            raise PacketError(f"slice of {shape} symbols; at most {MAX_PATCH_SYMBOLS}")
        prediction = None
        if head is not None and reference is not None:
            prediction = self._predict(reference, head.motion, height, width)
            values, coded = self._predicted(data, header, head.share, prediction, grid, own)
        else:
            values, coded = self._keyframe(data, header.rate_code, own)
        positions = coding_order(own).positions
        symbols = np.zeros((shape[0], own.height * own.width), np.int16)
        symbols[: values.shape[1], positions] = values.T
        coded_at = np.empty(len(positions), np.bool_)
        coded_at[positions] = coded
        return DecodedSlice(
            symbols.reshape(shape),
            coded_at.reshape(shape[1:]),
            patch.y0,
            patch.x0,
            height,
            width,
            header,
            geometry,
            prediction,
        )

    def _keyframe(self, data: bytes, code: int, own: Grid) -> tuple[Values, Flags]:
        """Symbols and map, by rank of the slice."""
        return self._walk.read(code, coding_order(own), untrimmed(data))

    def _predicted(
        self,
        data: bytes,
        header: Header,
        share: int,
        prediction: Prediction,
        grid: Grid,
        own: Grid,
    ) -> tuple[Values, Flags]:
        """The same of a predicted slice."""
        key = (prediction, header.rate_code, grid)
        if self._input is None or self._input[0] != key:
            assert self._tables.skip is not None
            count = self._tables.skip.count(header.rate_code)
            gains = self._tables.integer_gains
            symbols = predicted_symbols(prediction, header.rate_code, gains, count)
            unknown = np.zeros(len(symbols), np.uint8)
            self._input = (key, predicted_input(prediction, symbols, grid, unknown))
        if data and not share:
            raise PacketError("a slice of which no position is coded has rANS bytes")
        predicted = slice_input(self._input[1], grid, header.slice, share)
        return self._skip_walk.read(header.rate_code, coding_order(own), untrimmed(data), predicted)

    def _predict(self, reference: Reference, motion: Motion, height: int, width: int) -> Prediction:
        last = self._prediction
        if last is None or last.reference is not reference or last.motion != motion:
            last = None
        if last is None or last.known.shape != (height, width):
            last = self._prediction = predict(reference, motion, height, width)
        return last

    def _reference(
        self, frame: int, head: PredictedHead, references: ReferenceWindow | None
    ) -> Reference:
        """The very frame that a predicted slice names."""
        if self._tables.skip is None:
            raise PacketError("a predicted slice, but the checkpoint has no skip network")
        number = (frame - head.distance) & 0xFFFF
        found = references.get(number) if references is not None else None
        if found is None:
            raise MissingReferenceError(f"predicted from frame {number}, which is not here")
        if reference_hash(found.digest, self._checkpoint_id) != head.reference_hash:
            raise MissingReferenceError(f"predicted from frame {number}, which is another one here")
        return found
