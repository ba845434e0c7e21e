# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How every kind of `sc2 replay` ends: the report, its JSON and the table."""

import argparse

from rich.console import Console

from sc2_ros.cli.api import report
from sc2_ros.cli.api.replay_recorder import ReplayRecorder
from sc2_ros.media.bag_writer import BagWriter


def report_replay(
    args: argparse.Namespace,
    console: Console,
    bag: BagWriter,
    recorder: ReplayRecorder,
    checkpoint: str,
    *,
    seconds: float,
    title: str,
    middleware: str,
) -> None:
    """Write what `recorder` has of `seconds` of a recording to args.out and args.json; print it."""
    summary = report.write_report(
        args.out,
        bag,
        recorder.log,
        seconds=seconds,
        title=title,
        middleware=middleware,
        processes=[report.process_row("sc2 replay")],
        checkpoint=checkpoint,
        detection_classes=recorder.detection_classes,
    )
    if args.json is not None:
        report.write_json(summary, args.json)
    report.print_summary(console, summary, args.out, bag)
