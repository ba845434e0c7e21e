# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `sc2 fleet` shows: the newest words of the stations about each drone.

/diagnostics, detections -> FleetBoard -> rows -> a table in the terminal
                                               -> the page of --view
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text

_STATUS = re.compile(r"(?P<station>ground_node\d*): (?:(?P<drone>\S+) )?(?P<part>link|decoder)")
_FORGOTTEN_S = 10.0
"""Silence of a station after which its words count no more."""
_OLDEST_S = 1000.0
"""An image that seems older has the stamp of another clock."""
_STYLES = ("", "yellow", "red", "red")
COLUMNS = (
    *("drone", "station", "age s", "frames/s", "skipped/s", "kbit/s", "loss", "objects", "state"),
)
_WORDS = ("drone", "station", "state")


@dataclass(frozen=True)
class Row:
    """A drone's cells, in the order of COLUMNS, and the worst level that is said of it."""

    cells: tuple[str, ...]
    level: int


@dataclass
class _Drone:
    """What is known of one."""

    station: str = ""
    heard_s: float = 0.0
    values: dict[str, str] = field(default_factory=dict)
    words: dict[str, tuple[int, str]] = field(default_factory=dict)
    stamp_ns: int | None = None
    objects: int = 0


class FleetBoard:
    """Takes statuses and results; a pure function of them and of time."""

    def __init__(self) -> None:
        self._drones: dict[str, _Drone] = {}

    def on_status(
        self, name: str, level: int, message: str, values: Mapping[str, str], now_s: float
    ) -> str | None:
        """Enter a line of /diagnostics; the drone that it is about, None if about none."""
        found = _STATUS.fullmatch(name)
        if found is None:
            return None
        drone = found["drone"] or ""
        row = self._drones.setdefault(drone, _Drone())
        if row.station not in ("", found["station"]):
            row.words.clear()  # another station has taken over
        row.station, row.heard_s = found["station"], now_s
        row.values.update(values)
        row.words[found["part"]] = (level, message)
        return drone

    def on_result(self, drone: str, stamp_ns: int, objects: int) -> None:
        """Enter the detections of an image."""
        row = self._drones.setdefault(drone, _Drone())
        row.stamp_ns, row.objects = stamp_ns, objects

    def rows(self, now_ns: int, now_s: float) -> list[Row]:
        """A row for each drone; now_ns: by the clock of stamps."""
        rows = []
        for drone, known in sorted(self._drones.items()):
            level, state = self._state(known, now_s)
            get = known.values.get
            cells = (
                drone or "(its own)",
                known.station,
                _age(known.stamp_ns, now_ns),
                get("frames_per_s", "-"),
                get("skipped_per_s", "-"),
                get("kbit_per_s", "-"),
                get("loss", "-"),
                "-" if known.stamp_ns is None else str(known.objects),
                state,
            )
            rows.append(Row(cells, level))
        return rows

    @staticmethod
    def _state(row: _Drone, now_s: float) -> tuple[int, str]:
        """The worst of what is said of a drone."""
        silence_s = now_s - row.heard_s
        if silence_s > _FORGOTTEN_S:
            return 2, f"its station has said nothing for {silence_s:.0f} s"
        level, message = max(row.words.values(), default=(0, ""), key=lambda word: word[0])
        return level, message if level else "ok"


def table(rows: Iterable[Row]) -> Table:
    """The rows for a terminal."""
    made = Table(title="drones")
    for column in COLUMNS:
        made.add_column(column, justify="left" if column in _WORDS else "right")
    for row in rows:
        made.add_row(*map(Text, row.cells), style=_STYLES[min(row.level, 3)])
    return made


def _age(stamp_ns: int | None, now_ns: int) -> str:
    age_s = _OLDEST_S if stamp_ns is None else (now_ns - stamp_ns) / 1e9
    return f"{age_s:.1f}" if -_OLDEST_S < age_s < _OLDEST_S else "-"
