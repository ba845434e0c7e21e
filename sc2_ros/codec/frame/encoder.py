# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents to packets, and the highest rate that fits a budget.

::

    latent, geometry, prediction -> frame() -> search(budget) or plan(code) -> encode() -> packets
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.frame.plan import (
    UNPROTECTED,
    FramePlan,
    FramePrice,
    FrameTooBigError,
    Protection,
    SourceFrame,
)
from sc2_ros.codec.frame.planner import Planner
from sc2_ros.codec.frame.reference import Prediction, Reference, predict
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire.capture_time import Stamp
from sc2_ros.codec.wire.header import RATE_CODES, Header, PacketId, PacketType
from sc2_ros.codec.wire.packet import (
    MAX_ENCODED_SIDE,
    Geometry,
    Packet,
    build,
    build_geometry,
    coded_bytes,
)
from sc2_ros.codec.wire.predicted import (
    Motion,
    PredictedHead,
    PredictedPacket,
    build_predicted,
    reference_hash,
)
from sc2_ros.codec.wire.repair import build_repairs
from sc2_ros.errors import ParameterError

_THRESHOLDS = (0.5, 1.5)

Floats = npt.NDArray[np.float32]


class EncodedPacket(bytes):
    """The bytes of a packet, which know which packet they are.

    Attributes:
        frame: number of the frame, u16.
        number: of the packet in its frame, as `PacketId.number`.
    """

    frame: int
    number: int

    def __new__(cls, data: bytes, frame: int, number: int) -> EncodedPacket:
        """The same bytes."""
        self = super().__new__(cls, data)
        self.frame, self.number = frame, number
        return self


@dataclass(frozen=True, eq=False)
class EncodedFrame:
    """The packets of a frame, and what the ground will know once it has them."""

    packets: list[EncodedPacket]
    reference: Reference
    price: FramePrice
    payload_bytes: int
    """Entropy-coded bytes in all of them."""


