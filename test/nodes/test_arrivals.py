# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a message came, by what the middleware says of it."""

import pytest

from sc2_ros.nodes import arrivals


@pytest.mark.parametrize(
    ("received_ns", "came_s"),
    [
        (1_000_000_000_000, 50.0),
        (999_750_000_000, 49.75),  # the executor was busy for a quarter of a second
        (0, 50.0),  # the middleware does not know
        (990_000_000_000, 50.0),  # the clock was set forward meanwhile
        (1_000_100_000_000, 50.0),  # or back
    ],
)
def test_an_arrival_on_the_clock_of_the_nodes(received_ns, came_s):
    assert arrivals.arrival_s(received_ns, 1_000_000_000_000, 50.0) == pytest.approx(came_s)


def test_a_wait_for_the_executor_is_none_on_the_link(monkeypatch):
    """As rclpy calls it: with the message's info."""
    monkeypatch.setattr(arrivals, "TELLS_ARRIVAL", True)
    monkeypatch.setattr(arrivals.time, "time_ns", lambda: 1_000_000_000_000)
    monkeypatch.setattr(arrivals.time, "monotonic", lambda: 50.0)
    took = []
    callback = arrivals.timed(lambda *message: took.append(message))
    callback("packet", {"source_timestamp": 0, "received_timestamp": 999_700_000_000})
    assert took == [("packet", pytest.approx(49.7))]
