# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one shape of a result: what `sc2 evaluate --json` writes."""

from __future__ import annotations

from typing import TypedDict


class Row(TypedDict):
    """One system at one setting over one split.

    `rate_index` is None for systems that have none. `bytes_per_frame` is what went on the wire.
    Accuracies are in [0, 1], None where the data set has no truth for them.
    """

    system: str
    rate_index: float | None
    loss: float
    frames: int
    bytes_per_frame: float
    ap50: dict[str, float | None]
    mean_ap50: float | None
    miou: float | None
