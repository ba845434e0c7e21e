# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What holds for every test: a busy machine is no failure, so examples have no deadline."""

from hypothesis import settings

settings.register_profile("sc2", deadline=None)
settings.load_profile("sc2")
