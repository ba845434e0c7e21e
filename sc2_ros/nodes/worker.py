# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread beside the executor, for work that lasts longer than packets may wait."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sc2_ros.nodes.background import BackgroundThread

Item = TypeVar("Item")


class NewestWorker(BackgroundThread, Generic[Item]):
    """Calls `work(item)` on the newest item of every key; older ones that still wait are skipped.

    Keys that always have an item share the calls by their weights (start-time fair queueing, P.
    Goyal, H. M. Vin and H. Cheng, 1996, but the call that would end first comes first). Whoever
    hands something over never waits for a call. An exception stops the thread; `check` raises it
    where the executor sees it.
    """

    def __init__(
        self, work: Callable[[Item], None], weight: Callable[[Hashable], float] = lambda _: 1.0
    ) -> None:
        """weight: of a key, above 0; asked when it hands over an item."""
        super().__init__()
        self._work, self._weight = work, weight
        self._mailbox: dict[Hashable, Item] = {}
        self._ends: dict[Hashable, float] = {}
        """Of each key, what it will have been given with its last item: calls over its weight."""
        self._now = 0.0
        """What the key served last had before that: who comes now has missed nothing before."""
        self._changes: list[Callable[[], None]] = []

    def put(self, key: Hashable, item: Item) -> bool:
        """Hand over an item; whether it replaces one that still waited."""
        with self._changed:
            replaces = key in self._mailbox
            if not replaces:
                begins = max(self._ends.get(key, 0.0), self._now)
                self._ends[key] = begins + 1 / self._weight(key)
            self._mailbox[key] = item
            self._changed.notify()
        return replaces

    def change(self, call: Callable[[], None]) -> None:
        """Let the worker make a call before it takes another item; calls keep their order."""
        with self._changed:
            self._changes.append(call)
            self._changed.notify()

    def _run(self) -> None:
        while (call := self._next()) is not None:
            call()

    def _next(self) -> Callable[[], None] | None:
        """What to do now: a change, or the item of the key whose turn it is; None to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._changes or self._mailbox)
            if self._stopping:
                return None
            if self._changes:
                return self._changes.pop(0)
            key = min(self._mailbox, key=self._ends.__getitem__)
            item = self._mailbox.pop(key)
            self._now = max(self._now, self._ends[key] - 1 / self._weight(key))
        return lambda: self._work(item)
