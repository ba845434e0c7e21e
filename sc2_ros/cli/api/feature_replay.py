# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decodes a bag of packets again: what the ground station did, at the pace of this machine."""

import argparse
import math

from rich.console import Console
from rich.markup import escape

from sc2_ros import checkpoint as checkpoints
from sc2_ros.cli.api import report
from sc2_ros.cli.api.replay_recorder import ReplayRecorder
from sc2_ros.cli.api.replay_report import report_replay
from sc2_ros.errors import InputError
from sc2_ros.evaluation.session.virtual import LONGEST_GAP_S
from sc2_ros.ground.pipeline import FrameResult, GroundConfig, GroundPipeline
from sc2_ros.media.feature_bag import FeatureBag


def replay_features(source: FeatureBag, args: argparse.Namespace) -> int:
    """Run the packets through the ground pipeline and write the report.

    Raises:
        InputError: none of the packets gave a frame; the message says why.
    """
    checkpoint = checkpoints.load(args.checkpoint, device=args.device)
    ground = GroundPipeline(checkpoint, GroundConfig(device=args.device, precision=args.precision))
    console = Console(markup=False)  # a file name may hold brackets
    with report.begin_report(args.out) as bag:
        recorder = ReplayRecorder(bag, checkpoint.card)
        with console.status(escape(f"{source.name}, {source.topic}")):
            lasted_s = feed(source, ground, recorder, args.seconds or math.inf)
        if not ground.stats.frames:
            why = ground.stats.main_error() or "it is empty"
            raise InputError(f"no frame came out of {source.topic} of {source.name}: {why}")
        report_replay(
            args,
            console,
            bag,
            recorder,
            report.checkpoint_label(checkpoint),
            seconds=lasted_s,
            title=f"{source.name}, packets of {source.topic} decoded again",
            middleware="none (packets of a bag)",
        )
    return 0


def feed(
    source: FeatureBag, ground: GroundPipeline, recorder: ReplayRecorder, seconds: float
) -> float:
    """Give the packets to the ground at the times of their recording; how long they lasted, s.

    Long gaps are cut short, as in virtual time.
    """
    last_ns: int | None = None
    now_s = 0.0
    for recorded_ns, packet in source:
        if last_ns is None:
            last_ns = recorded_ns
            recorder.begin(recorded_ns)
        now_s += min(max(recorded_ns - last_ns, 0) / 1e9, LONGEST_GAP_S)
        last_ns = recorded_ns
        if now_s >= seconds:
            break
        recorder.sent(packet, now_s)
        recorder.delivered(packet, now_s)
        _record(ground.poll(now_s) + ground.receive(packet, now_s), now_s, recorder)
    _record(ground.poll(now_s + ground.config.frame_timeout_s), now_s, recorder)
    return now_s


def _record(results: list[FrameResult], now_s: float, recorder: ReplayRecorder) -> None:
    for result in results:
        recorder.result(result, now_s, None)
