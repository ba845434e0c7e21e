# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of numbers that wrap around: frame numbers, feedback numbers, microseconds."""

from __future__ import annotations

RESTART_FRAMES = 64
"""A frame this far behind the newest one is no straggler: the sender has started again."""
MOST_FRAMES_AHEAD = 1000
"""A frame further ahead of the newest one does not go on from it: the sender has started again."""


def wrapped_difference(a: int, b: int, bits: int = 16) -> int:
    """``a - b`` for counters that wrap at ``2**bits``, in ``[-2**(bits-1), 2**(bits-1))``."""
    half = 1 << (bits - 1)
    return ((a - b + half) & ((1 << bits) - 1)) - half


def has_restarted(
    frame: int, capture_time_ns: int, newest_frame: int, newest_capture_time_ns: int
) -> bool:
    """Whether a packet shows that its sender counts its frames anew.

    A straggler is a little older in both number and capture time. A number that is far behind or
    far ahead, or behind with a newer capture time, comes from a sender that has started again.
    """
    ahead = wrapped_difference(frame, newest_frame)
    if not -RESTART_FRAMES < ahead <= MOST_FRAMES_AHEAD:
        return True
    return ahead < 0 and capture_time_ns > newest_capture_time_ns
