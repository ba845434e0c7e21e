# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground station's side without ROS: packets in, results and feedback out (pipeline.py)."""
