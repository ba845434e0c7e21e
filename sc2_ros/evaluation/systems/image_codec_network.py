# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The baseline `compressai:Q`: a factorised-prior codec trained here, as an image codec."""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.checkpoint import models_folders
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.evaluation.systems.image_codecs import ImageCodec
from sc2_ros.network import imaging, weights
from sc2_ros.network.image_codec import LAMBDAS, FactorisedImageCodec

KIND = "image_codec"
_SIZE = struct.Struct("<HH")


class CompressaiCodec(ImageCodec):
    """One quality of the network; four bytes of width and height before its string."""

    def __init__(self, name: str, quality: int, network: FactorisedImageCodec) -> None:
        """quality: 1 (worst) to the number of LAMBDAS."""
        super().__init__(name, quality)
        self._network = network

    def encode(self, image: NDArray[np.uint8]) -> bytes:
        """Image to width, height and string."""
        height, width = image.shape[:2]
        string = self._network.compress(imaging.to_tensor(image), self.quality - 1)
        return _SIZE.pack(width, height) + string

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """The image in RGB."""
        width, height = _SIZE.unpack_from(data)
        padded = (height + -height % imaging.STRIDE, width + -width % imaging.STRIDE)
        image = self._network.decompress(data[_SIZE.size :], self.quality - 1, padded)
        pixels = (image[0, :, :height, :width] * 255).round().byte()
        return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())


def weights_file(kind: str) -> Path:
    """Where the weights of a baseline are: with the shipped models, else in runs/KIND."""
    places = [folder / "baselines" / f"{kind}.safetensors" for folder in models_folders()]
    places.append(Path("runs") / kind / f"{kind}.safetensors")
    for place in places:
        if place.is_file():
            return place
    raise CheckpointError(
        f"no weights {kind}.safetensors in {places[0].parent} or {places[-1].parent}; "
        f"make them: sc2 train {kind}"
    )


def parse_codec(text: str) -> CompressaiCodec | None:
    """Make a codec from "compressai:3"; None for another codec.

    Raises ParameterError for a quality out of range, CheckpointError where there are no weights.
    """
    name, _, quality = text.partition(":")
    if name != "compressai":
        return None
    if not quality.isdecimal() or not 1 <= int(quality) <= len(LAMBDAS):
        raise ParameterError(
            f"'{text}' is not a baseline: use compressai:Q, Q from 1 to {len(LAMBDAS)}"
        )
    return CompressaiCodec(f"compressai:{int(quality)}", int(quality), _network())


@lru_cache(maxsize=1)
def _network() -> FactorisedImageCodec:
    state, _ = weights.load(weights_file(KIND), KIND)
    network = FactorisedImageCodec()
    network.load_state_dict(state)
    network.eval().requires_grad_(False)
    network.update()
    with torch.no_grad():
        return network
