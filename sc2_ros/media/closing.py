# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What sources and sinks have in common: `with` closes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

Opened = TypeVar("Opened", bound="Closing")


class Closing(ABC):
    """A context manager whose end is `close`."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file or device; again does no harm."""

    def __enter__(self: Opened) -> Opened:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
