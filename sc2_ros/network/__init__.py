# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Torch modules: onboard encoder, rate-conditioned bottleneck, ground decoder, backbone and heads."""
