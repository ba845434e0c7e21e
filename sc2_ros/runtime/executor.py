# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""Single-threaded executor: one wait set over the readers of its nodes, and their timers."""

import math
import time
from typing import Any

from cyclonedds.core import WaitSet

from .context import Context, ExternalShutdownException, get_default_context
from .node import Node

# Longest time in the wait set: Python runs signal handlers only between its calls into C.
LONGEST_WAIT_NS = 50_000_000


class SingleThreadedExecutor:
    """Runs the callbacks of its nodes one after the other, in the thread that spins."""

    def __init__(self, *, context: Context | None = None) -> None:
        self._context = context or get_default_context()
        self._nodes: list[Node] = []
        self._attached: tuple[Any, ...] = ()
        self._waitset: WaitSet | None = None
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
        self._waitset, self._attached = None, ()
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
            if self._work() or not self._context.ok():
                return
            remaining_s = give_up - time.monotonic()
            if remaining_s <= 0:
                return
            self._wait(remaining_s)

    def _work(self) -> bool:
        done = False
        for node in list(self._nodes):
            for timer in list(node.timers):
                if timer.wait_ns() == 0 and self._context.ok():
                    timer.call()
                    done = True
            for taker in list(node.takers):
                # A callback before it may have destroyed this endpoint or its node.
                if not self._context.ok() or taker not in node.takers:
                    continue
                work = taker.take()
                if work is not None:
                    work()
                    done = True
        return done

    def _wait(self, remaining_s: float) -> None:
        wait_ns = min(LONGEST_WAIT_NS, int(min(remaining_s, 1.0) * 1e9))
        for node in self._nodes:
            for timer in node.timers:
                due_ns = timer.wait_ns()
                wait_ns = wait_ns if due_ns is None else min(wait_ns, due_ns)
        readers = tuple(r for node in self._nodes for t in node.takers for r in t.readers)
        if readers != self._attached or self._waitset is None:
            self._waitset = WaitSet(self._context.participant.dds)
            for reader in readers:
                self._waitset.attach(reader.condition)
            self._attached = readers
        self._waitset.wait(max(wait_ns, 1))
