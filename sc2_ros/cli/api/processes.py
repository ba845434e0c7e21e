# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the nodes as processes of their own, watches them, and never leaves one behind."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sc2_ros.cli.api.report import process_row
from sc2_ros.errors import Sc2Error

STOP_S = 5.0
"""How long a process may take to stop at each stronger request."""
MOST_DOMAINS = 101
"""Above this, DDS ports fall into the range that Linux gives out to anybody."""
PR_SET_PDEATHSIG = 1


class ProcessError(Sc2Error):
    """A node ended before its time."""


class NodeProcesses:
    """Processes `python -m sc2_ros.nodes.NAME`, each with a log file; a context manager.

    Each is in a process group of its own, so that ctrl-C reaches only this program, which then
    stops them. If this program is killed, Linux ends them.
    """

    def __init__(self, logs: Path, environment: dict[str, str]) -> None:
        self._logs = logs
        self._environment = {**os.environ, **environment}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, ros_arguments: Sequence[str]) -> None:
        """Start a node with what comes after --ros-args."""
        command = [sys.executable, "-m", f"sc2_ros.nodes.{name}", "--ros-args", *ros_arguments]
        with self.log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
                preexec_fn=_before_it_runs(os.getpid()),
            )

    def log(self, name: str) -> Path:
        """The file with everything that a node said."""
        return self._logs / f"{name}.log"

    def check(self) -> None:
        """Raise ProcessError with its last words if a node has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                words = last_words(self.log(name)) or f"exit status {process.returncode}"
                raise ProcessError(f"{name} has ended: {words}")

    def rows(self) -> list[dict[str, object]]:
        """Name, number and memory of each."""
        return [process_row(name, process.pid) for name, process in self._running.items()]

    def stop(self, name: str) -> None:
        """Stop one node: SIGINT, then SIGTERM, then SIGKILL."""
        process = self._running.pop(name, None)
        if process is not None:
            _stop([process])

    def __enter__(self) -> "NodeProcesses":
        return self

    def __exit__(self, *_error: object) -> None:
        processes, self._running = list(self._running.values()), {}
        _stop(processes)


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask all of them at once, ever more firmly, until none runs."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, number)
        deadline_s = time.monotonic() + STOP_S
        for process in processes:
            try:
                process.wait(max(deadline_s - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                break
        else:
            return


def _before_it_runs(parent: int) -> Callable[[], None]:
    """For the child: hear ctrl-C, and on Linux end when this program ends in any way."""
    prctl = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None

    def prepare() -> None:
        # A shell's background job ignores SIGINT, and so would its children.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def last_words(log: Path) -> str:
    """What a node said last: its `error:` line if it has one, else its last line."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line]
    for line in reversed(lines):
        if line.startswith("error: "):
            return line.removeprefix("error: ")
    return lines[-1] if lines else ""


def free_domain() -> int:
    """A ROS domain that nobody on this machine uses: its first port is free."""
    domains = list(range(1, MOST_DOMAINS + 1))
    random.shuffle(domains)
    for domain in domains:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                # The port of the first participant in the domain (RTPS 2.2, section 9.6.1.1).
                probe.bind(("", 7400 + 250 * domain + 10))
            except OSError:
                continue
            return domain
    raise Sc2Error("no ROS domain is free on this machine; give one with --domain")
