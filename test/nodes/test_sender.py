# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that sends packets at the pacer's times."""

import threading
import time

import pytest

from sc2_ros.link.pacer import SPREAD
from sc2_ros.nodes.sender import Sender

DEADLINE_S = 30.0


def test_packets_leave_in_order_and_never_before_their_time():
    sent = []
    done = threading.Event()

    def send(packet, now_s):
        sent.append((packet, now_s))
        if len(sent) == 4:
            done.set()

    sender = Sender(send)
    sender.start()
    begun_s = time.monotonic()
    sender.push([b"a", b"b", b"c", b"d"], 0.08)

    assert done.wait(DEADLINE_S)
    sender.stop()
    assert [packet for packet, _ in sent] == [b"a", b"b", b"c", b"d"]
    for number, (_, now_s) in enumerate(sent):
        assert now_s >= begun_s + number * 0.08 * SPREAD / 4


def test_stopping_does_not_wait_for_what_is_due_later():
    sent = []
    first = threading.Event()
    sender = Sender(lambda packet, now_s: (sent.append(packet), first.set()))
    sender.start()
    sender.push([b"a", b"b"], 10_000.0)

    assert first.wait(DEADLINE_S)
    sender.stop()
    assert sent == [b"a"]


def test_packets_that_give_way_to_a_newer_frame_are_counted():
    sender = Sender(lambda packet, now_s: None)  # not started, so nothing leaves
    sender.push([b"a", b"b"], 0.1)
    sender.push([b"c"], 0.1)

    assert sender.replaced == 2


def test_an_exception_is_handed_to_who_checks():
    failed = threading.Event()

    def send(packet, now_s):
        failed.set()
        raise ZeroDivisionError

    sender = Sender(send)
    sender.start()
    sender.push([b"a"], 0.0)
    assert failed.wait(DEADLINE_S)
    sender.stop()

    with pytest.raises(ZeroDivisionError):
        sender.check()
