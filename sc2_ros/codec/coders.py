# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rANS coders of a checkpoint."""

from __future__ import annotations

from sc2_ros.codec.rans import SymbolCoder
from sc2_ros.codec.tables import CodingTables


class Coders:
    """A coder for each bank that a checkpoint has."""

    def __init__(self, tables: CodingTables) -> None:
        """Turn the banks into what compressai takes."""
        self.counted = SymbolCoder(tables)
        self.temporal = None if tables.temporal is None else SymbolCoder(tables.temporal)
        self.learned = None if tables.context is None else SymbolCoder(tables.context)
        self.skip = None if tables.skip is None else SymbolCoder(tables.skip)
