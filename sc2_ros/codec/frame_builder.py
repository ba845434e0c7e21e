# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A planned frame to the packets that go on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sc2_ros.codec import packet as wire
from sc2_ros.codec import version4
from sc2_ros.codec.capture_time import Stamp, relative
from sc2_ros.codec.payloads import PayloadBuilder
from sc2_ros.codec.plan import FramePlan, FramePrice, Protection
from sc2_ros.codec.prediction import Prediction
from sc2_ros.codec.references import Reference
from sc2_ros.codec.repair import build_repairs
from sc2_ros.codec.version2 import PredictedHead, build_intra_head
from sc2_ros.codec.version3 import head_of
from sc2_ros.errors import ParameterError


@dataclass(frozen=True, eq=False)
class EncodedFrame:
    """The packets of a frame, and what the ground will know once it has them."""

    packets: list[bytes]
    reference: Reference
    price: FramePrice


class FrameBuilder:
    """Puts headers and heads before the payloads of a plan."""

    def __init__(self, payloads: PayloadBuilder, checkpoint_id: int) -> None:
        """payloads: of the codec whose plans these are."""
        self._payloads = payloads
        self._checkpoint_id = checkpoint_id

    def build(
        self,
        plan: FramePlan,
        shape: tuple[int, ...],
        header: wire.Header,
        geometry: wire.Geometry,
        protection: Protection,
        prediction: Prediction | None,
    ) -> EncodedFrame:
        """The packets of a plan, one per slice, row-major, then repair packets.

        shape: of the latent, (C, h, w); header: stream, frame number and capture time.
        """
        header = replace(
            header,
            rows=plan.grid.rows,
            cols=plan.grid.cols,
            rate_code=plan.code,
            version=_version(plan),
        )
        coded = self._payloads.build(plan, shape)
        before = prediction if plan.price.predicted.any() else None
        slices = self._slices(plan, coded.strings, header, geometry, before)
        stamp = Stamp(header.capture_time_ns)
        if before is not None:
            distance = _distance(header, before)
            stamp = before.reference.stamp.following(header.capture_time_ns, distance)
        reference = Reference(
            header.frame, plan.code, geometry, coded.symbols, told=coded.told, stamp=stamp
        )
        packets = [wire.build(_sent(piece.header, before), piece.payload) for piece in slices]
        return EncodedFrame(
            packets + build_repairs(slices, protection.repairs), reference, plan.price
        )

    def _slices(
        self,
        plan: FramePlan,
        payloads: Sequence[bytes],
        header: wire.Header,
        geometry: wire.Geometry,
        prediction: Prediction | None,
    ) -> list[wire.Packet]:
        """Headers, with absolute capture times, and payloads with their heads."""
        intra_head = build_intra_head(geometry, header.version)
        slices = []
        for number, payload in enumerate(payloads):
            own, head = replace(header, slice=number), intra_head
            if plan.price.predicted[number]:
                assert prediction is not None
                share = plan.shares[number] if plan.skip else 0
                bits, head = self._head(header.version, geometry.origin, prediction, share)
                distance = _distance(header, prediction)
                own = replace(own, reference=distance, head_bits=bits)
            slices.append(wire.Packet(own, head + payload))
        return slices

    def _head(
        self, version: int, origin: tuple[int, int], prediction: Prediction, share: int
    ) -> tuple[int, bytes]:
        """The head of a predicted slice: bits of its header, of version 4, and what follows."""
        if version < wire.SKIP_VERSION:
            return 0, head_of(version, origin, prediction, self._checkpoint_id)
        digest = version4.reference_hash(prediction.reference.digest, self._checkpoint_id)
        return version4.build_head(PredictedHead(origin, prediction.motion, digest), share)


def _version(plan: FramePlan) -> int:
    if plan.skip:
        return wire.SKIP_VERSION
    if plan.learned:
        return wire.LEARNED_VERSION
    return 2 if plan.moved or plan.price.predicted.any() else 1


def _distance(header: wire.Header, prediction: Prediction) -> int:
    """How many frames before this one the reference is."""
    return (header.frame - prediction.reference.frame) & 0xFFFF


def _sent(header: wire.Header, prediction: Prediction | None) -> wire.Header:
    """The header as it travels."""
    if prediction is None or not header.is_compact:
        return header
    return relative(header, prediction.reference.stamp)


def check_geometry(
    latent: npt.NDArray[np.float32], geometry: wire.Geometry, prediction: Prediction | None
) -> None:
    """Raise ParameterError if a latent (C, h, w) cannot be that of a frame of these sizes."""
    width, height = geometry.encoded_size
    if max(geometry.encoded_size) > wire.MAX_ENCODED_SIDE:
        raise ParameterError(
            f"frame of {width}x{height} pixels; at most {wire.MAX_ENCODED_SIDE} a side can be "
            "encoded"
        )
    if geometry.latent_shape != latent.shape[1:]:
        raise ParameterError(
            f"latent of {latent.shape[1:]} positions for an image of {width}x{height}; "
            f"expected {geometry.latent_shape}"
        )
    if prediction is not None:
        known = prediction.reference.geometry
        sizes = (known.encoded_size, known.source_size)
        if sizes != (geometry.encoded_size, geometry.source_size):
            raise ParameterError(
                f"a frame of {width}x{height} cannot be predicted from one of another size"
            )
