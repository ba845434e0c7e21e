# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The words in which a person describes a link: ``500kbit,40ms,2%``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sc2_ros.errors import LinkSpecError
from sc2_ros.link.sim.trace import OPPORTUNITY_BYTES, Trace, read_trace

__all__ = ["OPPORTUNITY_BYTES", "LinkSpec", "Step", "Trace", "parse_link", "read_trace"]

DEFAULT_QUEUE_S = 0.3
"""Depth of the bottleneck's queue where none is given (RFC 8867, section 4: 300 ms)."""

_MIN_QUEUE_BYTES = 3000
_MAX_STEPS = 1000
_RATE_UNITS = {"bit": 1.0, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
_TIME_UNITS = {"ms": 1e-3, "s": 1.0}
_BYTE_UNITS = {"b": 1.0, "kb": 1e3}
_QUANTITY = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]+|%)", re.IGNORECASE)

_HELP = (
    "give a rate (500kbit, 2mbit or unlimited), rates in turn (1mbit>600kbit@20s>1mbit@40s) or the "
    "path of a mahimahi trace (with mean=1mbit to scale it), and optionally a delay (40ms), a loss "
    "(2%), burst=5%x8 (loss in bursts of 8 packets), jitter=10ms, queue=30000B or queue=300ms, "
    "outage=3s@10s, reorder=1%x20ms, duplicate=1%, separated by commas"
)

Step = tuple[float, float]
"""(from second, bit/s)."""


@dataclass(frozen=True)
class LinkSpec:
    """A one-way link: what it carries, how late, and how much of it is lost.

    Attributes:
        rate_bps: fixed capacity in bit/s; ``None`` with a trace, ``inf`` for an unlimited link;
            with steps the first one's.
        trace: recorded capacity instead of a fixed one.
        delay_s: propagation delay in seconds.
        jitter_s: largest extra delay in seconds (uniform; it never reorders).
        loss: share of the packets lost at random, 0 to 1.
        queue_bytes: size of the drop-tail queue at the bottleneck.
        steps: capacities in turn, the first from 0 s; empty for a capacity that stays.
        outages: (first, last) second of each span in which nothing leaves the bottleneck.
        burst_loss: share of the packets lost in bursts, 0 to below 1.
        burst_packets: mean length of such a burst.
        reorder: share of the packets that are overtaken by later ones.
        reorder_s: by how much they are late, seconds.
        duplicate: share of the packets that come twice.
    """

    rate_bps: float | None = math.inf
    trace: Trace | None = None
    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    queue_bytes: int = _MIN_QUEUE_BYTES
    steps: tuple[Step, ...] = ()
    outages: tuple[tuple[float, float], ...] = ()
    burst_loss: float = 0.0
    burst_packets: float = 1.0
    reorder: float = 0.0
    reorder_s: float = 0.0
    duplicate: float = 0.0

    @property
    def mean_bps(self) -> float:
        """Mean capacity in bit/s (``inf`` when unlimited); of steps, their plain mean."""
        if self.trace is not None:
            return self.trace.mean_bps
        if self.steps:
            return sum(rate_bps for _, rate_bps in self.steps) / len(self.steps)
        assert self.rate_bps is not None
        return self.rate_bps


def parse_link(text: str) -> LinkSpec:
    """Read a link description such as ``500kbit,40ms,2%`` or ``lte.up,40ms,jitter=5ms``.

    The order is free; every term may come once, ``outage=`` more often. Raises ``LinkSpecError``
    on anything else.
    """
    found: dict[str, tuple[float, ...]] = {}
    outages: list[tuple[float, float]] = []
    steps: tuple[Step, ...] = ()
    trace: Trace | None = None
    values: tuple[float, ...]
    for term in (term.strip() for term in text.split(",")):
        if ">" in term:
            kind, values, steps = "rate", (), _read_steps(term, text)
        else:
            kind, values = _read_term(term, text)
        if kind == "outage":
            outages.append((values[1], values[1] + values[0]))
            continue
        if kind in found or (kind in ("rate", "trace") and found.keys() & {"rate", "trace"}):
            raise LinkSpecError(f"link {text!r}: {term!r} gives the {kind} a second time; {_HELP}")
        found[kind] = values
        if kind == "trace":
            trace = read_trace(Path(term).expanduser())
    if "rate" not in found and trace is None:
        raise LinkSpecError(f"link {text!r} gives no capacity; {_HELP}")
    if "mean" in found:
        if trace is None:
            raise LinkSpecError(f"link {text!r}: mean= scales a trace, and there is none; {_HELP}")
        trace = trace.scaled_to(found["mean"][0])
    rate_bps = None if trace else steps[0][1] if steps else found["rate"][0]
    burst_loss, burst_packets = found.get("burst", (0.0, 1.0))
    reorder, reorder_s = found.get("reorder", (0.0, 0.0))
    spec = LinkSpec(rate_bps, trace, steps=steps)
    return LinkSpec(
        rate_bps=rate_bps,
        trace=trace,
        delay_s=found.get("delay", (0.0,))[0],
        jitter_s=found.get("jitter", (0.0,))[0],
        loss=found.get("loss", (0.0,))[0],
        queue_bytes=_queue_bytes(found.get("queue"), spec.mean_bps),
        steps=steps,
        outages=tuple(sorted(outages)),
        burst_loss=burst_loss,
        burst_packets=burst_packets,
        reorder=reorder,
        reorder_s=reorder_s,
        duplicate=found.get("duplicate", (0.0,))[0],
    )


