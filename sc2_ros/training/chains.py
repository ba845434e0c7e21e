# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Three frames in a row as the codec would have them: what the last one is predicted from is real.

::

    frame 0 -> keyframe symbols --motion--> frame 1 -> predicted symbols, map --motion--> frame 2

A reference's symbols are not those of its own picture alone: most positions stayed as they were in
the frame before, and which did not is part of what the next frame is predicted from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.codec.frame.planner import Planner
from sc2_ros.codec.frame.reference import Prediction, Reference, predict, predicted_symbols
from sc2_ros.codec.frame.symbols import Rounded, choose_coded, round_latent
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire import RATE_CODES, Geometry, Motion
from sc2_ros.network import imaging
from sc2_ros.onboard import motion
from sc2_ros.training.pairs import Pair, bounded, random_origin

_CODE_SPREAD = 4.0
_KEYFRAME_SHARE = 0.2
"""Of the references."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Latents (C, h, w) of frames in a row, where their grids lie, and how each moved.

    motions: of frame 1 against 0, of 2 against 1.
    """

    latents: list[NDArray[np.float32]]
    geometries: list[Geometry]
    motions: list[Motion]


@torch.inference_mode()
def encoded_chain(encoder: torch.nn.Module, frames: Pair, rng: np.random.Generator) -> Chain:
    """Frames as the drone would encode them, on a grid that begins anywhere."""
    images = [bounded(image) for image in frames]
    height, width = images[0].shape[:2]
    geometries = [Geometry((width, height), (width, height), random_origin(rng))]
    motions = []
    for before, after in pairwise(images):
        similarity = motion.estimate(motion.thumbnail(before), motion.thumbnail(after))
        origin, moved = motion.align(similarity, geometries[-1])
        geometries.append(Geometry((width, height), (width, height), origin))
        motions.append(moved)
    latents = [
        encoder(imaging.to_tensor(image, origin=geometry.origin))[0].float().numpy()
        for image, geometry in zip(images, geometries, strict=True)
    ]
    return Chain(latents, geometries, motions)


class ChainCoder:
    """Chooses symbols of chains before there is a skip network: by the prices of keyframes."""

    def __init__(
        self,
        tables: CodingTables,
        rdoq_lambda: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    ) -> None:
        """tables: with the network of keyframes; rdoq_lambda: as of FrameEncoder."""
        self._tables, self._lambda = tables, rdoq_lambda
        self._planner = Planner(tables)

    def prediction(self, chain: Chain, code: int, rng: np.random.Generator) -> Prediction:
        """Of the last frame, at a rate code; the frames before it have it or one nearby."""
        other = code if rng.random() < 0.5 else round(code + rng.normal(0, _CODE_SPREAD))
        other = int(np.clip(other, 0, RATE_CODES - 1))
        first = 1 if rng.random() < _KEYFRAME_SHARE else 0
        symbols = self._keyframe(self.rounded(chain.latents[first], other), other)
        coded = np.ones(symbols.shape[1:], np.bool_)
        reference = Reference(0, other, chain.geometries[first], symbols, coded)
        for number in range(first + 1, 2):
            before = _predicted(chain, number, reference)
            symbols, coded = self.chosen(chain.latents[number], other, before)
            reference = Reference(0, other, chain.geometries[number], symbols, coded)
        return _predicted(chain, 2, reference)

    def chosen(
        self, latent: NDArray[np.float32], code: int, prediction: Prediction
    ) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        """Symbols (C, h, w) and map (h, w) of a predicted frame."""
        count = self._tables.context.at(code).count
        rounded = self.rounded(latent, code)
        expected = predicted_symbols(prediction, code, self._tables.integer_gains, count)
        expected = expected[:, :count]
        coded = choose_coded(
            rounded.exact[:count].reshape(count, -1).T,
            rounded.symbols[:count].reshape(count, -1).T.astype(np.int32),
            expected,
            rounded.rdoq_lambda.reshape(-1),
        ).reshape(latent.shape[1:])
        skipped = np.zeros(latent.shape, np.int8)
        skipped[:count] = expected.T.reshape(count, *latent.shape[1:])
        return np.where(coded, self._keyframe(rounded, code), skipped), coded

    def rounded(self, latent: NDArray[np.float32], code: int) -> Rounded:
        """The latent at a rate code, with what a bit is worth at each position."""
        return round_latent(latent, self._tables.gains[code], self._lambda(latent))

    def _keyframe(self, rounded: Rounded, code: int) -> NDArray[np.int8]:
        """Symbols of a keyframe."""
        return self._planner.intra(rounded, code, Grid(1, 1, *rounded.symbols.shape[1:])).symbols


def _predicted(chain: Chain, number: int, reference: Reference) -> Prediction:
    """What a reference, frame `number` - 1 of a chain, predicts of the next."""
    return predict(reference, chain.motions[number - 1], *chain.latents[number].shape[1:])
