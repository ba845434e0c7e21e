# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that works on the newest item only."""

import threading
import time
from collections import deque

import pytest

from sc2_ros.nodes.worker import NewestWorker

DEADLINE_S = 30.0


def test_items_that_wait_give_way_to_newer_ones_of_their_key():
    started, go, done = threading.Event(), threading.Event(), threading.Event()
    seen = []

    def work(item):
        seen.append(item)
        started.set()
        assert go.wait(DEADLINE_S)
        if len(seen) == 3:
            done.set()

    worker = NewestWorker(work)
    worker.start()
    worker.put(0, "a")
    assert started.wait(DEADLINE_S)
    replaced = [worker.put(*entry) for entry in [(0, "b"), (0, "c"), (1, "x"), (0, "d")]]
    go.set()

    assert done.wait(DEADLINE_S)
    worker.stop()
    assert seen == ["a", "x", "d"]  # 1 has been given nothing yet
    assert replaced == [False, True, False, True]


def test_an_exception_is_handed_to_who_checks():
    failed = threading.Event()

    def work(item):
        failed.set()
        raise ZeroDivisionError(item)

    worker = NewestWorker(work)
    worker.check()
    worker.start()
    worker.put(0, "a")
    assert failed.wait(DEADLINE_S)
    worker.stop()

    with pytest.raises(ZeroDivisionError, match="a"):
        worker.check()


def test_a_change_comes_before_the_items_that_wait():
    started, go, done = threading.Event(), threading.Event(), threading.Event()
    seen = []

    def work(item):
        seen.append(item)
        started.set()
        assert go.wait(DEADLINE_S)
        if item == "last":
            done.set()

    worker = NewestWorker(work)
    worker.start()
    worker.put(0, "a")
    assert started.wait(DEADLINE_S)
    for key, item in [(1, "b"), (2, "c"), (3, "last")]:
        worker.put(key, item)
    worker.change(lambda: seen.append("change 1"))  # returns while the worker is at work
    worker.change(lambda: seen.append("change 2"))
    assert seen == ["a"]
    go.set()

    assert done.wait(DEADLINE_S)
    worker.stop()
    assert seen == ["a", "change 1", "change 2", "b", "c", "last"]


def test_a_change_reaches_a_worker_that_has_nothing_to_do():
    done = threading.Event()
    worker = NewestWorker(print)
    worker.start()
    worker.change(done.set)
    assert done.wait(DEADLINE_S)
    worker.stop()


def test_a_worker_that_is_stopped_leaves_what_waits():
    started = threading.Event()
    seen = []

    def work(item):
        seen.append(item)
        started.set()
        with worker._changed:
            assert worker._changed.wait_for(lambda: worker._stopping, DEADLINE_S)

    worker = NewestWorker(work)
    worker.start()
    worker.put(0, "a")
    assert started.wait(DEADLINE_S)
    worker.put(1, "b")
    worker.change(lambda: seen.append("change"))
    worker.stop()
    worker.check()
    assert seen == ["a"]


def test_stopping_a_worker_that_never_started_is_fine():
    NewestWorker(print).stop()


def test_none_is_an_item_like_any_other():
    seen = []
    done = threading.Event()

    def work(item):
        seen.append(item)
        if len(seen) == 2:
            done.set()

    worker = NewestWorker(work)
    worker.put(0, None)
    worker.put(1, "a")
    worker.start()

    assert done.wait(DEADLINE_S)
    worker.stop()
    assert seen == [None, "a"]


def test_keys_that_always_wait_share_the_calls_by_their_weights():
    seen, begun, full = [], threading.Event(), threading.Event()
    weights = {"a": 4.0, "b": 1.0, "late": 1.0}

    def work(key):
        begun.wait(DEADLINE_S)
        seen.append(key)
        if len(seen) == 50:
            worker.put("late", "late")
        if len(seen) == 80:
            full.set()
        if not full.is_set():
            worker.put(key, key)

    worker = NewestWorker(work, weights.__getitem__)
    worker.put("a", "a")
    worker.put("b", "b")
    worker.start()
    begun.set()

    assert full.wait(DEADLINE_S)
    worker.stop()
    assert seen[:50].count("a") == 40
    # Who comes later has its share from then on, and nothing of what it did not ask for.
    assert 4 <= seen[50:80].count("late") <= 6


def test_a_heavy_key_that_comes_now_and_then_does_not_wait_for_all_others():
    seen, full = [], threading.Event()

    def work(key):
        seen.append(key)
        if len(seen) % 20 == 0:
            worker.put("heavy", "heavy")
        if len(seen) == 200:
            full.set()
        if key != "heavy" and not full.is_set():
            worker.put(key, key)

    worker = NewestWorker(work, lambda key: 4.0 if key == "heavy" else 1.0)
    for number in range(16):
        worker.put(number, number)
    worker.start()

    assert full.wait(DEADLINE_S)
    worker.stop()
    served = [place for place, key in enumerate(seen) if key == "heavy"]
    assert [place % 20 for place in served[:9]] == [0] * 9


def test_a_signal_in_the_middle_of_handing_over_does_not_keep_the_thread_from_ending():
    """ctrl-C raises between any two steps of the main thread; here, within Condition.notify."""

    class Interrupted(deque):
        def remove(self, waiter):
            self.remove = super().remove
            raise KeyboardInterrupt

    def wait_until(condition):
        give_up_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < give_up_s
            time.sleep(0.001)

    done = []
    worker = NewestWorker(done.append)
    worker._changed._waiters = Interrupted()
    worker.start()
    wait_until(lambda: len(worker._changed._waiters) == 1)

    with pytest.raises(KeyboardInterrupt):
        worker.put("image", 1)
    wait_until(lambda: done == [1] and len(worker._changed._waiters) == 2)
    ending = threading.Thread(target=worker.stop, daemon=True)
    ending.start()
    ending.join(10.0)

    assert not ending.is_alive()
