# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a benchmark ends."""

import sys
from collections.abc import Callable
from typing import NoReturn

from sc2_ros.errors import Sc2Error


def exit_with(main: Callable[[], int | None]) -> NoReturn:
    """End the process with what main returns, or with one line about what is wrong."""
    try:
        sys.exit(main())
    except Sc2Error as error:
        sys.exit(f"error: {error}")
