# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the files lie that ship beside the code: models and configurations."""

import os
import sys
from pathlib import Path


def shared_folders(part: str) -> list[Path]:
    """Where the folder `part` ("models", "config") may be: source tree, ROS or pip share."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    prefixes += [sys.prefix, os.path.expanduser("~/.local"), "/usr/local"]  # also without a home
    shares = [Path(prefix) / "share" / "sc2_ros" for prefix in prefixes if prefix]
    return [folder / part for folder in (Path(__file__).resolve().parent.parent, *shares)]
