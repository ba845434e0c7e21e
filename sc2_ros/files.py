# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are there as a whole or not at all, also where the disk is full or a process dies."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write a file that then replaces `path`, in one step; its folder is made.

    What fails inside leaves nothing behind, and the file that was there before as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Write a file; one that is there already is replaced only when all of it is written."""
    with replacing(path) as unfinished:
        unfinished.write_bytes(data)
