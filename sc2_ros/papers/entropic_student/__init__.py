# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entropic Student: Matsubara et al., WACV 2022."""
