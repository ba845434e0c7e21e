# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A key, and network namespaces, for tests of the air link."""

import air_flight as flights
import pytest

from sc2_ros.link.air.key import new_key_file


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "air.key"
    new_key_file(path)
    return str(path)


@pytest.fixture(scope="module")
def net():
    made = flights.Namespaces()
    yield made
    made.close()
