# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What several verbs of the command line share."""
