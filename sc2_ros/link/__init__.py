# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The radio link: its emulation, the ground's reports, and what the drone makes of them.

Everything here is a pure function of (event, time): no clock, no thread, no socket. The nodes,
the offline replay and the tests therefore run the very same code.
"""
