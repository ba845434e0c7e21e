# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the time between capture and result goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

EVENTS = (
    "captured", "received", "encoding", "coded", "last_sent", "last_packet", "decoded",
    "network", "seen", "result",
)  # fmt: skip
"""What happens to a frame, in order; all but the ends are in the nodes' `frame_info`."""
STAGES = ("camera", "wait", "encode", "pace", "link", "decode", "queue", "network", "publish")
"""Stage i lies between event i and the next one. `decode` holds the wait for missing packets,
`link` begins when the last packet leaves the drone."""


def stage_times(events: Mapping[str, float]) -> dict[str, float] | None:
    """Milliseconds of each stage of a frame; None if an event is missing.

    Args:
        events: event -> milliseconds after the capture.
    """
    if any(event not in events for event in EVENTS[1:]):
        return None
    times = [0.0, *(events[event] for event in EVENTS[1:])]
    return {
        stage: after - before
        for stage, (before, after) in zip(STAGES, pairwise(times), strict=True)
    }


def events_of(values: Iterable[tuple[str, str]]) -> dict[str, float]:
    """The events in the key-value pairs of a `frame_info`, milliseconds after the capture."""
    ending = "_at_ms"
    return {key.removesuffix(ending): float(value) for key, value in values if key.endswith(ending)}
