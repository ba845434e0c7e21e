# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Each kind of error has a throttle of its own."""

from sc2_ros.nodes.complaints import MOST_KINDS, Complaints


def test_one_kind_is_said_now_and_then_and_does_not_hide_another():
    complaints = Complaints(5.0)

    assert complaints.due("encoding '8UC7' is unknown", 0.0)
    assert complaints.due("640x480 needs 921600 bytes, has 12", 0.1)
    assert not complaints.due("encoding '8UC7' is unknown", 1.0)
    assert not complaints.due("640x480 needs 921600 bytes, has 13", 1.1)
    assert complaints.due("encoding '8UC7' is unknown", 5.0)


def test_endless_kinds_take_no_endless_memory():
    complaints = Complaints(5.0)
    words = ["".join(chr(ord("a") + int(digit)) for digit in str(n)) for n in range(500)]

    assert all(complaints.due(word, 0.0) for word in words)
    assert len(complaints._said_s) == MOST_KINDS
