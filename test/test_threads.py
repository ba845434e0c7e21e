# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One number of threads for all libraries, told to processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sc2_ros import threads
from sc2_ros.cli.main import main
from sc2_ros.nodes import ground_node

ROOT = Path(__file__).parents[1]
ENGINE = """
import json, os, sys
import numpy, cv2
from sc2_ros.threads import limit_threads
limit_threads(int(sys.argv[1]))
from threadpoolctl import threadpool_info
from sc2_ros import checkpoint_file
from sc2_ros.onboard.engine import OnnxEngine
before = len(os.listdir("/proc/self/task"))
engine = OnnxEngine(checkpoint_file.load("default").exported, "cpu")
found = {"onnxruntime": len(os.listdir("/proc/self/task")) - before + 1, "cv2": cv2.getNumThreads()}
found["blas"] = max(pool["num_threads"] for pool in threadpool_info())
print(json.dumps(found))
"""
TORCH = """
import json, sys
from sc2_ros.threads import limit_threads
if sys.argv[2] == "loaded":
    import torch
limit_threads(int(sys.argv[1]))
import torch
print(json.dumps(torch.get_num_threads()))
"""


def found_by(code, *arguments):
    environment = {key: text for key, text in os.environ.items() if key != "OMP_NUM_THREADS"}
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(run.stdout)


@pytest.mark.parametrize("count", [1, 3])
def test_libraries_of_the_drone_keep_to_it(count):
    assert found_by(ENGINE, count) == {"onnxruntime": count, "cv2": count, "blas": count}


@pytest.mark.parametrize("when", ["loaded", "later"])
def test_pytorch_keeps_to_it_whenever_it_is_loaded(when):
    assert found_by(TORCH, 1, when) == 1


@pytest.mark.skipif(os.cpu_count() == 1, reason="one core")
def test_without_a_limit_there_is_one_for_each_core():
    assert found_by(ENGINE, 0)["onnxruntime"] == min(os.cpu_count(), 4)


@pytest.mark.parametrize(
    ("flags", "policy"),
    [("fma avx avx2", "PASSIVE"), ("avx2 avx512f", None), ("sse4_2 avx", None), ("", None)],
)
@pytest.mark.parametrize("entry", ["node", "verb"])
def test_idle_threads_sleep_where_winograd_needs_their_cores(
    monkeypatch, tmp_path, entry, flags, policy
):
    monkeypatch.setenv("OMP_WAIT_POLICY", "as before")  # so that it is put back
    monkeypatch.delenv("OMP_WAIT_POLICY")
    cpus = tmp_path / "cpuinfo"
    cpus.write_text(f"flags\t\t: fpu {flags} clflush\n")
    monkeypatch.setattr(threads, "_CPUS", cpus)
    _enter(entry, monkeypatch)
    assert os.environ.get("OMP_WAIT_POLICY") == policy


def test_who_says_how_threads_wait_is_obeyed(monkeypatch, tmp_path):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.setattr(threads, "_CPUS", tmp_path / "nowhere")
    _enter("node", monkeypatch)
    (tmp_path / "cpuinfo").write_text("flags : avx2")
    monkeypatch.setattr(threads, "_CPUS", tmp_path / "cpuinfo")
    _enter("verb", monkeypatch)
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def _enter(entry, monkeypatch):
    """Start a ground node that lacks a module, or a verb that is given nothing to replay."""
    if entry == "node":
        monkeypatch.setitem(sys.modules, "sc2_ros.nodes.ground_station", None)
        with pytest.raises(ModuleNotFoundError):
            ground_node.create()
    else:
        assert main(["replay", "/nowhere"]) == 2
