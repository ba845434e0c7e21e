# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bottleneck in place of a backbone's first stages: encoder, prior, decoder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from sc2_ros.errors import InputError, PacketError
from sc2_ros.split.priors import Prior, fit_size

MAX_PIXELS = 1 << 23
"""Of an image: 3840 x 2160 fits. Whatever size a packet claims is worked through in full."""


class Bottleneck(nn.Module):
    """What the papers put between camera and ground, in one shape.

    ::

        image (B, 3, H, W) --encoder--> latent (B, C, H/stride - cut, ...)
                                          | prior: bits; noise in training, rounding afterwards
                           <--decoder-- latent
        features (B, C', h, w) as the backbone has them behind its first `split` stages

    `encoder` and `prior` fly. A subclass, or a function that returns one of these, becomes a
    bottleneck that `sc2 train` knows by name: see registry.py.
    """

    never_trained: tuple[str, ...] = ()
    """Names of parts that keep their weights in every stage of every recipe."""

    def __init__(
        self,
        encoder: nn.Module,
        prior: Prior,
        decoder: nn.Module,
        *,
        split: int,
        stride: int,
        cut: int = 0,
    ) -> None:
        """split: stages replaced; stride, cut: latent side = image side / stride - cut."""
        super().__init__()
        self.encoder, self.prior, self.decoder = encoder, prior, decoder
        self.split, self.stride, self.cut = split, stride, cut

    def forward(self, image: Tensor, *, noise: bool = True) -> tuple[Tensor, Tensor]:
        """Image (B, 3, H, W) in [0, 1] -> features (B, C', h, w), bits (B,).

        noise: additive noise for the rate (stage 1); else rounded latents without a gradient to
        the encoder, as the ground gets them (stage 2).
        """
        latent = self.encoder(image)
        with torch.autocast(image.device.type, enabled=False):
            y_hat, bits = self.prior(latent)
            if not noise:
                y_hat = self.prior.quantise(latent).detach()
        return self._synthesis(y_hat, image), bits

    def _synthesis(self, latent: Tensor, image: Tensor) -> Tensor:
        return self.decode(latent, (image.shape[2], image.shape[3]))

    def decode(self, latent: Tensor, size: tuple[int, int]) -> Tensor:
        """Latent of an image of that height and width -> features at stride 2^(split + 1)."""
        stride = 2 ** (self.split + 1)
        return fit_size(self.decoder(latent), (size[0] // stride, size[1] // stride))

    @torch.inference_mode()
    def compress(self, image: Tensor) -> list[bytes]:
        """One image (1, 3, H, W) -> the strings that fly; nothing but encoder and prior is used.

        Raises:
            InputError: the image is larger than what decoders accept.
        """
        if image.shape[2] * image.shape[3] > MAX_PIXELS:
            raise InputError(
                f"an image of {image.shape[3]} x {image.shape[2]}: split networks take at most "
                f"{MAX_PIXELS} pixels; make it smaller"
            )
        return self.prior.compress(self.encoder(image))

    @torch.inference_mode()
    def decompress(self, strings: Sequence[bytes], size: tuple[int, int]) -> Tensor:
        """Strings of an image of that height and width -> features (1, C', h, w).

        Raises:
            PacketError: the strings do not fit.
        """
        height, width = (side // self.stride - self.cut for side in size)
        if min(height, width) < 1 or size[0] * size[1] > MAX_PIXELS:
            raise PacketError(f"an image of {size[1]} x {size[0]}; at most {MAX_PIXELS} pixels")
        return self.decode(self.prior.decompress(strings, (height, width)), size)

    @torch.inference_mode()
    def fit(self, images: Iterable[Tensor]) -> None:
        """Make the coding tables, once training is over, from images (1, 3, H, W)."""
        self.prior.fit(self.encoder(image) for image in images)


class Normalise(nn.Module):
    """[0, 1] to ImageNet's mean and spread, as the papers feed their encoders."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) -> the same shape."""
        return (image - self.mean) / self.std
