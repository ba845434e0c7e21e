# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A planned frame to the packets that go on the wire."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sc2_ros.codec import packet as wire
from sc2_ros.codec.payloads import PayloadBuilder
from sc2_ros.codec.plan import FramePlan, FramePrice, Protection
from sc2_ros.codec.prediction import Prediction
from sc2_ros.codec.references import Reference
from sc2_ros.codec.repair import build_repairs
from sc2_ros.codec.version2 import build_intra_head
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
        version = 2 if plan.moved or plan.price.predicted.any() else 1
        if plan.learned:
            version = wire.LEARNED_VERSION
        header = replace(
            header,
            rows=plan.grid.rows,
            cols=plan.grid.cols,
            rate_code=plan.code,
            version=version,
        )
        heads = [build_intra_head(geometry, version)]
        distances = [0]
        if prediction is not None:
            heads.append(head_of(version, geometry.origin, prediction, self._checkpoint_id))
            distances.append((header.frame - prediction.reference.frame) & 0xFFFF)
        sent, payloads = self._payloads.build(plan, shape)
        packets = [
            wire.build(
                replace(header, slice=number, reference=distances[predicted]),
                heads[predicted] + payload,
            )
            for number, (predicted, payload) in enumerate(
                zip(plan.price.predicted.astype(int), payloads, strict=True)
            )
        ]
        reference = Reference(header.frame, plan.code, geometry, sent)
        return EncodedFrame(
            packets + build_repairs(packets, protection.repairs), reference, plan.price
        )


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
