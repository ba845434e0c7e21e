# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that sends packets when the pacer says, to the fraction of a millisecond.

A timer of the executor would have to tick 500 times a second for that, and wait for its callbacks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sc2_ros.link.pacer import Pacer
from sc2_ros.nodes.background import BackgroundThread


class Sender(BackgroundThread):
    """Calls `send(packet, now_s)` for every packet at its time.

    `now_s` is `time.monotonic` just before the call: packets that leave together take some tenths
    of a millisecond each, which the rate controller would take for a queue.

    An exception stops the thread; `check` raises it where the executor sees it.
    """

    def __init__(self, send: Callable[[bytes, float], None]) -> None:
        super().__init__()
        self._send = send
        self._pacer = Pacer[bytes]()
        self.replaced = 0
        """Packets that never left: those of a newer frame came before their first was due."""

    def push(self, packets: Sequence[bytes], interval_s: float) -> None:
        """Send a frame's packets, spread over `interval_s`."""
        with self._changed:
            self.replaced += self._pacer.push(packets, time.monotonic(), interval_s)
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._stopping:
                now_s = time.monotonic()
                for packet in self._pacer.pop(now_s):
                    self._send(packet, time.monotonic())
                due_s = self._pacer.next_s
                self._changed.wait(None if due_s is None else max(0.0, due_s - now_s))
