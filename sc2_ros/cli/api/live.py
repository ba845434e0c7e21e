# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The line that tells how the stream is doing while it runs."""

import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sc2_ros.evaluation.session.log import Recent

TERMINAL_S, PIPE_S = 0.25, 5.0
"""How often the line is renewed in a terminal; how often it is printed where there is none."""


class LiveLine:
    """One line, renewed in place in a terminal, printed now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._due_s = 0.0

    def is_due(self) -> bool:
        """Whether it is time for a line; then not again until the next one."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return False
        self._due_s = now_s + (TERMINAL_S if self._live else PIPE_S)
        return True

    def show(self, text: Text | str) -> None:
        """Show a line; never wrapped."""
        line = Text(text) if isinstance(text, str) else text
        line.no_wrap, line.overflow = True, "ellipsis"
        if self._live:
            self._live.update(line, refresh=True)
        else:
            self._console.print(line, soft_wrap=True)

    def __enter__(self) -> "LiveLine":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._live:
            self._live.stop()


def line_of(recent: Recent, elapsed_s: float, seconds: float) -> Text:
    """The state of the stream in one line, most important first."""
    text = Text()
    capacity = "" if recent.capacity_kbps is None else f"/{recent.capacity_kbps:.0f}"
    latency = "-"
    if recent.latency_p50_ms is not None and recent.latency_p95_ms is not None:
        latency = f"{recent.latency_p50_ms:.0f}/{recent.latency_p95_ms:.0f}"
    for value, unit in (
        (f"{recent.fps:.1f}", "frames/s"),
        (f"{recent.bytes_per_frame:,.0f}", "bytes/frame"),
        (f"{recent.sent_kbps:.0f}{capacity}", "kbit/s"),
        (f"{recent.loss:.1%}", "loss"),
        (latency, "ms p50/p95"),
        (str(recent.objects), "objects"),
        (f"{elapsed_s:.0f}/{seconds:.0f}", "s"),
    ):
        text.append(value, "bold")
        text.append(f" {unit}  ", "dim")
    return text
