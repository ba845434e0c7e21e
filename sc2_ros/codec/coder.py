# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents to packets and back, and the exact price of a frame at any rate without coding it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec import packet as wire
from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context import MAX_MAGNITUDE, contexts_from_activity
from sc2_ros.codec.rans import SymbolCoder
from sc2_ros.codec.slicing import MAX_PATCH_SYMBOLS, Grid, grids
from sc2_ros.codec.tables import RATE_CODES, SKIP, CodingTables
from sc2_ros.errors import MismatchError, PacketError, ParameterError, Sc2Error

OVERHEAD_BYTES = wire.HEADER_BYTES + wire.GEOMETRY_BYTES

Latent = npt.NDArray[np.float32]
Symbols = npt.NDArray[np.int8]


class FrameTooBigError(Sc2Error):
    """Not even the lowest rate fits the frame into packets; the pipeline drops the frame."""


@dataclass(frozen=True)
class FramePrice:
    """What a frame costs on the wire at one rate code.

    Attributes:
        code: the rate code.
        grid: how the frame is sliced.
        slice_bytes: (rows * cols,) int64, size of each packet, headers and all.
    """

    code: int
    grid: Grid
    slice_bytes: npt.NDArray[np.int64]

    @property
    def size_bytes(self) -> int:
        """Bytes on the wire of all packets of the frame."""
        return int(self.slice_bytes.sum())

    @property
    def fits(self) -> bool:
        """Whether every packet is within 1,200 bytes."""
        return int(self.slice_bytes.max()) <= wire.MAX_PACKET_BYTES


@dataclass(frozen=True)
class DecodedSlice:
    """One slice as it came off the wire.

    `symbols` (C, ph, pw) int16 belong at row `y0`, column `x0` of a latent of `grid_h` x `grid_w`.
    Sizes in pixels are (width, height).
    """

    symbols: npt.NDArray[np.int16]
    y0: int
    x0: int
    grid_h: int
    grid_w: int
    header: wire.Header
    encoded_size: tuple[int, int]
    source_size: tuple[int, int]


@dataclass(frozen=True)
class _Plan:
    """A frame's symbols priced on one grid: what is coded, with which contexts, at what cost."""

    grid: Grid
    contexts: list[npt.NDArray[np.uint8]]
    coded: list[npt.NDArray[np.int64]]
    cost: npt.NDArray[np.float64]


