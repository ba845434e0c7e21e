# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a training is doing: a bar on a terminal, a line every 15 seconds in a log file."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

LINE_EVERY_S = 15.0
BAR_EVERY_S = 0.5


class Reporter:
    """Shows step, share, speed, time left and the running means of the loss's parts."""

    def __init__(self, console: Console | None = None) -> None:
        """console: where to; a bar where it is a terminal (default: standard output)."""
        self._console = console or Console(file=sys.stdout)
        self._bar: Progress | None = None
        if self._console.is_terminal:
            columns = (BarColumn(24), TaskProgressColumn(), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=self._console)
            self._task = self._bar.add_task("", total=1.0)
        self._shown = time.monotonic()

    def due(self) -> bool:
        """Whether it is time to show something again."""
        every = BAR_EVERY_S if self._bar else LINE_EVERY_S
        return time.monotonic() - self._shown > every

    def show(self, step: int, share: float, minutes: float, means: dict[str, float]) -> None:
        """share: of the schedule, in [0, 1]; minutes: that the training has taken so far."""
        self._shown = time.monotonic()
        left = minutes * (1 / max(share, 1e-6) - 1)
        rate = step / max(minutes * 60, 1e-6)
        parts = " ".join(f"{name} {value:.4f}" for name, value in means.items())
        if self._bar:
            text = f"step {step} {rate:.2f}/s left {left:.0f} min  {parts}"
            self._bar.update(self._task, completed=share, description=text)
        else:
            print(
                f"step {step} {share:6.1%} {rate:.2f}/s left {left:.0f} min  {parts}",
                file=self._console.file,
                flush=True,
            )

    def __enter__(self) -> Reporter:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()
