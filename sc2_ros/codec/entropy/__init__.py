# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Symbols to bits and back: probability tables, rANS, the integer context network and its walk."""
