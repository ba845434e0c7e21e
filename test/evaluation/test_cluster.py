# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes of this machine for work in pieces, when somebody presses Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sc2_ros.evaluation.cluster import executor

DEADLINE_S = 120.0
TASK_S = 30.0
PROGRAM = """
import signal, sys, time
from concurrent.futures import as_completed
from pathlib import Path
from sc2_ros.evaluation.cluster import executor

def work(folder, number):
    Path(folder, f"{number} begun").touch()
    time.sleep(float(sys.argv[2]))
    Path(folder, f"{number} done").touch()

if __name__ == "__main__":
    # Whatever runs the tests in the background may have it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, seconds, alone = sys.argv[1:]
    try:
        with executor("local:2", alone=alone == "alone") as submit:
            tasks = 2 if alone == "alone" else 6
            list(as_completed({submit(work, folder, number) for number in range(tasks)}))
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.parametrize("alone", ["together", "alone"])
def test_ctrl_c_ends_what_runs_and_begins_nothing(tmp_path: Path, alone: str) -> None:
    program, folder = tmp_path / "program.py", tmp_path / "told"
    program.write_text(PROGRAM)
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(program), str(folder), str(TASK_S), alone],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        deadline_s = time.monotonic() + DEADLINE_S
        while len(list(folder.iterdir())) < 2:
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of them
        _, told = process.communicate(timeout=DEADLINE_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, told) == (130, "")
    assert sorted(path.name for path in folder.iterdir()) == ["0 begun", "1 begun"]


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_ctrl_c_is_no_failure_of_what_a_process_does() -> None:
    with executor("local:1") as submit:
        assert submit(signal.raise_signal, signal.SIGINT).result() is None
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
