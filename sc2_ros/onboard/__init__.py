# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's side without ROS: camera frames in, packets out, feedback in (pipeline.py)."""
