# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that is killed in flight and started again: results flow again, of images taken since."""

import time

import pytest

from sc2_ros.media.messages import to_ns
from sc2_ros.nodes import qos
from sc2_ros.runtime.ros import Detection2DArray

pytestmark = pytest.mark.processes


def test_results_come_again_after_either_node_was_killed(node, spin_until, start, model):
    stamps = []
    node.create_subscription(
        Detection2DArray,
        "detections",
        lambda message: stamps.append(to_ns(message.header.stamp)),
        qos.RESULTS,
    )
    networks = ("-p", f"model:={model}")
    start("camera_node", "-p", "fps:=5.0", "-p", "size:=96x80")
    flying = {name: start(name, *networks) for name in ("onboard_node", "ground_node")}
    spin_until(lambda: len(stamps) > 5, "results")

    for name in ("ground_node", "onboard_node", "ground_node"):
        flying[name].kill()
        flying[name].wait()
        killed_ns = time.time_ns()
        flying[name] = start(name, *networks)
        fresh = len(stamps)
        spin_until(lambda: len(stamps) > fresh + 5, f"results after {name}")  # noqa: B023

        assert stamps[-1] > killed_ns
        assert stamps == sorted(stamps)
