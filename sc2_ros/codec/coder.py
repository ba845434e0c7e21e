# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents to packets and back; the highest rate that fits a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec import packet as wire
from sc2_ros.codec.coders import Coders
from sc2_ros.codec.frame_builder import EncodedFrame, FrameBuilder, check_geometry
from sc2_ros.codec.learned import LearnedTrace
from sc2_ros.codec.packet_decoder import DecodedSlice, PacketDecoder
from sc2_ros.codec.payloads import PayloadBuilder
from sc2_ros.codec.plan import (
    UNPROTECTED,
    FramePlan,
    FramePrice,
    FrameTooBigError,
    Protection,
)
from sc2_ros.codec.prediction import Motion, Prediction, predict
from sc2_ros.codec.pricing import FramePricer
from sc2_ros.codec.rate_search import GuidedSearch, highest_code
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.skip_pricing import SkipTrace
from sc2_ros.codec.symbols import Scaled, Symbols, round_latent
from sc2_ros.codec.tables import RATE_CODES, CodingTables
from sc2_ros.errors import ParameterError

__all__ = [
    "DecodedSlice",
    "EncodedFrame",
    "FramePrice",
    "FrameTooBigError",
    "LatentCodec",
    "Protection",
]

Latent = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Plans:
    """The plans made for one latent, by rate code."""

    latent: Latent
    prediction: Prediction | None
    protection: Protection
    moved: bool
    refinement: Scaled | float
    plans: dict[int, FramePlan] = field(default_factory=dict)


