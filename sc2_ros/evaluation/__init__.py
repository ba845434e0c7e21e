# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures of accuracy and bytes: AP, mIoU, BD-rate, baselines, rate sweeps."""
