# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""Loggers with rclpy's interface, writing to standard error and to /rosout."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any


class LoggingSeverity(IntEnum):
    """Levels of rcl_interfaces/msg/Log."""

    UNSET = 0
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    FATAL = 50


class Logger:
    """Named logger; `sink` gets what passes the level, `(severity, text)`."""

    default_level = LoggingSeverity.INFO

    def __init__(
        self, name: str, sink: Callable[[LoggingSeverity, str], Any] | None = None
    ) -> None:
        self.name = name
        self._level = LoggingSeverity.UNSET
        self._sink = sink
        self._last_ns: dict[tuple[str, int], int] = {}  # call site -> when it last logged

    def set_level(self, level: int) -> None:
        self._level = LoggingSeverity(level)

    def get_effective_level(self) -> LoggingSeverity:
        return self._level or Logger.default_level

    def is_enabled_for(self, severity: int) -> bool:
        return severity >= self.get_effective_level()

    def debug(self, message: str, **when: Any) -> bool:
        return self._log(LoggingSeverity.DEBUG, message, **when)

    def info(self, message: str, **when: Any) -> bool:
        return self._log(LoggingSeverity.INFO, message, **when)

    def warning(self, message: str, **when: Any) -> bool:
        return self._log(LoggingSeverity.WARN, message, **when)

    def error(self, message: str, **when: Any) -> bool:
        return self._log(LoggingSeverity.ERROR, message, **when)

    def fatal(self, message: str, **when: Any) -> bool:
        return self._log(LoggingSeverity.FATAL, message, **when)

    def _log(
        self,
        severity: LoggingSeverity,
        message: str,
        *,
        throttle_duration_sec: float = 0.0,
    ) -> bool:
        if not self.is_enabled_for(severity):
            return False
        if throttle_duration_sec > 0:
            caller = sys._getframe(2)
            site = (caller.f_code.co_filename, caller.f_lineno)
            last_ns = self._last_ns.get(site)
            now_ns = time.monotonic_ns()
            if last_ns is not None and now_ns - last_ns < throttle_duration_sec * 1e9:
                return False
            self._last_ns[site] = now_ns
        stamp = time.time()
        # Whoever reads it may have gone (a tee, the terminal): that must not end a node in flight.
        with suppress(OSError):
            print(f"[{severity.name}] [{stamp:.9f}] [{self.name}]: {message}", file=sys.stderr)
        if self._sink is not None:
            self._sink(severity, message)
        return True


_loggers: dict[str, Logger] = {}


def get_logger(name: str) -> Logger:
    """The logger of this name, always the same one."""
    return _loggers.setdefault(name, Logger(name))