class LatentCodec:
    """Both directions of the codec for one checkpoint's tables; no frame depends on another.

    A latent that was priced must not be changed before it is coded.
    """

    def __init__(
        self,
        tables: CodingTables,
        checkpoint_id: int,
        *,
        refinement: float | Callable[[Latent], Scaled] = 0.0,
    ) -> None:
        """Derive the look-up tables.

        Args:
            tables: of the checkpoint.
            checkpoint_id: a uint32, goes into every packet.
            refinement: squared error, in quantiser steps, that a bit saved is worth: one for all,
                or what tells it for each position (h, w) of a latent. Only the encoder's choice of
                symbols depends on it (symbols.py).
        """
        self.tables = tables
        self.checkpoint_id = checkpoint_id
        self._gains = tables.code_gains
        self._refinement = refinement
        self._pricer = FramePricer(tables)
        self._last: _Plans | None = None
        coders = Coders(tables)
        self._builder = FrameBuilder(PayloadBuilder(coders, self._pricer), checkpoint_id)
        self._search: GuidedSearch | None = None
        if tables.context is not None:
            self._search = GuidedSearch(tables.code_gains[:, tables.context.channels])
        self._packets = PacketDecoder(tables, checkpoint_id, coders)

    @property
    def predicts(self) -> bool:
        """Whether the checkpoint has what predicted slices are coded with."""
        return self.tables.temporal is not None or self.tables.context is not None

    @property
    def origin_step(self) -> int:
        """Origins of frames are multiples of it, pixels."""
        return wire.origin_step(2 if self.tables.context is None else wire.LEARNED_VERSION)

    def predict(
        self, reference: Reference, motion: Motion, shape: tuple[int, int]
    ) -> Prediction | None:
        """What a reference says about a latent of `shape` (h, w); None without tables for it."""
        return predict(reference, motion, *shape) if self.predicts else None

    def quantise(self, latent: Latent, code: int) -> Symbols:
        """Latent (C, h, w) to symbols -127 .. 127; what is not a number becomes zero."""
        self._check(latent, code)
        return round_latent(latent, self._gains[code]).symbols

    def dequantise(self, symbols: npt.NDArray[np.signedinteger[Any]], code: int) -> Latent:
        """Symbols (C, h, w) to latent float32."""
        latent: Latent = symbols / self._gains[code][:, None, None]
        return latent.astype(np.float32, copy=False)

    def refinement_of(self, latent: Latent) -> Scaled | float:
        """The mu of a latent: one for all positions, or (h, w)."""
        return self._refinement(latent) if callable(self._refinement) else self._refinement

    def choose(self, latent: Latent, code: int, prediction: Prediction | None = None) -> Symbols:
        """The symbols (C, h, w) that are sent for a latent, all slices predicted if there is one.

        They differ from `quantise` by the refinement and by what is skipped.
        """
        plan = self._plan(latent, code, UNPROTECTED, prediction, False)
        trace = plan.intra if plan.predicted is None else plan.predicted
        assert trace is not None
        if isinstance(trace, LearnedTrace | SkipTrace):
            return trace.sent
        symbols = np.zeros(latent.shape, np.int8)
        symbols.reshape(-1)[trace.kept] = trace.values
        return symbols

    def price(
        self,
        latent: Latent,
        code: int,
        protection: Protection = UNPROTECTED,
        prediction: Prediction | None = None,
        *,
        moved: bool = False,
    ) -> FramePrice:
        """What `encode` would put on the wire at this code, without coding: exact to 1 %.

        A frame that no grid fits into packets is priced on the finest grid, with `fits` false.
        `moved`: whether its origin is another than (0, 0).
        """
        return self._plan(latent, code, protection, prediction, moved).price

    def highest_code(
        self,
        latent: Latent,
        budget_bytes: float,
        low: int = 0,
        high: int = RATE_CODES - 1,
        *,
        near: int | None = None,
        slack: float = 0.0,
        protection: Protection = UNPROTECTED,
        prediction: Prediction | None = None,
        moved: bool = False,
    ) -> int | None:
        """The highest code in low .. high whose frame fits the budget; None if not even `low` does.

        Started `near` the code of the frame before, it takes about three prices. With a context
        network, whose prices are dearer, a frame is good enough that leaves less than the share
        `slack` of the budget, and one or two are enough (rate_search.py).
        """

        def price(code: int) -> FramePrice:
            return self.price(latent, code, protection, prediction, moved=moved)

        if self._search is None or self.tables.context is None:
            return highest_code(price, budget_bytes, low, high, near)
        self._check(latent, low)
        magnitude = np.abs(latent.reshape(len(latent), -1)[self.tables.context.channels])
        return self._search.highest_code(
            price,
            magnitude,
            budget_bytes,
            low,
            high,
            near=near,
            predicted=prediction is not None,
            slack=slack,
        )

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
        """The packets of `encode_frame`, for a frame that needs no other."""
        header = wire.Header(
            wire.PacketType.FEATURES,
            stream,
            self.checkpoint_id,
            frame & 0xFFFF,
            capture_time_ns=capture_time_ns,
        )
        geometry = wire.Geometry(encoded_size, source_size)
        return self.encode_frame(latent, code, header, geometry, protection).packets

    def encode_frame(
        self,
        latent: Latent,
        code: int,
        header: wire.Header,
        geometry: wire.Geometry,
        protection: Protection = UNPROTECTED,
        prediction: Prediction | None = None,
    ) -> EncodedFrame:
        """Code a frame into packets of at most 1,200 bytes, one per slice, row-major.

        Repair packets, if any, come after the slices. A slice is predicted where that is cheaper.

        A frame too rich for that even on the finest grid is coded at the highest lower code that
        fits; the packets tell the code.

        Args:
            latent: (C, h, w) float32.
            code: rate code, 0 .. 64.
            header: stream, frame number and capture time of the frame.
            geometry: its sizes and origin.
            protection: slices at least, and repair packets.
            prediction: what a frame at most 32 before says about it, if any; 255 up to version 3.

        Raises:
            FrameTooBigError: not even code 0 fits.
            ParameterError: the frame is over 4096 x 4096, or the latent is not of its size.
        """
        check_geometry(latent, geometry, prediction)
        moved = geometry.origin != (0, 0)
        plan = self._plan(latent, code, protection, prediction, moved)
        if not plan.price.fits:
            lower = self.highest_code(
                latent,
                np.inf,
                high=code - 1,
                protection=protection,
                prediction=prediction,
                moved=moved,
            )
            if lower is None:
                width, height = geometry.encoded_size
                raise FrameTooBigError(
                    f"a frame of {width}x{height} does not fit into 256 packets at any rate; "
                    "encode it smaller"
                )
            plan = self._plan(latent, lower, protection, prediction, moved)
        return self._builder.build(plan, latent.shape, header, geometry, protection, prediction)

    def decode(
        self, packet: wire.Packet, references: ReferenceWindow | None = None
    ) -> DecodedSlice:
        """Decode the slice of a features packet: by itself, or with the frame that it names.

        Raises:
            MismatchError: it was made with another checkpoint.
            MissingReferenceError: it is predicted from a frame that is not in `references`.
            PacketError: anything else that is wrong with it.
        """
        return self._packets.decode(packet, references)

    def _check(self, latent: Latent, code: int) -> None:
        if not 0 <= code < RATE_CODES:
            raise ParameterError(f"rate code {code}; expected 0 to {RATE_CODES - 1}")
        if latent.ndim != 3 or latent.shape[0] != self.tables.channels:
            raise ParameterError(
                f"latent of shape {latent.shape}; expected ({self.tables.channels}, h, w)"
            )

    def _plan(
        self,
        latent: Latent,
        code: int,
        protection: Protection,
        prediction: Prediction | None,
        moved: bool,
    ) -> FramePlan:
        """The plan at a code; those of the last latent are kept, for what was priced is coded."""
        self._check(latent, code)
        last = self._last
        same = last is not None and last.latent is latent and last.prediction is prediction
        if last is None or not same or (last.protection, last.moved) != (protection, moved):
            if last is not None and last.latent is latent:
                refinement = last.refinement
            else:
                refinement = self.refinement_of(latent)
            last = self._last = _Plans(latent, prediction, protection, moved, refinement)
        if code not in last.plans:
            rounded = round_latent(latent, self._gains[code], last.refinement)
            intra = not any(plan.clearly_predicted for plan in last.plans.values())
            last.plans[code] = self._pricer.plan(
                rounded, code, protection, prediction, moved=moved, intra=intra
            )
        return last.plans[code]
