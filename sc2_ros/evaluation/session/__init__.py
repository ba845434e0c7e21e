# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A flight over a link, live or in virtual time: its figures, picture and video."""
