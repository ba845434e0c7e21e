# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where frames come from and where results go: videos, folders, cameras, bags, a flight."""
