# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is seen in a terminal while a run lasts, and how its observer reads what it records."""

import io

import numpy as np
import pytest
from rich.console import Console

from sc2_ros.cli.api.live import Every, LiveView, sparkline
from sc2_ros.cli.api.observer import stamp_and_count
from sc2_ros.evaluation.session.breakdown import STAGES
from sc2_ros.evaluation.session.log import Recent
from sc2_ros.media.messages import boxes_message, header
from sc2_ros.runtime.serialization import message_of, type_and_cdr, type_name

RECENT = Recent(
    fps=14.9, bytes_per_frame=2600.0, sent_kbps=312.0, capacity_kbps=500.0, loss=0.02,
    latency_p50_ms=161.0, latency_p95_ms=190.0, objects=7, rate_index=0.8,
    stages_ms={stage: 10.0 * number for number, stage in enumerate(STAGES)},
)  # fmt: skip


def seen(*, terminal: bool) -> str:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=120, legacy_windows=False)
    with LiveView(console) as live:
        live.show(RECENT, 3.0, 15.0)
    return text.getvalue()


def test_a_pipe_gets_one_line() -> None:
    (line,) = seen(terminal=False).splitlines()
    for part in ("14.9 frames/s", "312/500 kbit/s", "0.80 rate index", "161/190 ms", "3/15 s"):
        assert part in line


def test_a_terminal_gets_link_latency_and_stages_too() -> None:
    text = seen(terminal=True)
    for part in ("link", "of 500 kbit/s", "of 161 ms", "network 70"):
        assert part in text


def test_a_sparkline_goes_from_zero_to_its_top() -> None:
    assert sparkline([0.0, 4.0, 8.0]) == " ▄█"
    assert sparkline([0.0, 4.0], 8.0) == " ▄"
    assert sparkline([0.0, 0.0]) == "  "


def test_what_is_due_is_due_once_in_a_period() -> None:
    every = Every(3600.0)
    assert every.is_due()
    assert not every.is_due()


@pytest.mark.parametrize("frame_id", ["", "camera", "gimbal_optical_frame"])
@pytest.mark.parametrize("count", [0, 3])
def test_stamp_and_number_of_boxes_are_read_without_the_boxes(frame_id: str, count: int) -> None:
    boxes = np.tile(np.array([1, 2, 3, 4], np.float32), (count, 1))
    stamp_ns = 1_700_000_000_123_456_789
    message = boxes_message(
        boxes,
        np.zeros(count, int),
        np.ones(count, np.float32),
        ("car",),
        header(stamp_ns, frame_id),
    )
    name, cdr = type_and_cdr(message)
    assert stamp_and_count(cdr) == (stamp_ns, count)
    assert name == type_name(type(message)) == "vision_msgs/msg/Detection2DArray"
    assert message_of(cdr, type(message)) == message