class FrameEncoder:
    """The drone's side of the codec, for one checkpoint's tables."""

    def __init__(
        self,
        tables: CodingTables,
        checkpoint_id: int,
        *,
        rdoq_lambda: float = 0.0,
    ) -> None:
        """Derive the look-up tables.

        Args:
            tables: of the checkpoint.
            checkpoint_id: a uint32, goes into every packet.
            rdoq_lambda: squared error, in quantiser steps, that a bit saved is worth (symbols.py),
                unless a frame has its own.
        """
        self.checkpoint_id = checkpoint_id
        self._tables = tables
        self._lambda = rdoq_lambda
        self._planner = Planner(tables)
        self._search = _RateSearch(tables.gains)

    @property
    def predicts(self) -> bool:
        """Whether the checkpoint has what predicted slices are coded with."""
        return self._tables.skip is not None

    def predict(
        self, reference: Reference, motion: Motion, shape: tuple[int, int]
    ) -> Prediction | None:
        """What a reference predicts of a latent of `shape` (h, w); None without a skip network."""
        return predict(reference, motion, *shape) if self.predicts else None

    def frame(
        self,
        latent: Floats,
        geometry: Geometry,
        prediction: Prediction | None = None,
        rdoq_lambda: Floats | None = None,
    ) -> SourceFrame:
        """A latent (C, h, w) float32 that is to be coded; rdoq_lambda: (h, w) float32.

        Raises:
            ParameterError: the frame is over 4096 x 4096, or the latent or the prediction is not of
                its size.
        """
        _check(latent, geometry, prediction, self._tables.channels)
        weight = self._lambda if rdoq_lambda is None else rdoq_lambda
        return SourceFrame(latent, geometry, prediction, weight)

    def price(
        self, frame: SourceFrame, code: int, protection: Protection = UNPROTECTED
    ) -> FramePlan:
        """The plan of a frame at a rate code, whether its packets fit or not.

        Raises:
            ParameterError: there is no such code.
        """
        if not 0 <= code < RATE_CODES:
            raise ParameterError(f"rate code {code}; expected 0 to {RATE_CODES - 1}")
        return self._planner.plan(frame, code, protection)

    def plan(
        self, frame: SourceFrame, code: int, protection: Protection = UNPROTECTED
    ) -> FramePlan:
        """The plan at a rate code, or at the highest lower one at which all packets fit.

        Raises:
            FrameTooBigError: not even code 0 fits.
            ParameterError: there is no such code.
        """
        first = self.price(frame, code, protection)
        if first.price.fits:
            return first
        lower = self._searched(frame, np.inf, 0, code - 1, protection, None, 0.0, [first])
        if lower is None:
            width, height = frame.geometry.encoded_size
            raise FrameTooBigError(
                f"a frame of {width}x{height} does not fit into 256 packets at any rate; "
                "encode it smaller"
            )
        return lower

    def search(
        self,
        frame: SourceFrame,
        budget_bytes: float,
        low: int = 0,
        high: int = RATE_CODES - 1,
        *,
        near: int | None = None,
        slack: float = 0.0,
        protection: Protection = UNPROTECTED,
    ) -> FramePlan | None:
        """The plan at the highest code in low .. high that fits the budget; None if none does.

        A frame is good enough that leaves less than the share `slack` of the budget; then one or
        two plans are made, else about three. near: where to begin with the very first frame.
        """
        return self._searched(frame, budget_bytes, low, high, protection, near, slack, [])

    def encode(
        self, plan: FramePlan, *, stream: int, frame: int, capture_time_ns: int
    ) -> EncodedFrame:
        """The packets of a plan, at most 1,200 bytes each: its slices, then repair packets.

        Args:
            plan: of `plan` or `search`.
            stream: number of the stream, u8.
            frame: number of the frame, u16.
            capture_time_ns: stamp of the source image, i64.
        """
        source, price = plan.frame, plan.price
        header = Header(
            type=PacketType.FEATURES,
            stream=stream,
            frame=frame,
            rows=plan.grid.rows,
            cols=plan.grid.cols,
            rate_code=plan.code,
            checkpoint_id=self.checkpoint_id,
            capture_time_ns=capture_time_ns,
            origin=source.geometry.origin,
        )
        stamp = Stamp(capture_time_ns)
        distance = 0
        if source.prediction is not None and price.predicted.any():
            distance = (frame - source.prediction.reference.frame) & 0xFFFF
            stamp = source.prediction.reference.stamp.following(capture_time_ns, distance)
        slices = [self._slice(plan, header, number, distance) for number in range(header.slices)]
        packets = [
            EncodedPacket(self._build(piece, source.prediction), frame, number)
            for number, piece in enumerate(slices)
        ]
        for number, data in enumerate(build_repairs(slices, price.repairs), header.slices):
            packets.append(EncodedPacket(data, frame, number))
        symbols, coded = plan.sent()
        reference = Reference(frame, plan.code, source.geometry, symbols, coded, stamp)
        return EncodedFrame(packets, reference, price, sum(map(coded_bytes, slices)))

    def _slice(self, plan: FramePlan, header: Header, number: int, distance: int) -> Packet:
        """A slice, with its complete header."""
        own = Header(**{**vars(header), "slice": number})
        coding, prediction = plan.slice_coding(number), plan.frame.prediction
        if not plan.price.predicted[number]:
            return Packet(own, build_geometry(plan.frame.geometry) + coding.payload(number))
        assert prediction is not None
        digest = reference_hash(prediction.reference.digest, self.checkpoint_id)
        head = PredictedHead(
            distance, digest, coding.shares[number], header.origin, prediction.motion
        )
        return Packet(own, coding.payload(number), head)

    @staticmethod
    def _build(piece: Packet, prediction: Prediction | None) -> bytes:
        """A slice as it travels."""
        header, head = piece.header, piece.head
        if head is None or prediction is None:
            return build(header, piece.payload)
        offset_ns = prediction.reference.stamp.offset_ns(header.capture_time_ns, head.distance)
        named = {name: getattr(header, name) for name in PacketId.__dataclass_fields__}
        return build_predicted(PredictedPacket(PacketId(**named), head, offset_ns, piece.payload))

    def _searched(
        self,
        frame: SourceFrame,
        budget_bytes: float,
        low: int,
        high: int,
        protection: Protection,
        near: int | None,
        slack: float,
        made: list[FramePlan],
    ) -> FramePlan | None:
        """See `search`; made: plans of the frame that there are already."""
        plans = {plan.code: plan for plan in made}

        def price(code: int) -> FramePrice:
            intra = not any(plan.clearly_predicted for plan in plans.values())
            plans[code] = self._planner.plan(frame, code, protection, intra=intra)
            return plans[code].price

        predicted = frame.prediction is not None
        code = self._search.highest_code(
            price,
            frame.latent,
            budget_bytes,
            low,
            high,
            near=near,
            predicted=predicted,
            slack=slack,
        )
        return None if code is None else plans[code]


