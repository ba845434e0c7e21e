# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scripts of benchmarks/ from the command line, in this process: torch is loaded already."""

import runpy
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch, capsys):
    """`script("path", "--frames", 2)` gives what subprocess.run would."""

    def run(name, *options):
        command = [str(BENCHMARKS / f"{name}.py"), *map(str, options)]
        monkeypatch.setattr(sys, "argv", command)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(command[0], run_name="__main__")
        told = capsys.readouterr()
        status, error = ended.value.code or 0, told.err
        if isinstance(status, str):  # the interpreter would print it and end with 1
            status, error = 1, f"{error}{status}\n"
        return CompletedProcess(command, status, told.out, error)

    return run
