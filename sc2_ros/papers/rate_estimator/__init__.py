# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Neural rate estimator: Ahuja et al., CVPR 2023 workshops."""
