# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Imports PyTorch without the garbage collector, which takes a fifth of the import's second.

An import makes hundreds of thousands of objects, and next to no garbage.
"""

import gc

_collects = gc.isenabled()
gc.disable()
try:
    import torch  # noqa: F401
finally:
    if _collects:
        gc.enable()
