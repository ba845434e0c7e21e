# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Links, drones and a ground station in virtual time: what the controller is measured on."""
