# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of numbers that wrap around: frame numbers, feedback numbers, microseconds."""

from __future__ import annotations


def wrapped_difference(a: int, b: int, bits: int = 16) -> int:
    """``a - b`` for counters that wrap at ``2**bits``, in ``[-2**(bits-1), 2**(bits-1))``."""
    half = 1 << (bits - 1)
    return ((a - b + half) & ((1 << bits) - 1)) - half
