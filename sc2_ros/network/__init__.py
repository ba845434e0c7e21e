# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Torch modules: onboard encoder, bottleneck, ground backbone and heads."""
