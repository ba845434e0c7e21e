# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What holds for every test: a busy machine is no failure, so examples have no deadline.

The suite tests the embedded runtime, also where ROS 2 is sourced (`colcon test`); what runs on real
ROS 2 is in test/ros.
"""

import os

from hypothesis import settings

os.environ.setdefault("SC2_RUNTIME", "embedded")
settings.register_profile("sc2", deadline=None)
settings.load_profile("sc2")
