# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many threads the libraries of a process compute in: one number for all of them.

It stands in OMP_NUM_THREADS, which OpenMP (PyTorch) and BLAS read when they are loaded; those that
are loaded already, OpenCV and ONNX Runtime, which do not look at it, are told.
"""

from __future__ import annotations

import os
import sys

from threadpoolctl import threadpool_limits

_VARIABLE = "OMP_NUM_THREADS"


def limit_threads(count: int) -> None:
    """Let every library of this process compute in at most so many threads; 0 changes nothing."""
    if count <= 0:
        return
    import cv2  # a node without pictures never gets here

    os.environ[_VARIABLE] = str(count)
    threadpool_limits(count)
    cv2.setNumThreads(count)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(count)


def thread_count() -> int:
    """How many threads a library may compute in: as limited, else one for each core."""
    text = os.environ.get(_VARIABLE, "").partition(",")[0].strip()
    return int(text) if text.isdecimal() and int(text) else os.cpu_count() or 1
