# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are there as a whole or not at all, also where the disk is full."""

import contextlib
import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file; one that is there already is replaced only when all of it is written."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
