# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""FrankenSplit: shallow variational bottlenecks, trained by where a teacher looks."""
