# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Says once that a camera's stamps cannot tell its images apart."""

from __future__ import annotations

ENOUGH = 5
"""Images of one stamp; a driver may well send one twice."""


class StampWatch:
    """Looks at the stamps of one camera's images."""

    def __init__(self) -> None:
        self._last_ns: int | None = None
        self._same = 1
        self._said = False

    def see(self, stamp_ns: int) -> str | None:
        """A sentence for the log when it has become clear that the stamps stand still; once."""
        self._same = self._same + 1 if stamp_ns == self._last_ns else 1
        self._last_ns = stamp_ns
        if self._said or self._same < ENOUGH:
            return None
        self._said = True
        what = "no stamp" if stamp_ns == 0 else "one and the same stamp"
        return (
            f"the camera's images have {what} ({stamp_ns / 1e9:.3f} s): results come in order, but "
            "carry it too, so nobody can match them with images; let the camera driver set "
            "header.stamp to the time of capture"
        )
