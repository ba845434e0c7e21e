# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The SC2 benchmark's hyperprior bottlenecks: Matsubara et al., TMLR 2023 (arXiv:2203.08875).

Encoder and decoder of the Entropic Student; only the prior differs (section 4, SHP and MSHP).
"""

from __future__ import annotations

from sc2_ros.papers.entropic_student import bottleneck as es
from sc2_ros.split.backbones import Backbone
from sc2_ros.split.bottleneck import Bottleneck
from sc2_ros.split.priors import HyperPrior


def build_scale(backbone: Backbone, channels: int = 24, hyper_channels: int = 16) -> Bottleneck:
    """With a scale hyperprior."""
    return _build(backbone, channels, HyperPrior(channels, hyper_channels))


def build_mean_scale(
    backbone: Backbone, channels: int = 24, hyper_channels: int = 16
) -> Bottleneck:
    """With a mean-scale hyperprior."""
    return _build(backbone, channels, HyperPrior(channels, hyper_channels, means=True))


def _build(backbone: Backbone, channels: int, prior: HyperPrior) -> Bottleneck:
    return Bottleneck(
        es.encoder(channels),
        prior,
        es.decoder(channels, backbone.channels[0]),
        split=1,
        stride=es.STRIDE,
        cut=es.CUT,
    )
