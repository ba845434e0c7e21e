# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that works on what came in its order, so that whoever notes when it came never waits.

Decoding a packet takes milliseconds, and many where the processor is busy. Done in the executor's
thread, the packets behind it would be noted that much too late, and the rate controller would take
a busy ground station for a full link.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from sc2_ros.nodes.background import BackgroundThread

Item = TypeVar("Item")


class Intake(BackgroundThread, Generic[Item]):
    """Calls `work(item)` on every item in turn, and `tick()` every `period_s` in between.

    An exception stops the thread; `check` raises it where the executor sees it.
    """

    def __init__(
        self,
        work: Callable[[Item], None],
        tick: Callable[[], None],
        period_s: float,
        limit: int = 1000,
    ) -> None:
        """limit: items that may wait; beyond it the oldest is dropped."""
        super().__init__()
        self._work, self._tick, self._period_s, self._limit = work, tick, period_s, limit
        self._waiting: deque[Item] = deque()

    def put(self, item: Item) -> Item | None:
        """Hand over an item; returns at once, with the item that had to make room, if any."""
        with self._changed:
            dropped = self._waiting.popleft() if len(self._waiting) >= self._limit else None
            self._waiting.append(item)
            self._changed.notify()
        return dropped

    def next(self) -> Item | None:
        """The item that waits for longest, None if none does."""
        with self._changed:
            return self._waiting[0] if self._waiting else None

    def _run(self) -> None:
        due_s = time.monotonic()
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._stopping or self._waiting, max(0.0, due_s - time.monotonic())
                )
                if self._stopping:
                    return
                item = self._waiting.popleft() if self._waiting else None
            if item is not None:
                self._work(item)
            if time.monotonic() >= due_s:
                self._tick()
                due_s = time.monotonic() + self._period_s
