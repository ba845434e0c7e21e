# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our latents by codecs that were not made for them: the feature baselines of SC2.

::

    feature-jpeg:Q    latent (C, h, w) x gain -> 8 bits -> mosaic of C tiles -> JPEG -> packets
    feature-webp:Q    the same with WebP
    crbq:K            latent -> K principal channels -> 8 bits each, no entropy coding -> packets

Both after Matsubara et al., "SC2 Benchmark: Supervised Compression for Split Computing" (TMLR
2023); channel reduction and bottleneck quantisation (CR+BQ) there with a network trained for K,
here with the principal components of a finished one.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.codec.wire import Geometry
from sc2_ros.errors import InputError, PacketError
from sc2_ros.evaluation.systems import chunks
from sc2_ros.evaluation.systems.image_codecs import ImageCodec
from sc2_ros.evaluation.systems.image_network import WholeNetwork
from sc2_ros.evaluation.systems.system import Outputs
from sc2_ros.network import imaging

Latent = NDArray[np.float32]
_SCALE = struct.Struct("<f")
_RANGE = 99.9  # percent of the training values that 8 bits cover


class _FeatureSystem:
    """Encoder on the drone, ground network below; what is between them is the subclass's."""

    name: str
    setting: str
    image_classes: tuple[str, ...] = ()

    def __init__(self, checkpoint: Checkpoint, *, mask: bool, device: str) -> None:
        self._network = WholeNetwork(checkpoint, mask=mask, device=device)
        self.detection_classes = self._network.detection_classes
        self.mask_classes = self._network.mask_classes
        self._encoder, self._device = checkpoint.encoder, device
        self._gain = checkpoint.tables.gains[-1][:, None, None].astype(np.float32)
        self._id, self._frame = checkpoint.id, 0

    def encode(self, image: NDArray[np.uint8]) -> list[bytes]:
        """Image to packets."""
        size = (image.shape[1], image.shape[0])
        payload = self._pack(latent_of(self._encoder, image, self._device))
        self._frame += 1
        return chunks.split(
            payload, Geometry(size, size), checkpoint_id=self._id, frame=self._frame
        )

    def decode(self, packets: Sequence[bytes]) -> Outputs:
        """Packets to answers; nothing where one is missing."""
        try:
            payload, geometry = chunks.join(packets, self._id)
            latent = self._unpack(payload, geometry.latent_shape)
        except (PacketError, InputError, OSError, ValueError):
            return Outputs()
        return self._network.decode(torch.from_numpy(latent)[None], geometry.encoded_size)

    def _pack(self, latent: Latent) -> bytes:
        raise NotImplementedError

    def _unpack(self, payload: bytes, shape: tuple[int, int]) -> Latent:
        raise NotImplementedError


class MosaicSystem(_FeatureSystem):
    """Channels as tiles of one grey picture, by an image codec.

    Each channel is weighted by its gain at the highest rate, so that a grey level means as much in
    every tile; one scale per frame goes along as a float32.
    """

    def __init__(
        self, checkpoint: Checkpoint, codec: ImageCodec, *, mask: bool = True, device: str = "cpu"
    ) -> None:
        """codec: of the mosaic."""
        super().__init__(checkpoint, mask=mask, device=device)
        family, _, self.setting = codec.name.partition(":")
        self.name, self._codec = f"feature-{family}", codec

    def _pack(self, latent: Latent) -> bytes:
        weighted = latent * self._gain
        scale = float(np.abs(weighted).max()) / 127 or 1.0
        levels = (np.rint(weighted / scale) + 128).astype(np.uint8)
        return _SCALE.pack(scale) + self._codec.encode(mosaic(levels))

    def _unpack(self, payload: bytes, shape: tuple[int, int]) -> Latent:
        (scale,) = _SCALE.unpack_from(payload)
        picture = self._codec.decode(payload[_SCALE.size :])
        picture = picture if picture.ndim == 2 else picture[..., 1]  # WebP has no grey
        levels = tiles(picture, len(self._gain), shape).astype(np.float32) - 128
        latent: Latent = levels * np.float32(scale) / self._gain
        return latent


@dataclass(frozen=True)
class Reduction:
    """Channels (C,) to K and back: `basis` (C, K) orthonormal, `middle` (C,), `reach` (K,)."""

    basis: Latent
    middle: Latent
    reach: Latent


class ReducedSystem(_FeatureSystem):
    """CR+BQ: the K strongest directions of the channels, one byte each."""

    name = "crbq"

    def __init__(
        self,
        checkpoint: Checkpoint,
        channels: int,
        images: Iterable[NDArray[np.uint8]],
        *,
        mask: bool = True,
        device: str = "cpu",
    ) -> None:
        """channels: K; images: of the training split, to find the directions and their range."""
        super().__init__(checkpoint, mask=mask, device=device)
        self.setting = str(channels)
        latents = [latent_of(self._encoder, image, device) * self._gain for image in images]
        self._reduction = reduction(latents, channels)

    def _pack(self, latent: Latent) -> bytes:
        kept = self._reduction
        channels = (latent * self._gain).reshape(len(self._gain), -1) - kept.middle[:, None]
        levels = np.rint(kept.basis.T @ channels / kept.reach[:, None] * 127)
        payload: bytes = (levels.clip(-127, 127) + 128).astype(np.uint8).tobytes()
        return payload

    def _unpack(self, payload: bytes, shape: tuple[int, int]) -> Latent:
        kept = self._reduction
        levels = np.frombuffer(payload, np.uint8).reshape(len(kept.reach), -1).astype(np.float32)
        values = (levels - 128) / 127 * kept.reach[:, None]
        weighted = kept.basis @ values + kept.middle[:, None]
        latent: Latent = weighted.reshape(-1, *shape) / self._gain
        return latent.astype(np.float32)


def reduction(latents: Sequence[Latent], channels: int) -> Reduction:
    """Principal components of latents (C, h, w) over all positions."""
    if not latents:
        raise InputError("no training images to find the principal channels on")
    values = np.concatenate([latent.reshape(len(latent), -1) for latent in latents], 1)
    middle = values.mean(1)
    centred = values - middle[:, None]
    _, basis = np.linalg.eigh(centred @ centred.T)
    basis = basis[:, ::-1][:, :channels].astype(np.float32)
    reach = np.percentile(np.abs(basis.T @ centred), _RANGE, axis=1).astype(np.float32)
    return Reduction(basis, middle.astype(np.float32), np.maximum(reach, 1e-6))


@torch.inference_mode()
def latent_of(encoder: torch.nn.Module, image: NDArray[np.uint8], device: str) -> Latent:
    """Image to latent (C, h, w) float32."""
    latent: Latent = encoder(imaging.to_tensor(image, device))[0].float().cpu().numpy()
    return latent


def mosaic(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(C, h, w) to one picture of nearly as many rows as columns of tiles, the last ones 128."""
    count, height, width = levels.shape
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    padded = np.full((rows * columns, height, width), 128, np.uint8)
    padded[:count] = levels
    grid = padded.reshape(rows, columns, height, width).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(grid.reshape(rows * height, columns * width))


def tiles(picture: NDArray[np.uint8], count: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The inverse of `mosaic`: (count, h, w)."""
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    grid = picture.reshape(rows, shape[0], columns, shape[1]).transpose(0, 2, 1, 3)
    return grid.reshape(rows * columns, *shape)[:count]
