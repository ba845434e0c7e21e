# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of what the drone's node takes runs the node and stays within the limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from domains import own_domain

pytest.importorskip("cyclonedds")

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "footprint.py"


@pytest.mark.processes
def test_the_node_is_small(tmp_path: Path) -> None:
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "file").write_bytes(os.urandom(1 << 20))
    environment = os.environ | {
        "ROS_DOMAIN_ID": str(own_domain()),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    command = [sys.executable, str(SCRIPT), "--frames", "20", "--fps", "20"]
    command += ["--venv", str(tmp_path / "installed"), "--json", str(tmp_path / "footprint.json")]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "footprint.json").read_text())
    assert 20 < report["rss_mb"] < 250
    assert report["first_packet_s"] > 0
    assert report["disk_mb"] == pytest.approx(1.05, abs=0.05)
