# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A features packet to the symbols of its slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec import packet as wire
from sc2_ros.codec import version3, version4
from sc2_ros.codec.capture_time import absolute
from sc2_ros.codec.coders import Coders
from sc2_ros.codec.learned import LearnedDecoder, patch_side, side_input
from sc2_ros.codec.prediction import Motion, Prediction, predict
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.skip_decoder import SkipDecoder
from sc2_ros.codec.skip_inputs import Surrounded
from sc2_ros.codec.slice_decoder import SliceDecoder
from sc2_ros.codec.slicing import MAX_PATCH_SYMBOLS, Grid
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.version2 import (
    PREDICTED_HEAD_BYTES,
    PredictedHead,
    parse_intra_head,
    parse_predicted_head,
)
from sc2_ros.errors import MissingReferenceError, PacketError


@dataclass(frozen=True, eq=False)
class DecodedSlice:
    """One slice as it came off the wire, and what it was predicted from, if anything.

    `symbols` (C, ph, pw) int16 belong at row `y0`, column `x0` of a latent of `grid_h` x `grid_w`.
    The capture time of the header is absolute. `told` (ph, pw) bool tells which positions were told
    anew, in version 4; None before.
    """

    symbols: npt.NDArray[np.int16]
    y0: int
    x0: int
    grid_h: int
    grid_w: int
    header: wire.Header
    geometry: wire.Geometry
    prediction: Prediction | None = None
    told: npt.NDArray[np.bool_] | None = None

    @property
    def encoded_size(self) -> tuple[int, int]:
        """(width, height) of the network's input before padding, pixels."""
        return self.geometry.encoded_size

    @property
    def source_size(self) -> tuple[int, int]:
        """(width, height) of the camera's image, pixels."""
        return self.geometry.source_size