class _RateSearch:
    """The highest rate code that fits a budget, from as few prices as possible.

    What a frame costs per symbol that is not zero hardly differs from the frame before, so their
    number, which is cheap to count, says where to look, and one price is often enough.
    """

    def __init__(self, gains: Floats) -> None:
        """gains: (65, C)."""
        self._limits = [(threshold / gains)[:, :, None] for threshold in _THRESHOLDS]
        self._bytes_per_symbol: dict[bool, float] = {}

    def highest_code(
        self,
        price_of: Callable[[int], FramePrice],
        latent: Floats,
        budget_bytes: float,
        low: int,
        high: int,
        *,
        near: int | None,
        predicted: bool,
        slack: float,
    ) -> int | None:
        """The code, which was priced; None if not even `low` fits. See `FrameEncoder.search`."""
        magnitude = np.abs(latent.reshape(len(latent), -1))
        counts: dict[int, float] = {}

        def count(code: int) -> float:
            if code not in counts:
                found = [np.count_nonzero(magnitude > limit[code]) for limit in self._limits]
                counts[code] = float(sum(found)) + 4.0
            return counts[code]

        below, above = low - 1, high + 1
        prices = 0
        while above - below > 1:
            each = self._bytes_per_symbol.get(predicted)
            if prices >= 4:
                middle = (below + above) // 2
            elif each is None:
                middle = (low + high) // 2 if near is None else near
            else:
                middle = _last_within(count, budget_bytes / each, below, above)
            middle = min(max(middle, below + 1), above - 1)
            price = price_of(middle)
            prices += 1
            self._bytes_per_symbol[predicted] = price.size_bytes / count(middle)
            if price.fits and price.size_bytes <= budget_bytes:
                below = middle
                if price.size_bytes >= (1.0 - slack) * budget_bytes:
                    break
            else:
                above = middle
        return below if below >= low else None


def _last_within(size_of: Callable[[int], float], budget: float, below: int, above: int) -> int:
    """The last code between below and above whose size is within the budget; below if none is."""
    while above - below > 1:
        middle = (below + above) // 2
        if size_of(middle) <= budget:
            below = middle
        else:
            above = middle
    return below


def _check(
    latent: Floats, geometry: Geometry, prediction: Prediction | None, channels: int
) -> None:
    width, height = geometry.encoded_size
    if max(geometry.encoded_size) > MAX_ENCODED_SIDE:
        raise ParameterError(
            f"frame of {width}x{height} pixels; at most {MAX_ENCODED_SIDE} a side can be encoded"
        )
    expected = (channels, *geometry.latent_shape)
    if latent.shape != expected:
        raise ParameterError(
            f"latent of shape {latent.shape} for an image of {width}x{height}; expected {expected}"
        )
    if prediction is not None:
        known = prediction.reference.geometry
        sizes = (known.encoded_size, known.source_size)
        if sizes != (geometry.encoded_size, geometry.source_size):
            raise ParameterError(
                f"a frame of {width}x{height} cannot be predicted from one of another size"
            )
