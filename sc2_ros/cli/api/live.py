# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the stream is doing while it runs: a block in a terminal, now and then a line elsewhere."""

import time
from collections import deque

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from sc2_ros.evaluation.session.log import Recent

TERMINAL_S, PIPE_S = 0.25, 5.0
"""How often it is renewed in a terminal; how often a line is printed where there is none."""
HISTORY = 60
BARS = " ▁▂▃▄▅▆▇█"
STAGE_COLOURS = ("blue", "grey50", "cyan", "yellow", "magenta", "grey50", "red", "green", "grey50")
STAGE_WIDTH = 60


class Every:
    """Says when something that is done every `period_s` seconds is due, by the wall's time."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._due_s = 0.0

    def is_due(self) -> bool:
        """Whether it is time; then not again until the next time."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return False
        self._due_s = now_s + self._period_s
        return True


class LiveView:
    """Renewed in place in a terminal, printed now and then elsewhere; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self.every = Every(TERMINAL_S if self._live else PIPE_S)
        self._sent: deque[float] = deque(maxlen=HISTORY)
        self._latency: deque[float] = deque(maxlen=HISTORY)

    def tell(self, text: str) -> None:
        """Show a sentence; never wrapped."""
        line = Text(text, no_wrap=True, overflow="ellipsis")
        if self._live:
            self._live.update(line, refresh=True)
        else:
            self._console.print(line, soft_wrap=True)

    def show(self, recent: Recent, elapsed_s: float, seconds: float) -> None:
        """Show the state of the stream."""
        line = line_of(recent, elapsed_s, seconds)
        if not self._live:
            self._console.print(line, soft_wrap=True)
            return
        self._sent.append(recent.sent_kbps)
        self._latency.append(recent.latency_p50_ms or 0.0)
        top = max(*self._sent, recent.capacity_kbps or 0.0)
        rows = [
            line,
            Text.assemble(("link     ", "dim"), (sparkline(self._sent, top), "blue"),
                          (f"  of {top:.0f} kbit/s", "dim")),
            Text.assemble(("latency  ", "dim"), (sparkline(self._latency), "green"),
                          (f"  of {max(self._latency):.0f} ms", "dim")),
        ]  # fmt: skip
        if recent.stages_ms:
            rows += stage_lines(recent.stages_ms)
        for row in rows:
            row.no_wrap, row.overflow = True, "ellipsis"
        self._live.update(Group(*rows), refresh=True)

    def __enter__(self) -> "LiveView":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._live:
            self._live.stop()


def line_of(recent: Recent, elapsed_s: float, seconds: float) -> Text:
    """The state of the stream in one line, most important first."""
    text = Text(no_wrap=True, overflow="ellipsis")
    capacity = "" if recent.capacity_kbps is None else f"/{recent.capacity_kbps:.0f}"
    latency = "-"
    if recent.latency_p50_ms is not None and recent.latency_p95_ms is not None:
        latency = f"{recent.latency_p50_ms:.0f}/{recent.latency_p95_ms:.0f}"
    index = "-" if recent.rate_index is None else f"{recent.rate_index:.2f}"
    for value, unit in (
        (f"{recent.fps:.1f}", "frames/s"),
        (f"{recent.bytes_per_frame:,.0f}", "bytes/frame"),
        (f"{recent.sent_kbps:.0f}{capacity}", "kbit/s"),
        (index, "rate index"),
        (f"{recent.loss:.1%}", "loss"),
        (latency, "ms p50/p95"),
        (str(recent.objects), "objects"),
        (f"{elapsed_s:.0f}/{seconds:.0f}", "s"),
    ):
        text.append(value, "bold")
        text.append(f" {unit}  ", "dim")
    return text


def stage_lines(stages_ms: dict[str, float]) -> list[Text]:
    """Where the latency goes: a bar, and what its colours mean."""
    total_ms = max(sum(stages_ms.values()), 1e-9)
    bar, words = Text("stages   ", "dim"), Text("         ")
    for (stage, ms), colour in zip(stages_ms.items(), STAGE_COLOURS, strict=True):
        bar.append("█" * round(max(ms, 0.0) / total_ms * STAGE_WIDTH), colour)
        words.append(f"{stage} {ms:.0f}  ", colour)
    return [bar, words]


def sparkline(values: "deque[float] | list[float]", top: float | None = None) -> str:
    """Values from 0 to `top`, by default the highest, as one character each."""
    top = max(values, default=0.0) if top is None else top
    steps = len(BARS) - 1
    return "".join(BARS[round(min(max(v / top, 0.0), 1.0) * steps)] if top else " " for v in values)
