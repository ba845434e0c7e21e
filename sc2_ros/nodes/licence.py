# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Teaches `ament_copyright` the short notice above, by an entry point (setup.cfg)."""

from __future__ import annotations

from typing import NamedTuple


class Licence(NamedTuple):
    """What ament_copyright asks of a licence: its names, and texts to look for by kind of file."""

    name: str
    spdx: str
    file_headers: tuple[str, ...]
    license_files: tuple[str, ...] = ()
    contributing_files: tuple[str, ...] = ()


apache2 = Licence(
    "Apache License, Version 2.0, by its SPDX identifier",
    "Apache-2.0",
    ("{copyright}\nSPDX-License-Identifier: Apache-2.0\n",),
)
