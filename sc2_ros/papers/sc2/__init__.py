# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The SC2 benchmark: Matsubara et al., TMLR 2023."""
