# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a message came: by the middleware where it says so, else by when it was handed over.

A packet that waits for the executor would otherwise look like one that waits on the link. Fast DDS
tells when its own thread received a sample, Cyclone DDS when it was taken; Cyclone's Python binding
and ROS 2 Humble tell nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sc2_ros.runtime.ros import TELLS_ARRIVAL

MOST_WAIT_S = 1.0
"""What lies further back is no wait for the executor: the system's clock was set."""


def timed(take: Callable[[Any, float], None]) -> Callable[..., None]:
    """The callback for a subscription that hands on messages with their arrival.

    Args:
        take: gets (message, arrival by `time.monotonic`).
    """
    if not TELLS_ARRIVAL:
        return lambda message: take(message, time.monotonic())

    # rclpy looks at the signature: only with two arguments is the second one given.
    def with_info(message: Any, info: Mapping[str, int]) -> None:
        take(message, arrival_s(info["received_timestamp"], time.time_ns(), time.monotonic()))

    return with_info


def arrival_s(received_ns: int, now_ns: int, now_s: float) -> float:
    """When something came by `time.monotonic`, of the system clock's time of its arrival.

    Args:
        received_ns: the system clock's time of arrival, nanoseconds; 0 where it is not known.
        now_ns: the system clock now, nanoseconds.
        now_s: `time.monotonic` now, seconds.
    """
    waited_s = (now_ns - received_ns) / 1e9
    return now_s - waited_s if 0 <= waited_s <= MOST_WAIT_S else now_s
