# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The base of what a user of the runtime can cause and mend."""


class RosError(Exception):
    """A command line, a parameter, a name or an environment variable that ROS 2 refuses."""
