# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The procedural aerial scene behind `sc2_ros.media.flight`."""
