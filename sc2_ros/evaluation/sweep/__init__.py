# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Systems over a data set: rows, their cache, tables and figures."""
