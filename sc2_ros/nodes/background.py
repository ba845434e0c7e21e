# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread beside the executor, whose fault is raised where the executor sees it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod


class BackgroundThread(ABC):
    """Runs `_run` until `stop`; `_changed` guards and announces what it shares with others."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stopping = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, daemon=True)

    @abstractmethod
    def _run(self) -> None:
        """The thread's work; ends soon after `_stopping` is set and `_changed` notified."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def check(self) -> None:
        """Raise what stopped the thread, if anything did."""
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End the thread after its present call; what still waits by then is dropped."""
        with self._changed:
            self._stopping = True
            # All, though only one waits: a signal that broke off a notify() in the main thread may
            # have left a waiter of before in the queue, which would take this one for itself.
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException as error:  # handed to the executor's thread
            self._error = error
