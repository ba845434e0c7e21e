# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread beside the executor, for work that lasts longer than packets may wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class NewestWorker(Generic[Item]):
    """Calls `work(item)` on the newest item of every key; older ones that still wait are skipped.

    Whoever hands something over never waits for a call. An exception stops the thread; `check`
    raises it where the executor sees it.
    """

    def __init__(self, work: Callable[[Item], None]) -> None:
        self.skipped = 0
        """Items that a newer one has replaced."""
        self._work = work
        self._mailbox: dict[int, Item] = {}
        self._changes: list[Callable[[], None]] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, key: int, item: Item) -> None:
        """Hand over an item."""
        with self._changed:
            self.skipped += key in self._mailbox
            self._mailbox[key] = item
            self._changed.notify()

    def change(self, call: Callable[[], None]) -> None:
        """Let the worker make a call before it takes another item; calls keep their order."""
        with self._changed:
            self._changes.append(call)
            self._changed.notify()

    def check(self) -> None:
        """Raise what stopped the thread, if anything did."""
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End the thread after its present call."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while (call := self._next()) is not None:
                call()
        except BaseException as error:  # handed to the executor's thread
            self._error = error

    def _next(self) -> Callable[[], None] | None:
        """What to do now: a change, or the item of the key that waits for longest; None to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._changes or self._mailbox)
            if self._stopping:
                return None
            if self._changes:
                return self._changes.pop(0)
            item = self._mailbox.pop(next(iter(self._mailbox)))
        return lambda: self._work(item)
