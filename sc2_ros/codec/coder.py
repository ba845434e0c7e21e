# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents to packets and back; the highest rate that fits a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec import packet as wire
from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context import MAX_MAGNITUDE, contexts_from_activity
from sc2_ros.codec.pricing import (
    UNPROTECTED,
    FramePlan,
    FramePrice,
    FramePricer,
    FrameTooBigError,
    Protection,
    Symbols,
)
from sc2_ros.codec.rans import SymbolCoder
from sc2_ros.codec.repair import build_repairs
from sc2_ros.codec.slicing import MAX_PATCH_SYMBOLS, Grid
from sc2_ros.codec.tables import RATE_CODES, SKIP, CodingTables
from sc2_ros.errors import MismatchError, PacketError, ParameterError

__all__ = ["DecodedSlice", "FramePrice", "FrameTooBigError", "LatentCodec", "Protection"]

Latent = npt.NDArray[np.float32]

_CODES_PER_DOUBLING = 16.0
"""First guess of how many rate codes double a frame; the search learns the frame's own."""


@dataclass(frozen=True, eq=False)
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


class LatentCodec:
    """Both directions of the codec for one checkpoint's tables; holds no state between frames."""

    def __init__(self, tables: CodingTables, checkpoint_id: int) -> None:
        """Derive the look-up tables; `checkpoint_id` is a uint32 and goes into every packet."""
        self.tables = tables
        self.checkpoint_id = checkpoint_id
        self._gains = tables.code_gains
        self._pricer = FramePricer(tables)
        self._coder = SymbolCoder(tables)

    def quantise(self, latent: Latent, code: int) -> Symbols:
        """Latent (C, h, w) to symbols -127 .. 127; what is not a number becomes zero."""
        self._check(latent, code)
        scaled = latent * self._gains[code][:, None, None]
        if not np.isfinite(scaled.sum()):
            np.nan_to_num(scaled, copy=False)
        np.rint(scaled, out=scaled)
        np.clip(scaled, -MAX_SYMBOL, MAX_SYMBOL, out=scaled)
        # Whatever the layout of the latent, everything after this indexes it flat.
        symbols: Symbols = scaled.astype(np.int8, order="C")
        return symbols

    def dequantise(self, symbols: npt.NDArray[np.signedinteger[Any]], code: int) -> Latent:
        """Symbols (C, h, w) to latent float32."""
        latent: Latent = symbols / self._gains[code][:, None, None]
        return latent.astype(np.float32, copy=False)

    def price(self, latent: Latent, code: int, protection: Protection = UNPROTECTED) -> FramePrice:
        """What `encode` would put on the wire at this code, without coding: exact to 1 %.

        A frame that no grid fits into packets is priced on the finest grid, with `fits` false.
        """
        return self._plan(latent, code, protection).price

    def highest_code(
        self,
        latent: Latent,
        budget_bytes: float,
        low: int = 0,
        high: int = RATE_CODES - 1,
        *,
        near: int | None = None,
        protection: Protection = UNPROTECTED,
    ) -> int | None:
        """The highest code in low .. high whose frame fits the budget, from exact prices.

        A bisection that aims where the logarithm of the size should cross the budget, which takes
        about four prices; started `near` the code of the frame before, about three.

        Returns:
            The code, or None if not even `low` fits.
        """
        below, above = low - 1, high + 1
        target = math.log2(max(budget_bytes, 1.0))
        guess = (low + high) // 2 if near is None else near
        slope = 1.0 / _CODES_PER_DOUBLING
        last: tuple[int, float] | None = None
        prices = 0
        while above - below > 1:
            # Should the frame defy the guesses, plain bisection bounds their number.
            middle = (below + above) // 2 if prices >= 4 else guess
            middle = min(max(middle, below + 1), above - 1)
            price = self.price(latent, middle, protection)
            prices += 1
            if price.fits and price.size_bytes <= budget_bytes:
                below = middle
            else:
                above = middle
            size = math.log2(price.size_bytes)
            if last is not None and (size - last[1]) * (middle - last[0]) > 0:
                slope = (size - last[1]) / (middle - last[0])
            last = (middle, size)
            guess = math.floor(middle + min(max((target - size) / slope, -64.0), 64.0))
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
        protection: Protection = UNPROTECTED,
    ) -> list[bytes]:
        """Code a frame into packets of at most 1,200 bytes, one per slice, row-major.

        Repair packets, if any, come after the slices.

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
            protection: slices at least, and repair packets.

        Raises:
            FrameTooBigError: not even code 0 fits.
            ParameterError: the frame is over 4096 x 4096, or the latent is not of its size.
        """
        if max(encoded_size) > wire.MAX_ENCODED_SIDE:
            raise ParameterError(
                f"frame of {encoded_size[0]}x{encoded_size[1]} pixels; at most "
                f"{wire.MAX_ENCODED_SIDE} a side can be encoded"
            )
        geometry = wire.Geometry(encoded_size, source_size)
        if geometry.latent_shape != latent.shape[1:]:
            raise ParameterError(
                f"latent of {latent.shape[1:]} positions for an image of {encoded_size}; "
                f"expected {geometry.latent_shape}"
            )
        plan = self._plan(latent, code, protection)
        if not plan.price.fits:
            lower = self.highest_code(latent, np.inf, high=code - 1, protection=protection)
            if lower is None:
                raise FrameTooBigError(
                    f"a frame of {encoded_size[0]}x{encoded_size[1]} does not fit into 256 packets "
                    "at any rate; encode it smaller"
                )
            plan = self._plan(latent, lower, protection)
        head = wire.build_geometry(geometry)
        packets = [
            wire.build(
                wire.Header(
                    type=wire.PacketType.FEATURES,
                    stream=stream,
                    checkpoint_id=self.checkpoint_id,
                    frame=frame & 0xFFFF,
                    slice=number,
                    rows=plan.grid.rows,
                    cols=plan.grid.cols,
                    rate_code=plan.code,
                    capture_time_ns=capture_time_ns,
                ),
                head + payload,
            )
            for number, payload in enumerate(self._payloads(latent, plan))
        ]
        return packets + build_repairs(packets, protection.repairs)

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

    def _plan(self, latent: Latent, code: int, protection: Protection) -> FramePlan:
        return self._pricer.plan(self.quantise(latent, code), code, protection)

    def _payloads(self, latent: Latent, plan: FramePlan) -> list[bytes]:
        """The rANS bytes of every slice: symbols in the order channel, row, column."""
        symbols = self.quantise(latent, plan.code)
        kept = np.concatenate(plan.kept)
        sent = np.zeros_like(symbols)
        sent.reshape(-1)[kept] = symbols.reshape(-1)[kept]
        tables = self._pricer.tables_of(plan)
        payloads = []
        for patch in plan.grid.patches():
            where = (slice(None), slice(patch.y0, patch.y1), slice(patch.x0, patch.x1))
            table = tables[where].reshape(-1)
            used = np.flatnonzero(table != SKIP)
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
        for group, (start, end) in enumerate(self._pricer.groups):
            context = np.zeros((height, width), np.uint8)
            if group:
                context = contexts_from_activity(activity, self.tables.thresholds[group], grid)
            table = self._pricer.index[code, start:end][:, context]
            used = table != SKIP
            symbols[start:end][used] = decoder.decode(table[used])
            magnitude = np.minimum(np.abs(symbols[start:end]), MAX_MAGNITUDE)
            activity += magnitude.sum(axis=0, dtype=np.int32)
        return symbols
