# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of a simulated run: utilisation, queueing delay, loss, reaction times, latency.

Every figure is taken at the bottleneck or at the ground, none from the controller's own belief.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from sc2_ros.link.rate import RATE_CODES
from sc2_ros.link.sim.scenarios import Run
from sc2_ros.link.sim.simulator import FrameRecord, SentRecord, merged

WARM_UP_S = 10.0
"""Utilisation counts from here: before, the controller does not know the link yet."""
SLOT_S = 0.5
DRAINED_S = 0.06
"""A queue no longer than the goal for the 95th percentile counts as drained."""
ONBOARD_S = 0.03
"""Encoder and coder of a small computer; latencies include it, as they do `GROUND_S`."""
_BIN_S = 0.1


def summarise(run: Run, name: str) -> dict[str, Any]:
    """What `benchmarks/link.py` writes; queueing delay is of our packets behind our own."""
    packets = merged(run.logs)
    frames = [frame for log in run.logs for frame in log.frames]
    passed = [packet for packet in packets if not packet.dropped]
    waits_ms = [packet.wait_s * 1e3 for packet in passed]
    spec = run.link.spec
    shown = [frame for frame in frames if frame.shown_s < math.inf]
    latencies_ms = [(frame.shown_s - frame.captured_s + ONBOARD_S) * 1e3 for frame in shown]
    on_air = spec.loss + spec.burst_loss - spec.loss * spec.burst_loss
    return {
        "scenario": name,
        "utilisation": _round(utilisation(run, passed)),
        "queue_delay_ms": percentiles(waits_ms),
        "own_loss": _round(1 - len(passed) / len(packets)) if packets else None,
        "random_loss": _round(on_air),
        "frames_sent": sum(log.frames_sent for log in run.logs),
        "frames_decoded": len(frames),
        "frames_shown": len(shown),
        "bytes": sum(packet.size_bytes for packet in packets),
        "reaction_s": reactions(run, packets, passed, frames),
        "latency_ms": percentiles(latencies_ms),
        "value": _round(value(run, frames)),
        "flows_kbps": [
            round(sum(p.size_bytes for p in log.packets if not p.dropped) * 8e-3 / run.seconds, 1)
            for log in run.logs
        ],
        "tcp_kbps": [
            round(sum(size for _, size in flow.sent) * 8e-3 / run.seconds, 1) for flow in run.tcp
        ],
        "shares_kbps": shares_kbps(run),
    }


def utilisation(run: Run, passed: Sequence[SentRecord]) -> float | None:
    """Bytes through the bottleneck over what it could carry and the content could fill."""
    first_s = WARM_UP_S if run.seconds > 2 * WARM_UP_S else 0.0
    most = run.content.price(1, RATE_CODES) * run.fps * SLOT_S * len(run.logs)
    edges = np.arange(first_s, run.seconds + 1e-9, SLOT_S)
    could = sum(
        min(run.link.capacity_bytes(left, left + SLOT_S), most) for left in edges[:-1].tolist()
    )
    did = sum(packet.size_bytes for packet in passed if packet.time_s >= first_s)
    return min(did / could, 1.0) if could > 0 else None


def shares_kbps(run: Run) -> list[float] | None:
    """What each stream and TCP flow on the way up got while all were there, 10 s after the last.

    ``None`` where there is but one, or no such time.
    """
    flows = [
        [(packet.time_s, packet.size_bytes) for packet in log.packets if not packet.dropped]
        for log in run.logs
    ] + [flow.sent for flow in run.tcp if flow.is_uplink]
    if len(flows) < 2 or not all(flows):
        return None
    first_s = max(flow[0][0] for flow in flows) + WARM_UP_S
    last_s = min(flow[-1][0] for flow in flows)
    if last_s <= first_s:
        return None
    return [
        round(sum(s for t, s in flow if first_s <= t < last_s) * 8e-3 / (last_s - first_s), 1)
        for flow in flows
    ]


def value(run: Run, frames: Sequence[FrameRecord]) -> float:
    """Accuracy summed over the frames shown: of each as its bytes and its share that came say."""
    value_of = run.content.value
    return sum(f.share * value_of(f.size_bytes) for f in frames if f.shown_s < math.inf)


def reactions(
    run: Run,
    packets: Sequence[SentRecord],
    passed: Sequence[SentRecord],
    frames: Sequence[FrameRecord],
) -> dict[str, float | None]:
    """Worst seconds to follow a drop, to drain its queue, to follow a rise, to be back."""
    spec = run.link.spec
    drops, drains, rises, backs = [], [], [], []
    steps = list(spec.steps)
    ends = [time_s for time_s, _ in steps[1:]] + [run.seconds]
    for (_, before), (time_s, after), end_s in zip(steps[:-1], steps[1:], ends[1:], strict=True):
        if after < before:
            drops.append(_first_rate(packets, time_s, end_s, lambda rate, cap=after: rate <= cap))
            drains.append(_drained(passed, time_s, end_s))
        else:
            rises.append(
                _first_rate(passed, time_s, end_s, lambda rate, cap=after: rate >= 0.8 * cap, 0.5)
            )
    results = sorted((frame.result_s, frame.captured_s) for frame in frames)
    for _, last_s in spec.outages:
        shown = (result - last_s for result, taken in results if taken >= last_s - 1.0)
        backs.append(next((round(after_s, 3) for after_s in shown if after_s >= 0), math.inf))
    return {
        "drop": _worst(drops),
        "drain": _worst(drains),
        "rise": _worst(rises),
        "recovery": _worst(backs),
    }


def percentiles(values: Sequence[float]) -> dict[str, float | None]:
    """Median and 95th percentile."""
    if not values:
        return {"p50": None, "p95": None}
    p50, p95 = np.percentile(values, (50, 95))
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}


def _first_rate(
    packets: Sequence[SentRecord], from_s: float, end_s: float, enough: Any, window_s: float = 0.3
) -> float:
    """Seconds until the rate over a window that begins after `from_s` is as wanted."""
    times = [packet.time_s for packet in packets]
    sizes = np.concatenate([[0], np.cumsum([packet.size_bytes for packet in packets])])
    at_s = from_s + window_s
    while at_s <= end_s:
        size_bytes = sizes[bisect_left(times, at_s)] - sizes[bisect_left(times, at_s - window_s)]
        if enough(size_bytes * 8 / window_s):
            return round(at_s - from_s, 2)
        at_s += _BIN_S / 2
    return math.inf


def _drained(passed: Sequence[SentRecord], from_s: float, end_s: float) -> float:
    """Seconds from a drop to the last packet, in its first five seconds, of the queue it made."""
    late = [
        packet.time_s + packet.wait_s - from_s
        for packet in passed
        if from_s <= packet.time_s < min(end_s, from_s + 5.0) and packet.wait_s > DRAINED_S
    ]
    first_gap = 0.0
    for leaves_s in late:
        if leaves_s - first_gap > 1.0:
            break  # a second without one in between: that is another queue
        first_gap = max(first_gap, leaves_s)
    return round(first_gap, 2)


def _worst(seconds: Sequence[float]) -> float | None:
    """The largest; None where there is none or where one never came."""
    return max(seconds) if seconds and not math.isinf(max(seconds)) else None


def _round(number: float | None) -> float | None:
    return None if number is None else round(float(number), 4)
