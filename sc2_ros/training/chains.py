# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Three frames in a row as the codec would have them: what the last one is predicted from is real.

::

    frame 0 --whole--> symbols --motion--> frame 1 --predicted--> symbols, map --motion--> frame 2

A reference's symbols are not those of its own picture alone: most positions stayed as they were in
the frame before, and which did not is part of what the next frame is predicted from.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import LEARNED_VERSION, Geometry, origin_step
from sc2_ros.codec.prediction import Motion, Prediction, predict, said_symbols
from sc2_ros.codec.references import Reference
from sc2_ros.codec.skip import choose_told
from sc2_ros.codec.symbols import Rounded, round_latent
from sc2_ros.codec.tables import RATE_CODES, CodingTables
from sc2_ros.network import imaging
from sc2_ros.onboard import motion
from sc2_ros.training.pairs import Pair, bounded, random_origin

_CODE_SPREAD = 4.0
_WHOLE_SHARE = 0.2
"""Of references that need no other frame."""


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
    step = origin_step(LEARNED_VERSION)
    images = [bounded(image) for image in frames]
    height, width = images[0].shape[:2]
    geometries = [Geometry((width, height), (width, height), random_origin(rng, step))]
    motions = []
    for before, after in pairwise(images):
        similarity = motion.estimate(motion.thumbnail(before), motion.thumbnail(after))
        origin, moved = motion.align(similarity, geometries[-1], step)
        geometries.append(Geometry((width, height), (width, height), origin))
        motions.append(moved)
    latents = [
        encoder(imaging.to_tensor(image, origin=geometry.origin))[0].float().numpy()
        for image, geometry in zip(images, geometries, strict=True)
    ]
    return Chain(latents, geometries, motions)


class ChainCoder:
    """Chooses symbols of chains before there is a skip network: by the context network's prices."""

    def __init__(self, tables: CodingTables, codec: LatentCodec) -> None:
        """codec: of the tables, without a skip network, with the drone's choice of symbols."""
        assert tables.context is not None
        self._tables, self._codec = tables, codec
        self._gains = tables.code_gains
        self._integers = tables.context.gains

    def prediction(self, chain: Chain, code: int, rng: np.random.Generator) -> Prediction:
        """Of the last frame, at a rate code; the frames before it have it or one nearby."""
        other = code if rng.random() < 0.5 else round(code + rng.normal(0, _CODE_SPREAD))
        other = int(np.clip(other, 0, RATE_CODES - 1))
        first = 1 if rng.random() < _WHOLE_SHARE else 0
        symbols = self._codec.choose(chain.latents[first], other)
        told = np.ones(symbols.shape[1:], np.bool_)
        reference = Reference(0, other, chain.geometries[first], symbols, told=told)
        for number in range(first + 1, 2):
            before = _predicted(chain, number, reference)
            symbols, told = self.chosen(chain.latents[number], other, before)
            reference = Reference(0, other, chain.geometries[number], symbols, told=told)
        return _predicted(chain, 2, reference)

    def chosen(
        self, latent: NDArray[np.float32], code: int, prediction: Prediction
    ) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        """Symbols (C, h, w) and map (h, w) of a predicted frame."""
        assert self._tables.context is not None
        channels = self._tables.context.at(code).channels
        rounded = self.rounded(latent, code)
        flat = (len(latent), -1)
        said = said_symbols(prediction, code, self._integers, channels)
        told = choose_told(
            rounded.exact.reshape(flat)[channels].T,
            rounded.symbols.reshape(flat)[channels].T.astype(np.int32),
            said,
            rounded.refinement.reshape(-1),
        ).reshape(latent.shape[1:])
        symbols = self._codec.choose(latent, code, prediction)
        unchanged = np.zeros(symbols.shape, np.int8)
        unchanged.reshape(flat)[channels] = said.T
        return np.where(told, symbols, unchanged), told

    def rounded(self, latent: NDArray[np.float32], code: int) -> Rounded:
        """The latent at a rate code, with what a bit is worth at each position."""
        return round_latent(latent, self._gains[code], self._codec.refinement_of(latent))


def _predicted(chain: Chain, number: int, reference: Reference) -> Prediction:
    """What a reference, frame `number` - 1 of a chain, says of the next."""
    return predict(reference, chain.motions[number - 1], *chain.latents[number].shape[1:])
