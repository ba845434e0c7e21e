# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of the report of a run."""

import os

import psutil
import pytest

from sc2_ros.cli.api.report import process_row


def test_memory_of_a_process_is_in_megabytes_of_a_million_bytes() -> None:
    row = process_row("this", os.getpid())

    # A mebibyte is 4.9 % more.
    assert row["rss_mb"] == pytest.approx(psutil.Process().memory_info().rss / 1e6, rel=0.02)
    assert row["name"] == "this"
    assert row["pid"] == os.getpid()
