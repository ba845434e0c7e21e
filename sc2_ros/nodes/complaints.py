# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which errors of a stream of them to log: each kind now and then, no kind hides another."""

from __future__ import annotations

import re

MOST_KINDS = 50


class Complaints:
    """Errors count as one kind if they differ in their numbers only.

    Args:
        every_s: seconds between two lines about one kind.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._said_s: dict[str, float] = {}

    def due(self, text: str, now_s: float) -> bool:
        """Whether to log this now."""
        kind = re.sub(r"\d+", "0", text)
        said_s = self._said_s.pop(kind, None)
        if said_s is not None and now_s - said_s < self._every_s:
            self._said_s[kind] = said_s
            return False
        self._said_s[kind] = now_s
        if len(self._said_s) > MOST_KINDS:
            del self._said_s[next(iter(self._said_s))]
        return True
