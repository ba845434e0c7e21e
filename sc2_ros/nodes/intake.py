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
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sc2_ros.nodes.background import BackgroundThread

Item = TypeVar("Item")


class Intake(BackgroundThread, Generic[Item]):
    """Calls `work(item)` on the items of every key in their order, and `tick()` every `period_s`.

    Keys take turns, so that one that floods delays no other's items by more than one item of each.
    An exception stops the thread; `check` raises it where the executor sees it.
    """

    def __init__(
        self,
        work: Callable[[Item], None],
        tick: Callable[[], None],
        period_s: float,
        limit: int = 200,
    ) -> None:
        """limit: items of one key that may wait; beyond it its oldest is dropped."""
        super().__init__()
        self._work, self._tick, self._period_s, self._limit = work, tick, period_s, limit
        self._waiting: dict[Hashable, deque[Item]] = {}
        """Of each key that has any, the one whose turn it is first."""

    def put(self, key: Hashable, item: Item) -> Item | None:
        """Hand over an item; returns at once, with the item that had to make room, if any."""
        with self._changed:
            queue = self._waiting.setdefault(key, deque())
            dropped = queue.popleft() if len(queue) >= self._limit else None
            queue.append(item)
            self._changed.notify()
        return dropped

    def next(self, key: Hashable) -> Item | None:
        """The item of a key that waits for longest, None if none does."""
        with self._changed:
            queue = self._waiting.get(key)
            return queue[0] if queue else None

    def _take(self) -> Item | None:
        """The next item of the key whose turn it is; that key then comes last."""
        if not self._waiting:
            return None
        key = next(iter(self._waiting))
        queue = self._waiting.pop(key)
        item = queue.popleft()
        if queue:
            self._waiting[key] = queue
        return item

    def _run(self) -> None:
        due_s = time.monotonic()
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._stopping or self._waiting, max(0.0, due_s - time.monotonic())
                )
                if self._stopping:
                    return
                item = self._take()
            if item is not None:
                self._work(item)
            if time.monotonic() >= due_s:
                self._tick()
                due_s = time.monotonic() + self._period_s
