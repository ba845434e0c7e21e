# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents to packets and back: slices, choice of symbols, prediction, rate search."""
