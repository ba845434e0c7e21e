# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encoders that make themselves real-time.

SVT-AV1, run as root, gives the calling thread SCHED_FIFO priority 99 and leaves it there: whatever
this process does afterwards then starves every other process of the machine.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def scheduling_restored() -> Iterator[None]:
    """Put the calling thread's scheduling policy and priority back at the end (Linux)."""
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, parameters)
