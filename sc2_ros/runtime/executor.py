# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""Single-threaded executor: one wait set over the readers of its nodes, and their timers."""

import math
import time

from .context import Context, ExternalShutdownException, get_default_context
from .dds import Reader, ReaderWaitSet
from .node import Node

# Longest time in the wait set: Python runs signal handlers only between its calls into C.
LONGEST_WAIT_NS = 50_000_000


class SingleThreadedExecutor:
    """Runs the callbacks of its nodes one after the other, in the thread that spins."""

    def __init__(self, *, context: Context | None = None) -> None:
        self._context = context or get_default_context()
        self._nodes: list[Node] = []
        self._attached: list[Reader] = []
        self._waitset: ReaderWaitSet | None = None
        self._is_shutdown = False

    def add_node(self, node: Node) -> bool:
        if node in self._nodes:
            return False
        self._nodes.append(node)
        return True

    def remove_node(self, node: Node) -> None:
        if node in self._nodes:
            self._nodes.remove(node)

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        self._is_shutdown = True
        self._waitset, self._attached = None, []
        return True

    def spin(self) -> None:
        """Run until the context ends.

        Raises:
            ExternalShutdownException: a signal ended it.
        """
        while self._context.ok() and not self._is_shutdown:
            self.spin_once()
        if self._context.signalled:
            raise ExternalShutdownException

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for work and do what is ready: at most one message of every subscription."""
        give_up = math.inf if timeout_sec is None or timeout_sec < 0 else timeout_sec
        give_up += time.monotonic()
        while not self._is_shutdown:
            if self._context.signalled:
                raise ExternalShutdownException
            if not self._context.ok():
                return
            remaining_s = give_up - time.monotonic()
            if self._work(self._wait(max(0.0, remaining_s))) or remaining_s <= 0:
                return

    def _work(self, ready: set[Reader]) -> bool:
        """Run what is due of the timers, and take from the readers that have something.

        A node has some twenty readers: to ask all of them at every packet takes a millisecond.
        """
        done = False
        for node in list(self._nodes):
            for timer in list(node.timers):
                if timer.wait_ns() == 0 and self._context.ok():
                    timer.call()
                    done = True
            for taker in list(node.takers):
                # A callback before it may have destroyed this endpoint or its node.
                if ready.isdisjoint(taker.readers):
                    continue
                if not self._context.ok() or taker not in node.takers:
                    continue
                work = taker.take()
                if work is not None:
                    work()
                    done = True
        return done

    def _wait(self, remaining_s: float) -> set[Reader]:
        """The readers that have something, as soon as one does or a timer is due."""
        wait_ns = min(LONGEST_WAIT_NS, int(min(remaining_s, 1.0) * 1e9))
        for node in self._nodes:
            for timer in node.timers:
                due_ns = timer.wait_ns()
                wait_ns = wait_ns if due_ns is None else min(wait_ns, due_ns)
        # A list: of tuples made from a generator CPython keeps up to 2,000 for later.
        readers = [r for node in self._nodes for t in node.takers for r in t.readers]
        if readers != self._attached or self._waitset is None:
            self._waitset = ReaderWaitSet(self._context.participant, readers)
            self._attached = readers
        return self._waitset.wait(wait_ns)
