# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long a frame would queue if it left now."""

from __future__ import annotations

import math


def expected_queue_s(
    clear_s: float | None, in_flight_bytes: float, capacity_bps: float, now_s: float
) -> float:
    """Queueing delay of the next packet, seconds, from what is known to be before it.

    ``clear_s`` is when the newest packet that came had passed the bottleneck, were there no
    propagation delay; the bytes sent after it pass at ``capacity_bps``, and the next one after
    them. It is the forecast of Sprout (Winstein et al., NSDI 2013, section 3.3) for a capacity that
    is taken to last, and the in-flight limit of SCReAM (RFC 8298, section 4.1.2.1) as a time.
    """
    if clear_s is None or in_flight_bytes <= 0:
        return 0.0
    if capacity_bps <= 0:
        return math.inf
    return max(0.0, clear_s + in_flight_bytes * 8 / capacity_bps - now_s)
