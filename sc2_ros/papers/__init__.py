# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The papers that sc2_ros stands on, one folder each: network and recipe."""
