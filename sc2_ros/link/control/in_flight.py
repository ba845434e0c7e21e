# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many bytes may join those in flight so that a frame still arrives in time.

The queueing delay of the next packet is forecast from what is known to be before it: Sprout's
forecast (Winstein, Sivaraman and Balakrishnan, NSDI 2013, section 3.3) for a capacity that lasts,
and the in-flight limit of SCReAM (RFC 8298, section 4.1.2.1) as a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sc2_ros.link.sender_log import LinkEstimate


@dataclass(frozen=True)
class InFlightConstants:
    """How long a frame may queue."""

    most_wait_s: float = 0.08
    """Seconds. A frame that would queue for longer is made smaller or skipped (chosen on recorded
    uplinks, seeds 0 to 2)."""
    latency_wait_s: float = 0.05
    """Seconds. The same with ``rate.prefer: latency``."""
    first_s: float = 0.15
    """Seconds of the first target that may be in flight before anything is heard: 3.75 kB (TCP's
    initial window, RFC 3390, is 4 kB)."""
    window_s: float = 0.35
    """Seconds. The capacity is a rate over so long; a silence that follows makes the window longer
    and the rate lower. As long as the sender log's."""
    most_silent_s: float = 1.0
    """Seconds. What is overdue for longer was lost, or is the stall probe's business."""


IN_FLIGHT = InFlightConstants()


def expected_queue_s(
    clear_s: float | None, in_flight_bytes: float, capacity_bps: float, now_s: float
) -> float:
    """Queueing delay of the next packet, seconds.

    ``clear_s`` is when the newest packet that came had passed the bottleneck, were there no
    propagation delay; the bytes sent after it pass at ``capacity_bps``, and the next one after
    them.
    """
    if clear_s is None or in_flight_bytes <= 0:
        return 0.0
    if capacity_bps <= 0:
        return math.inf
    return max(0.0, clear_s + in_flight_bytes * 8 / capacity_bps - now_s)


def cautious_bps(
    target_bps: float, passed_bps: float | None, unsteadiness: float, floor_bps: float
) -> float:
    """The capacity to reckon with: on an unsteady link no more than passed last."""
    if not passed_bps:
        return target_bps
    least_bps = min(target_bps, max(passed_bps, floor_bps))
    return target_bps + unsteadiness * (least_bps - target_bps)


def room_bytes(
    estimate: LinkEstimate, waiting_bytes: float, capacity_bps: float, most_s: float, now_s: float
) -> float:
    """Bytes that may join those that wait and still queue for less than ``most_s`` seconds."""
    silent_s = estimate.overdue_s - estimate.queue_s
    if 0 < silent_s < IN_FLIGHT.most_silent_s:
        capacity_bps *= IN_FLIGHT.window_s / (IN_FLIGHT.window_s + silent_s)
    wait_s = expected_queue_s(estimate.clear_s, waiting_bytes, capacity_bps, now_s)
    return (most_s - wait_s) * capacity_bps / 8
