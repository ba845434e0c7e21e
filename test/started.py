# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that a test starts, none of which outlives it."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def processes(deadline_s: float) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`start(command, **options of Popen)`; at the end whatever still runs gets SIGTERM."""
    running: list[subprocess.Popen[str]] = []

    def start(command: list[str], **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in running:
        process.communicate(timeout=deadline_s)
