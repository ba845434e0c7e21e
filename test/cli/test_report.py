# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of the report of a run."""

import os
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from sc2_ros.cli.api import report
from sc2_ros.evaluation.session.log import SessionLog


def test_memory_of_a_process_is_in_megabytes_of_a_million_bytes() -> None:
    row = report.process_row("this", os.getpid())

    # A mebibyte is 4.9 % more.
    assert row["rss_mb"] == pytest.approx(psutil.Process().memory_info().rss / 1e6, rel=0.02)
    assert row["name"] == "this"
    assert row["pid"] == os.getpid()


def test_nothing_of_an_earlier_report_is_taken_for_this_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run without images makes no video, so an older run's must go."""
    (tmp_path / report.VIDEO).write_bytes(b"of another run")
    with report.begin_report(tmp_path) as bag:
        summary = report.write_report(
            tmp_path,
            bag,
            SessionLog(),
            seconds=1.0,
            title="nothing",
            middleware="none",
            processes=[],
            checkpoint="x",
            detection_classes=("person",),
        )
    report.print_summary(Console(), summary, tmp_path, bag)

    assert not (tmp_path / report.VIDEO).exists()
    written = capsys.readouterr().out
    assert report.VIDEO not in written
    for path in (tmp_path / report.FIGURE, tmp_path / report.SUMMARY, bag.file):
        assert f"written: {path}" in written
