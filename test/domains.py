# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A DDS domain for one test, which no other worker of pytest-xdist takes."""

import os
import random

WORKERS = 10
DOMAINS = range(1, 201)


def own_domain() -> int:
    """At random, so that another run on this machine is rarely met, among those of this worker."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return random.SystemRandom().choice(DOMAINS[worker % WORKERS :: WORKERS])
