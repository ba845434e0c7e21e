# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What image_transport makes of the preview."""

import os
import shutil
import signal
import subprocess

import pytest

pytestmark = pytest.mark.processes


def test_the_preview_becomes_an_ordinary_image(fly, node, spin_until):
    packages = pytest.importorskip("ament_index_python.packages", reason="needs ament_index_python")
    for name in ("image_transport", "compressed_image_transport"):
        try:
            packages.get_package_prefix(name)
        except packages.PackageNotFoundError:
            pytest.skip(f"needs {name}")
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    fly()
    heard = []
    node.create_subscription(Image, "/ordinary", heard.append, qos_profile_sensor_data)
    words = "run image_transport republish --ros-args -p in_transport:=compressed"
    words += " -p out_transport:=raw -r in/compressed:=/preview/compressed -r out:=/ordinary"
    command = [shutil.which("ros2"), *words.split()]
    with subprocess.Popen(command, start_new_session=True) as republisher:
        try:
            spin_until(lambda: len(heard) > 3, "previews")
        finally:  # as a terminal does: `ros2 run` does not hand a signal on
            os.killpg(republisher.pid, signal.SIGINT)

    image = heard[-1]
    assert (image.width, image.height, image.header.frame_id) == (96, 80, "camera")
    assert image.encoding in ("rgb8", "bgr8")
    assert len(set(bytes(image.data))) > 10
