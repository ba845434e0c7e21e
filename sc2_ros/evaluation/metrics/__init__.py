# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores of answers against labels, and bytes at equal accuracy."""
