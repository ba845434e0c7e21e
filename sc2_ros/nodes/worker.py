# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread beside the executor, for work that lasts longer than packets may wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Worker(Generic[Item]):
    """Calls `work(items)` with all that was put in since the last call, at least every `tick_s`.

    `lock` is held during the call: whoever holds it sees the worker at rest. An exception stops the
    thread; `check` raises it where the executor sees it.
    """

    def __init__(self, work: Callable[[list[Item]], None], tick_s: float, capacity: int) -> None:
        self.lock = threading.Lock()
        self._work = work
        self._tick_s = tick_s
        self._items: deque[Item] = deque(maxlen=capacity)
        self._wake = threading.Event()
        self._stopping = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, item: Item) -> None:
        """Hand over an item; the oldest gives way where too many wait."""
        self._items.append(item)
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
                self._wake.wait(self._tick_s)
                self._wake.clear()
                items = [self._items.popleft() for _ in range(len(self._items))]
                with self.lock:
                    self._work(items)
        except BaseException as error:  # handed to the executor's thread
            self._error = error
