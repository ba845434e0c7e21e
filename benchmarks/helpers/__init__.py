# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What only the benchmarks use; not installed."""
