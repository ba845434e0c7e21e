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

    `lock` is held during a call: whoever holds it sees the worker at rest. An exception stops the
    thread; `check` raises it where the executor sees it.
    """

    def __init__(self, work: Callable[[Item], None]) -> None:
        self.lock = threading.Lock()
        self.skipped = 0
        """Items that a newer one has replaced."""
        self._work = work
        self._mailbox: dict[int, Item] = {}
        self._mailbox_lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, key: int, item: Item) -> None:
        """Hand over an item."""
        with self._mailbox_lock:
            self.skipped += key in self._mailbox
            self._mailbox[key] = item
        self._wake.set()

    def check(self) -> None:
        """Raise what stopped the thread, if anything did."""
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End the thread after its present call."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._wake.wait()
                self._wake.clear()
                while not self._stopping and (waiting := self._take()):
                    with self.lock:
                        self._work(*waiting)
        except BaseException as error:  # handed to the executor's thread
            self._error = error

    def _take(self) -> list[Item]:
        """The item of the key that has waited for longest, if any waits."""
        with self._mailbox_lock:
            return [self._mailbox.pop(key) for key in list(self._mailbox)[:1]]
