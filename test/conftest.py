# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What holds for every test: a busy machine is no failure, so examples have no deadline.

The suite tests the embedded runtime, also where ROS 2 is sourced (`colcon test`); what runs on real
ROS 2 is in test/ros.
"""

import os
from typing import Any

import pytest
from hypothesis import settings

os.environ.setdefault("SC2_RUNTIME", "embedded")
if "PYTEST_XDIST_WORKER" in os.environ:  # a worker is meant for one core
    os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("sc2", deadline=None)
settings.load_profile("sc2")


REAL_TIME = ("test/nodes/", "test/runtime/", "test/ros/", "test/cli/test_demo.py")


@pytest.hookimpl(optionalhook=True)  # only pytest-xdist has it
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Which tests one worker runs, one after the other.

    Those of a file, which share fixtures; and all that start processes or join a DDS domain, since
    a flight in real time wants a core to itself. (`--dist loadgroup` does nothing with pytest 9.2.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "real time" if nodeid.startswith(REAL_TIME) else nodeid.partition("::")[0]

    return ByFile(config, log)