def _quantity(text: str, units: dict[str, float]) -> float | None:
    """Value in SI units of a number with one of the units; ``None`` if it is none."""
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or match[2].lower() not in units:
        return None
    value = float(match[1]) * units[match[2].lower()]
    return value if math.isfinite(value) else None


def _share(text: str) -> float | None:
    return _quantity(text, {"%": 0.01})


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,6}(\.\d*)?", text.strip()) else None


def _pair(
    text: str,
    between: str,
    first: Callable[[str], float | None],
    second: Callable[[str], float | None],
) -> tuple[float, float] | None:
    left, separator, right = text.partition(between)
    a, b = first(left), second(right)
    return None if not separator or a is None or b is None else (a, b)


def _time(text: str) -> float | None:
    return _quantity(text, _TIME_UNITS)


def _rate(text: str) -> float | None:
    return math.inf if text.strip().lower() == "unlimited" else _quantity(text, _RATE_UNITS)


def _queue(text: str) -> tuple[float, ...] | None:
    """(bytes,) or (nan, seconds)."""
    seconds, size = _time(text), _quantity(text, _BYTE_UNITS)
    return (math.nan, seconds) if seconds is not None else None if size is None else (size,)


def _one(read: Callable[[str], float | None]) -> Callable[[str], tuple[float, ...] | None]:
    def reader(text: str) -> tuple[float, ...] | None:
        value = read(text)
        return None if value is None else (value,)

    return reader


_NAMED: dict[str, Callable[[str], tuple[float, ...] | None]] = {
    "jitter": _one(_time),
    "queue": _queue,
    "mean": _one(_rate),
    "burst": lambda text: _pair(text, "x", _share, _number),
    "outage": lambda text: _pair(text, "@", _time, _time),
    "reorder": lambda text: _pair(text, "x", _share, _time),
    "duplicate": _one(_share),
}
_MOST = {"loss": 1.0, "burst": 0.9, "reorder": 1.0, "duplicate": 1.0}
"""The largest first value of what is a share."""


def _read_term(term: str, text: str) -> tuple[str, tuple[float, ...]]:
    """Kind (rate, delay, loss, trace or a name of the table) and values in SI units of a term."""
    name, equals, rest = term.partition("=")
    kind = name.strip().lower()
    if equals and kind in _NAMED:
        values = _NAMED[kind](rest)
        if values is None:
            raise LinkSpecError(f"link {text!r}: {term!r} is not a {kind}; {_HELP}")
    elif (rate_bps := _rate(term)) is not None:
        kind, values = "rate", (rate_bps,)
    elif (delay_s := _time(term)) is not None:
        kind, values = "delay", (delay_s,)
    elif (loss := _share(term)) is not None:
        kind, values = "loss", (loss,)
    elif _is_file(term):
        return "trace", ()
    else:
        raise LinkSpecError(
            f"link {text!r}: {term!r} is neither a quantity with a unit nor a trace file; {_HELP}"
        )
    if kind in ("rate", "mean") and (values[0] <= 0 or (kind == "mean" and values[0] == math.inf)):
        raise LinkSpecError(f"link {text!r}: the rate {term!r} must be above zero")
    if kind in _MOST and values[0] > _MOST[kind]:
        raise LinkSpecError(f"link {text!r}: the {kind} {term!r} is above {_MOST[kind]:.0%}")
    if kind == "burst" and values[1] < 1:
        raise LinkSpecError(f"link {text!r}: the burst {term!r} is shorter than one packet")
    return kind, values


def _read_steps(term: str, text: str) -> tuple[Step, ...]:
    """Rates in turn: ``1mbit>600kbit@20s>1mbit@40s``; a rate of 0 is an outage."""
    first, *others = term.split(">")
    rate_bps = _rate(first)
    steps = [] if rate_bps is None else [(0.0, rate_bps)]
    for other in others:
        pair = _pair(other, "@", _rate, _time)
        if pair and steps and pair[1] > steps[-1][0]:
            steps.append((pair[1], pair[0]))
    finite = all(math.isfinite(rate) for _, rate in steps)
    if len(steps) != 1 + len(others) or len(steps) > _MAX_STEPS or not finite or steps[-1][1] <= 0:
        raise LinkSpecError(
            f"link {text!r}: {term!r} is not RATE>RATE@TIME>RATE@TIME with rising times and a last "
            f"rate above zero; {_HELP}"
        )
    return tuple(steps)


def _is_file(term: str) -> bool:
    try:
        return bool(term) and Path(term).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def _queue_bytes(queue: tuple[float, ...] | None, mean_bps: float) -> int:
    """Queue size in bytes; by default 300 ms, but at least two full packets."""
    if queue is not None and len(queue) == 1:
        return int(queue[0])
    size = (queue[1] if queue else DEFAULT_QUEUE_S) * mean_bps / 8
    return 2**62 if math.isinf(size) or math.isnan(size) else max(int(size), _MIN_QUEUE_BYTES)
