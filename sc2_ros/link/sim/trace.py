# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded links: mahimahi's packet delivery traces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sc2_ros.errors import LinkSpecError

OPPORTUNITY_BYTES = 1500
"""Bytes that one line of a mahimahi trace lets through."""

_MAX_TRACE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Trace:
    """A recorded link in mahimahi's format: when it could have carried 1500 bytes each.

    Attributes:
        times_ms: (N,) int64, sorted; the trace repeats after its last time.
        name: the file it was read from.
        opportunity_bytes: bytes that each time lets through; 1500 unless the trace was scaled.
    """

    times_ms: npt.NDArray[np.int64]
    name: str
    opportunity_bytes: float = OPPORTUNITY_BYTES

    @property
    def period_s(self) -> float:
        """Seconds after which the trace repeats."""
        return float(self.times_ms[-1]) / 1000.0

    @property
    def mean_bps(self) -> float:
        """Mean capacity over one period, bit/s."""
        return len(self.times_ms) * self.opportunity_bytes * 8 / self.period_s

    def scaled_to(self, mean_bps: float) -> Trace:
        """The same ups and downs at the same times around another mean."""
        factor = mean_bps / self.mean_bps
        return replace(self, opportunity_bytes=self.opportunity_bytes * factor)


def read_trace(path: Path) -> Trace:
    """Read a mahimahi trace: one time in whole milliseconds per line, never decreasing."""
    try:
        if path.stat().st_size > _MAX_TRACE_BYTES:
            raise LinkSpecError(f"trace {path} is larger than {_MAX_TRACE_BYTES} bytes")
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise LinkSpecError(f"trace {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not (line.isdecimal() and len(line) <= 12):
            raise LinkSpecError(
                f"trace {path} is not in mahimahi format: entry {number} is {line[:40]!r}, "
                "expected a time in whole milliseconds on every line"
            )
    times_ms = np.array([int(line) for line in lines], dtype=np.int64)
    if len(times_ms) == 0 or times_ms[-1] == 0:
        raise LinkSpecError(f"trace {path} is empty: it needs at least one time above 0 ms")
    if np.any(np.diff(times_ms) < 0):
        raise LinkSpecError(f"trace {path} is not in mahimahi format: its times go backwards")
    return Trace(times_ms, str(path))