class LatentCodec:
    """Both directions of the codec for one checkpoint's tables; holds no state between frames."""

    def __init__(self, tables: CodingTables, checkpoint_id: int) -> None:
        """Derive the look-up tables; `checkpoint_id` is a uint32 and goes into every packet."""
        self.tables = tables
        self.checkpoint_id = checkpoint_id
        self._gains = tables.code_gains
        self._coder = SymbolCoder(tables)
        ends = np.cumsum(tables.groups)
        self._groups = [
            (int(end) - size, int(end)) for end, size in zip(ends, tables.groups, strict=True)
        ]
        # (65, C, K): channel first, so that gathering a context map gives (C, h, w) at once.
        self._index = np.ascontiguousarray(tables.index.transpose(0, 2, 1))
        bits = tables.bits
        zero = bits[:, MAX_SYMBOL][tables.index]
        # Cost of a position whose symbols are all zero, per rate code, group and context; what
        # symbols that are not zero cost above that is looked up one by one, for they are few.
        self._zero_bits = [
            zero[:, :, start:end].sum(axis=2, dtype=np.float64) for start, end in self._groups
        ]
        self._extra_bits = bits - bits[:, MAX_SYMBOL : MAX_SYMBOL + 1]

    def quantise(self, latent: Latent, code: int) -> Symbols:
        """Latent (C, h, w) to symbols -127 .. 127; what is not a number becomes zero."""
        self._check(latent, code)
        scaled = latent * self._gains[code][:, None, None]
        if not np.isfinite(scaled.sum()):
            np.nan_to_num(scaled, copy=False)
        np.rint(scaled, out=scaled)
        np.clip(scaled, -MAX_SYMBOL, MAX_SYMBOL, out=scaled)
        symbols: Symbols = scaled.astype(np.int8)
        return symbols

    def dequantise(self, symbols: npt.NDArray[np.signedinteger[Any]], code: int) -> Latent:
        """Symbols (C, h, w) to latent float32."""
        latent: Latent = symbols / self._gains[code][:, None, None]
        return latent.astype(np.float32, copy=False)

    def price(self, latent: Latent, code: int) -> FramePrice:
        """What `encode` would put on the wire at this code, without coding: exact to 1 %.

        A frame that no grid fits into packets is priced on the finest grid, with `fits` false.
        """
        return self._price(self._plan(self.quantise(latent, code), code), code)

    def highest_code(
        self, latent: Latent, budget_bytes: float, low: int = 0, high: int = RATE_CODES - 1
    ) -> int | None:
        """The highest code in low .. high whose frame fits the budget, by bisection on the price.

        Returns:
            The code, or None if not even `low` fits.
        """

        def fits(code: int) -> bool:
            price = self.price(latent, code)
            return price.fits and price.size_bytes <= budget_bytes

        below, above = low - 1, high + 1
        while above - below > 1:
            middle = (below + above) // 2
            if fits(middle):
                below = middle
            else:
                above = middle
        return below if below >= low else None

    def encode(
        self,
        latent: Latent,
        code: int,
        *,
        stream: int,
        frame: int,
        capture_time_ns: int,
        encoded_size: tuple[int, int],
        source_size: tuple[int, int],
    ) -> list[bytes]:
        """Code a frame into packets of at most 1,200 bytes, one per slice, row-major.

        A frame too rich for that even on the finest grid is coded at the highest lower code that
        fits; the packets tell the code.

        Args:
            latent: (C, h, w) float32.
            code: rate code, 0 .. 64.
            stream: 0 .. 255.
            frame: number of the frame; only its low 16 bits travel.
            capture_time_ns: stamp of the source image.
            encoded_size: (width, height) of the network's input before padding, pixels.
            source_size: (width, height) of the camera's image, pixels.

        Raises:
            FrameTooBigError: not even code 0 fits.
            ParameterError: the latent is not that of `encoded_size`.
        """
        geometry = wire.Geometry(encoded_size, source_size)
        if geometry.latent_shape != latent.shape[1:]:
            raise ParameterError(
                f"latent of {latent.shape[1:]} positions for an image of {encoded_size}; "
                f"expected {geometry.latent_shape}"
            )
        symbols = self.quantise(latent, code)
        plan = self._plan(symbols, code)
        if not self._price(plan, code).fits:
            lower = self.highest_code(latent, np.inf, high=code - 1)
            if lower is None:
                raise FrameTooBigError(
                    f"a frame of {encoded_size[0]}x{encoded_size[1]} does not fit into 256 packets "
                    "at any rate; encode it smaller"
                )
            code, symbols = lower, self.quantise(latent, lower)
            plan = self._plan(symbols, code)
        head = wire.build_geometry(geometry)
        return [
            wire.build(
                wire.Header(
                    type=wire.PacketType.FEATURES,
                    stream=stream,
                    checkpoint_id=self.checkpoint_id,
                    frame=frame & 0xFFFF,
                    slice=number,
                    rows=plan.grid.rows,
                    cols=plan.grid.cols,
                    rate_code=code,
                    capture_time_ns=capture_time_ns,
                ),
                head + payload,
            )
            for number, payload in enumerate(self._payloads(symbols, plan, code))
        ]

    def decode(self, packet: wire.Packet) -> DecodedSlice:
        """Decode the slice of a features packet, by itself.

        Raises:
            MismatchError: it was made with another checkpoint.
            PacketError: anything else that is wrong with it.
        """
        header = packet.header
        if header.type is not wire.PacketType.FEATURES:
            raise PacketError(f"expected a features packet, got {header.type.name}")
        if header.checkpoint_id != self.checkpoint_id:
            raise MismatchError(
                f"packet of checkpoint {header.checkpoint_id:08x}, but {self.checkpoint_id:08x} is "
                "loaded; start both ends with the same checkpoint"
            )
        if header.reference:
            raise PacketError("slice predicted from another frame; this program reads intra only")
        geometry = wire.parse_geometry(packet.payload)
        height, width = geometry.latent_shape
        if header.rows > height or header.cols > width:
            raise PacketError(
                f"{header.rows}x{header.cols} slices of a latent of {height}x{width} positions"
            )
        grid = Grid(header.rows, header.cols, height, width)
        patch = grid.patch(header.slice)
        shape = (self.tables.channels, patch.y1 - patch.y0, patch.x1 - patch.x0)
        if np.prod(shape) > MAX_PATCH_SYMBOLS:
            raise PacketError(f"slice of {shape} symbols; at most {MAX_PATCH_SYMBOLS}")
        return DecodedSlice(
            symbols=self._decode_symbols(
                packet.payload[wire.GEOMETRY_BYTES :], shape, header.rate_code
            ),
            y0=patch.y0,
            x0=patch.x0,
            grid_h=height,
            grid_w=width,
            header=header,
            encoded_size=geometry.encoded_size,
            source_size=geometry.source_size,
        )

    def _check(self, latent: Latent, code: int) -> None:
        if not 0 <= code < RATE_CODES:
            raise ParameterError(f"rate code {code}; expected 0 to {RATE_CODES - 1}")
        if latent.ndim != 3 or latent.shape[0] != self.tables.channels:
            raise ParameterError(
                f"latent of shape {latent.shape}; expected ({self.tables.channels}, h, w)"
            )

    def _plan(self, symbols: Symbols, code: int) -> _Plan:
        """Price the symbols on the first grid whose packets all fit, else on the finest."""
        _, height, width = symbols.shape
        candidates = grids(height, width, self.tables.channels)
        if not candidates:
            raise FrameTooBigError(f"a latent of {height}x{width} positions is too big to slice")
        plan = self._trace(symbols, code, candidates[0])
        room = wire.MAX_PACKET_BYTES - OVERHEAD_BYTES
        for grid in candidates[1:]:
            if _rans_bytes(plan.grid.sums(plan.cost)).max() <= room:
                break
            # Costs hardly change from grid to grid, so the last trace tells which are too coarse.
            if _rans_bytes(grid.sums(plan.cost)).max() <= room or grid is candidates[-1]:
                plan = self._trace(symbols, code, grid)
        return plan

    def _trace(self, symbols: Symbols, code: int, grid: Grid) -> _Plan:
        """Walk the groups as the decoder will: contexts, which symbols are coded, their cost."""
        positions = grid.height * grid.width
        activity = np.zeros((grid.height, grid.width), np.int32)
        plan = _Plan(grid, [], [], np.zeros((grid.height, grid.width)))
        for group, (start, end) in enumerate(self._groups):
            context = np.zeros((grid.height, grid.width), np.uint8)
            if group:
                context = contexts_from_activity(activity, self.tables.thresholds[group], grid)
            flat = symbols[start:end].reshape(-1)
            at = np.flatnonzero(flat)
            channel, position = np.divmod(at, positions)
            table = self._index[code, start + channel, context.reshape(-1)[position]]
            kept = np.flatnonzero(table)
            if len(kept) < len(at):
                at, position, table = at[kept], position[kept], table[kept]
            value = flat[at].astype(np.int64)
            extra = self._extra_bits[table, value + MAX_SYMBOL]
            counts = np.minimum(np.abs(value), MAX_MAGNITUDE)
            shape = activity.shape
            plan.cost[...] += self._zero_bits[group][code][context]
            plan.cost[...] += np.bincount(position, extra, positions).reshape(shape)
            activity += np.bincount(position, counts, positions).astype(np.int32).reshape(shape)
            plan.contexts.append(context)
            plan.coded.append(at + start * positions)
        return plan

    def _price(self, plan: _Plan, code: int) -> FramePrice:
        sizes = OVERHEAD_BYTES + _rans_bytes(plan.grid.sums(plan.cost))
        return FramePrice(code, plan.grid, sizes)

    def _payloads(self, symbols: Symbols, plan: _Plan, code: int) -> list[bytes]:
        """The rANS bytes of every slice: symbols in the order channel, row, column."""
        sent = np.zeros_like(symbols)
        coded = np.concatenate(plan.coded)
        sent.reshape(-1)[coded] = symbols.reshape(-1)[coded]
        tables = np.empty(symbols.shape, np.uint8)
        for (start, end), context in zip(self._groups, plan.contexts, strict=True):
            tables[start:end] = self._index[code, start:end][:, context]
        payloads = []
        for patch in plan.grid.patches():
            where = (slice(None), slice(patch.y0, patch.y1), slice(patch.x0, patch.x1))
            table = tables[where].reshape(-1)
            used = np.flatnonzero(table)
            values = sent[where].reshape(-1)[used]
            payloads.append(self._coder.encode(values.tolist(), table[used].tolist()))
        return payloads

    def _decode_symbols(
        self, data: bytes, shape: tuple[int, int, int], code: int
    ) -> npt.NDArray[np.int16]:
        _, height, width = shape
        grid = Grid(1, 1, height, width)
        symbols = np.zeros(shape, np.int16)
        activity = np.zeros((height, width), np.int32)
        decoder = self._coder.decoder(data, symbols.size)
        for group, (start, end) in enumerate(self._groups):
            context = np.zeros((height, width), np.uint8)
            if group:
                context = contexts_from_activity(activity, self.tables.thresholds[group], grid)
            table = self._index[code, start:end][:, context]
            used = table != SKIP
            symbols[start:end][used] = decoder.decode(table[used])
            magnitude = np.minimum(np.abs(symbols[start:end]), MAX_MAGNITUDE)
            activity += magnitude.sum(axis=0, dtype=np.int32)
        return symbols


def _rans_bytes(bits: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Size of a rANS string: a 64-bit state, of which 32 bits are room, then 32-bit words."""
    words = np.where(bits > 0, 1 + np.maximum(np.ceil(bits / 32), 1), 0)
    return (4 * words).astype(np.int64)
