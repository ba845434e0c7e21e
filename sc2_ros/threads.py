# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many threads the libraries of a process compute in: one number for all of them.

It stands in OMP_NUM_THREADS, which OpenMP (PyTorch) and BLAS read when they are loaded; those that
are loaded already, OpenCV and ONNX Runtime, which do not look at it, are told.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_VARIABLE = "OMP_NUM_THREADS"
_CPUS = Path("/proc/cpuinfo")


def limit_threads(count: int) -> None:
    """Let every library of this process compute in at most so many threads; 0 changes nothing.

    Before the first frame: NNPACK (network/winograd.py) keeps the threads that it has begun with.
    """
    if count <= 0:
        return
    import cv2  # a node without pictures never gets here
    from threadpoolctl import threadpool_limits

    os.environ[_VARIABLE] = str(count)
    threadpool_limits(count)
    cv2.setNumThreads(count)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(count)


def leave_cores_to_winograd() -> None:
    """Let idle threads of OpenMP sleep where it matters; to be called before PyTorch is loaded.

    They spin for milliseconds after each layer, on the cores that NNPACK's threads need for the
    next: with AVX2 and no wider vectors, where `network.winograd` pays, the ground network takes
    165 ms with threads that sleep and 240 with such that spin. On other CPUs they would only wake
    late.
    """
    try:
        flags = _CPUS.read_text().split()
    except OSError:  # not Linux
        return
    if "avx2" in flags and "avx512f" not in flags:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def thread_count() -> int:
    """How many threads a library may compute in: as limited, else one for each core."""
    text = os.environ.get(_VARIABLE, "").partition(",")[0].strip()
    return int(text) if text.isdecimal() and int(text) else os.cpu_count() or 1