class PacketDecoder:
    """Checks a packet against the checkpoint and decodes it."""

    def __init__(
        self,
        tables: CodingTables,
        checkpoint_id: int,
        coders: Coders,
    ) -> None:
        """The coders hold the banks of the tables."""
        self._tables = tables
        self._checkpoint_id = checkpoint_id
        self._decoder = SliceDecoder(tables, coders.counted, coders.temporal)
        self._learned: LearnedDecoder | None = None
        if tables.context is not None and coders.learned is not None:
            self._learned = LearnedDecoder(tables.context, coders.learned)
        self._skip: SkipDecoder | None = None
        if tables.skip is not None and coders.skip is not None:
            self._skip = SkipDecoder(tables.skip, coders.skip)
        self._last: Prediction | None = None
        self._surrounded: tuple[tuple[Prediction, int, Grid], Surrounded] | None = None
        self._side: tuple[tuple[Prediction, int, Grid], npt.NDArray[np.float32]] | None = None

    def decode(
        self, packet: wire.Packet, references: ReferenceWindow | None = None
    ) -> DecodedSlice:
        """Decode the slice of a features packet: by itself, or with the frame that it names.

        Raises:
            MismatchError: it was made with another checkpoint.
            MissingReferenceError: it is predicted from a frame that is not in `references`.
            PacketError: anything else that is wrong with it.
        """
        header = packet.header
        if header.type is not wire.PacketType.FEATURES:
            raise PacketError(f"expected a features packet, got {header.type.name}")
        header.check_checkpoint(self._checkpoint_id)
        reference = head = None
        share = 0
        if header.reference:
            reference, head, share, data = self._reference(packet, references)
            header = absolute(header, reference.stamp)
            sizes = reference.geometry
            geometry = wire.Geometry(sizes.encoded_size, sizes.source_size, head.origin)
        else:
            geometry, data = parse_intra_head(packet.payload, header.version)
        height, width = geometry.latent_shape
        if header.rows > height or header.cols > width:
            raise PacketError(
                f"{header.rows}x{header.cols} slices of a latent of {height}x{width} positions"
            )
        grid = Grid(header.rows, header.cols, height, width)
        patch = grid.patch(header.slice)
        shape = (self._tables.channels, patch.y1 - patch.y0, patch.x1 - patch.x0)
        if np.prod(shape) > MAX_PATCH_SYMBOLS:
            raise PacketError(f"slice of {shape} symbols; at most {MAX_PATCH_SYMBOLS}")
        prediction = None
        if reference is not None and head is not None:
            prediction = self._predict(reference, head.motion, height, width)
        told = np.ones(shape[1:], np.bool_) if header.version == wire.SKIP_VERSION else None
        if header.is_compact:
            assert prediction is not None
            symbols, told = self._decode_skipped(data, shape, header, prediction, grid, share)
        elif header.version >= wire.LEARNED_VERSION:
            symbols = self._decode_learned(data, shape, header, prediction, grid)
        elif prediction is None:
            symbols = self._decoder.intra(data, shape, header.rate_code)
        else:
            symbols = self._decoder.predicted(data, prediction, patch, header.rate_code)
        return DecodedSlice(
            symbols, patch.y0, patch.x0, height, width, header, geometry, prediction, told
        )

    def _decode_learned(
        self,
        data: bytes,
        shape: tuple[int, int, int],
        header: wire.Header,
        prediction: Prediction | None,
        grid: Grid,
    ) -> npt.NDArray[np.int16]:
        network = self._tables.context
        if self._learned is None or network is None:
            raise PacketError(
                f"a packet of version {header.version}, but the checkpoint has no context network"
            )
        side = None
        if prediction is not None:
            key = (prediction, header.rate_code, grid)
            if self._side is None or self._side[0] != key:
                self._side = (key, side_input(prediction, header.rate_code, network, grid))
            side = patch_side(self._side[1], grid, header.slice)
        return self._learned.decode(data, shape, header.rate_code, side)

    def _decode_skipped(
        self,
        data: bytes,
        shape: tuple[int, int, int],
        header: wire.Header,
        prediction: Prediction,
        grid: Grid,
        share: int,
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
        if self._skip is None:
            raise PacketError("a packet of version 4, but the checkpoint has no skip network")
        key = (prediction, header.rate_code, grid)
        if self._surrounded is None or self._surrounded[0] != key:
            self._surrounded = (key, self._skip.surrounded(prediction, header.rate_code, grid))
        patch = self._surrounded[1].patch(grid, header.slice)
        return self._skip.decode(data, shape, header.rate_code, share, patch)

    def _predict(self, reference: Reference, motion: Motion, height: int, width: int) -> Prediction:
        """The prediction, which is the same for all slices of a frame."""
        last = self._last
        if last is None or last.reference is not reference or last.motion != motion:
            last = None
        if last is None or last.known.shape != (height, width):
            last = self._last = predict(reference, motion, height, width)
        return last

    def _reference(
        self, packet: wire.Packet, references: ReferenceWindow | None
    ) -> tuple[Reference, PredictedHead, int, bytes]:
        """The very frame that a predicted slice names, the slice's head, and what follows that.

        The number is the share class of version 4.
        """
        header = packet.header
        if header.version == 1:
            raise PacketError("a packet of version 1 that names a reference")
        if self._tables.temporal is None and self._tables.context is None:
            raise PacketError("a predicted slice, but the checkpoint has no tables for such")
        number = (header.frame - header.reference) & 0xFFFF
        found = references.get(number) if references is not None else None
        digest = 0 if found is None else found.digest
        share = 0
        if header.is_compact:
            head, share, data = version4.parse_head(packet)
            digest = version4.reference_hash(digest, self._checkpoint_id)
        elif header.is_short:
            head, data = version3.parse_head(packet.payload)
            digest = version3.reference_hash(digest, self._checkpoint_id)
        else:
            head = parse_predicted_head(packet.payload)
            data = packet.payload[PREDICTED_HEAD_BYTES:]
        if found is None or digest != head.digest:
            what = "is not here" if found is None else "is another one here"
            raise MissingReferenceError(f"predicted from frame {number}, which {what}")
        return found, head, share, data
