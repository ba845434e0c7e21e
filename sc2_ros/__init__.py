# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sc2_ros: a drone that sees through a link which cannot carry video."""

__version__ = "0.1.0"
