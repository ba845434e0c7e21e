# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Virtual time follows the stamps, as far as they make sense."""

import numpy as np
import pytest

from sc2_ros import checkpoint as checkpoints
from sc2_ros.evaluation.session.virtual import LONGEST_GAP_S, TICK_S, VirtualRun
from sc2_ros.ground.pipeline import FrameResult, GroundConfig, GroundPipeline
from sc2_ros.link.sim.spec import parse_link
from sc2_ros.media.frames import SourceFrame
from sc2_ros.onboard.pipeline import OnboardConfig, OnboardPipeline

BOOT_NS, EPOCH_NS = 3_000_000_000, 1_700_000_000_000_000_000
STEP_NS = 100_000_000


class Told:
    """Keeps what it is told; refuses to be told of more time than there may be."""

    def __init__(self, most_s: float) -> None:
        self.most_s = most_s
        self.results: list[FrameResult] = []

    def camera(self, frame: SourceFrame, time_s: float) -> None:
        """Not needed here."""

    def sent(self, packet: bytes, time_s: float) -> None:
        """Not needed here."""

    def delivered(self, packet: bytes, time_s: float) -> None:
        """Not needed here."""

    def result(self, result: FrameResult, time_s: float, latency_ms: float) -> None:
        self.results.append(result)

    def capacity(self, bits_per_s: float, time_s: float) -> None:
        assert time_s <= self.most_s, "time runs on and on"


def test_a_clock_that_was_set_during_the_recording_is_a_short_gap() -> None:
    checkpoint = checkpoints.untrained(0)
    stamps = [BOOT_NS, BOOT_NS + STEP_NS, EPOCH_NS, EPOCH_NS + STEP_NS]
    frames = [SourceFrame(np.full((32, 48, 3), 90, np.uint8), ns, "camera") for ns in stamps]
    told = Told(most_s=LONGEST_GAP_S + 2)
    run = VirtualRun(
        OnboardPipeline(checkpoint, OnboardConfig(rate_index=0.0)),
        GroundPipeline(checkpoint, GroundConfig()),
        parse_link("1mbit,20ms"),
        told,
    )

    lasted_s = run.run(frames)

    assert lasted_s == pytest.approx(LONGEST_GAP_S + 3 * STEP_NS / 1e9, abs=TICK_S)
    assert [result.stamp_ns for result in told.results] == stamps
