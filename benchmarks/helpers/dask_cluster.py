# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A Dask scheduler and two workers, as processes of this machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120.0
Workers = list[subprocess.Popen[bytes]]


@contextmanager
def dask_cluster(folder: Path) -> Iterator[tuple[str, Workers]]:
    """The scheduler's address, and the workers; folder: where they may write."""
    file = folder / "scheduler.json"
    path = os.pathsep.join(map(str, (ROOT, ROOT / "benchmarks")))
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    common = ["--scheduler-file", str(file)]
    scheduler = ["scheduler", "--port", "0", "--no-dashboard", *common]
    worker = ["worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", *common]

    def start(words: list[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *words]
        return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, cwd=folder)

    processes = [start(scheduler)]
    give_up_s = time.monotonic() + DEADLINE_S
    while not file.exists() and time.monotonic() < give_up_s:
        time.sleep(0.05)
    processes += [start(worker), start(worker)]
    try:
        yield json.loads(file.read_text())["address"], processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait(DEADLINE_S)
