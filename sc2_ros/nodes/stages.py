# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When frames passed the stages of a node, and how long each stage takes lately.

    captured  received  encoding  coded  first_sent  last_sent                     the drone
        |- camera -|- wait -|- encode -|----- pace -----|
    first_packet  last_packet  decoded  network  seen                              the ground
                        |- decode -|- wait -|- network -|

Times are `time.monotonic` of this computer. In messages they are milliseconds after the camera's
stamp, comparable between two computers as far as their clocks agree.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

ONBOARD_STAGES = {
    "camera": ("captured", "received"),
    "wait": ("received", "encoding"),
    "encode": ("encoding", "coded"),
    "pace": ("coded", "last_sent"),
}
GROUND_STAGES = {
    "decode": ("last_packet", "decoded"),
    "wait": ("decoded", "network"),
    "network": ("network", "seen"),
    "age": ("captured", "seen"),
}
REMEMBERED = 150
"""Frames on which the percentiles rest: ten seconds at 15 frames/s."""
OLDEST_S = 60.0
"""An older stamp is of another clock: a bag's, or none."""


class StageTimes:
    """The durations of a node's stages over the last frames.

    Args:
        stages: of each, the event that begins it and the one that ends it.
    """

    def __init__(self, stages: Mapping[str, tuple[str, str]]) -> None:
        self._stages = stages
        self._ms: dict[str, deque[float]] = {name: deque(maxlen=REMEMBERED) for name in stages}

    def add(self, times: Mapping[str, float]) -> None:
        """Enter a frame, event -> seconds; a stage one of whose events is missing is left out."""
        for name, (first, last) in self._stages.items():
            if first in times and last in times:
                self._ms[name].append((times[last] - times[first]) * 1e3)

    def values(self) -> dict[str, object]:
        """Median and 95th percentile of each stage in milliseconds, for /diagnostics."""
        values: dict[str, object] = {}
        for name, spent in self._ms.items():
            if spent:
                p50, p95 = np.percentile(list(spent), [50, 95])
                values[f"{name}_p50_ms"], values[f"{name}_p95_ms"] = f"{p50:.1f}", f"{p95:.1f}"
        return values


def captured(stamp_ns: int, ros_now_ns: int, now_s: float) -> dict[str, float]:
    """When an image was taken, by `time.monotonic`; empty if its stamp is of another clock.

    Args:
        stamp_ns: the camera's.
        ros_now_ns: now, by the node's clock.
        now_s: the same moment by `time.monotonic`.
    """
    age_s = (ros_now_ns - stamp_ns) / 1e9
    return {"captured": now_s - age_s} if -OLDEST_S < age_s < OLDEST_S else {}


def after_capture(times: Mapping[str, float]) -> dict[str, str]:
    """Event -> seconds as `EVENT_at_ms`, milliseconds after the capture; empty if it has none."""
    if "captured" not in times:
        return {}
    zero_s = times["captured"]
    return {
        f"{event}_at_ms": f"{(time_s - zero_s) * 1e3:.1f}"
        for event, time_s in times.items()
        if event != "captured"
    }
