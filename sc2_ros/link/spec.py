# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The words in which a person describes a link: ``500kbit,40ms,2%``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sc2_ros.errors import LinkSpecError

OPPORTUNITY_BYTES = 1500
"""Bytes that one line of a mahimahi trace lets through."""

DEFAULT_QUEUE_S = 0.3
"""Depth of the bottleneck's queue where none is given (RFC 8867, section 4: 300 ms)."""

_MIN_QUEUE_BYTES = 3000
_MAX_TRACE_BYTES = 64 * 2**20
_RATE_UNITS = {"bit": 1.0, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
_TIME_UNITS = {"ms": 1e-3, "s": 1.0}
_BYTE_UNITS = {"b": 1.0, "kb": 1e3}
_QUANTITY = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]+|%)", re.IGNORECASE)

_HELP = (
    "give a rate (500kbit, 2mbit or unlimited) or the path of a mahimahi trace, and optionally "
    "a delay (40ms), a loss (2%), jitter=10ms and queue=30000B or queue=300ms, "
    "separated by commas"
)


@dataclass(frozen=True)
class Trace:
    """A recorded link in mahimahi's format: when it could have carried 1500 bytes each.

    Attributes:
        times_ms: (N,) int64, sorted; the trace repeats after its last time.
        name: the file it was read from.
    """

    times_ms: npt.NDArray[np.int64]
    name: str

    @property
    def period_s(self) -> float:
        """Seconds after which the trace repeats."""
        return float(self.times_ms[-1]) / 1000.0

    @property
    def mean_bps(self) -> float:
        """Mean capacity over one period, bit/s."""
        return len(self.times_ms) * OPPORTUNITY_BYTES * 8 / self.period_s


@dataclass(frozen=True)
class LinkSpec:
    """A one-way link: what it carries, how late, and how much of it is lost.

    Attributes:
        rate_bps: fixed capacity in bit/s; ``None`` with a trace, ``inf`` for an unlimited link.
        trace: recorded capacity instead of a fixed one.
        delay_s: propagation delay in seconds.
        jitter_s: largest extra delay in seconds (uniform; it never reorders).
        loss: share of the packets lost at random, 0 to 1.
        queue_bytes: size of the drop-tail queue at the bottleneck.
    """

    rate_bps: float | None = math.inf
    trace: Trace | None = None
    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    queue_bytes: int = _MIN_QUEUE_BYTES

    @property
    def mean_bps(self) -> float:
        """Mean capacity in bit/s (``inf`` when unlimited)."""
        if self.trace is not None:
            return self.trace.mean_bps
        assert self.rate_bps is not None
        return self.rate_bps


def parse_link(text: str) -> LinkSpec:
    """Read a link description such as ``500kbit,40ms,2%`` or ``lte.up,40ms,jitter=5ms``.

    The order is free; every term may come once. Raises ``LinkSpecError`` on anything else.
    """
    found: dict[str, float] = {}
    trace: Trace | None = None
    queue: tuple[float, str] | None = None
    terms = [term.strip() for term in text.split(",")]
    for term in terms:
        kind, value, unit = _read_term(term, text)
        if kind in found or (kind in ("rate", "trace") and found.keys() & {"rate", "trace"}):
            raise LinkSpecError(f"link {text!r}: {term!r} gives the {kind} a second time; {_HELP}")
        found[kind] = value
        if kind == "trace":
            trace = read_trace(Path(term).expanduser())
        if kind == "queue":
            queue = (value, unit)
    if "rate" not in found and trace is None:
        raise LinkSpecError(f"link {text!r} gives no capacity; {_HELP}")
    mean_bps = trace.mean_bps if trace else found["rate"]
    return LinkSpec(
        rate_bps=None if trace else found["rate"],
        trace=trace,
        delay_s=found.get("delay", 0.0),
        jitter_s=found.get("jitter", 0.0),
        loss=found.get("loss", 0.0),
        queue_bytes=_queue_bytes(queue, mean_bps),
    )


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


def _read_term(term: str, text: str) -> tuple[str, float, str]:
    """Kind (rate, delay, loss, jitter, queue, trace), value in SI units, and unit of one term."""
    if term.lower() == "unlimited":
        return "rate", math.inf, ""
    key, equals, rest = term.partition("=")
    named = key.strip().lower() if equals else ""
    if named in ("jitter", "queue"):
        match = _QUANTITY.fullmatch(rest.strip())
        units = _TIME_UNITS if named == "jitter" else {**_TIME_UNITS, **_BYTE_UNITS}
        if match and match[2].lower() in units:
            unit = match[2].lower()
            return named, float(match[1]) * units[unit], "s" if unit in _TIME_UNITS else "B"
        raise LinkSpecError(f"link {text!r}: {term!r} is not a {named}; {_HELP}")
    match = _QUANTITY.fullmatch(term)
    if match:
        value, unit = float(match[1]), match[2].lower()
        if unit in _RATE_UNITS:
            if value <= 0 or not math.isfinite(value):
                raise LinkSpecError(f"link {text!r}: the rate {term!r} must be above zero")
            return "rate", value * _RATE_UNITS[unit], unit
        if unit in _TIME_UNITS:
            return "delay", value * _TIME_UNITS[unit], unit
        if unit == "%":
            if value > 100:
                raise LinkSpecError(f"link {text!r}: the loss {term!r} is above 100%")
            return "loss", value / 100, unit
    try:
        is_file = bool(term) and Path(term).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):
        is_file = False
    if is_file:
        return "trace", 0.0, ""
    raise LinkSpecError(
        f"link {text!r}: {term!r} is neither a quantity with a unit nor a trace file; {_HELP}"
    )


def _queue_bytes(queue: tuple[float, str] | None, mean_bps: float) -> int:
    """Queue size in bytes from ``(value, "B" | "s")``; at least two full packets by default."""
    value, unit = queue or (DEFAULT_QUEUE_S, "s")
    if unit == "B":
        return int(value)
    size = value * mean_bps / 8
    return 2**62 if math.isinf(size) or math.isnan(size) else max(int(size), _MIN_QUEUE_BYTES)
