# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An image message is taken as bytes: what is no image is skipped, the next one is encoded."""

import time

import cv2
import numpy as np
import pytest

from sc2_ros.media import encodings
from sc2_ros.media.messages import image_message
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.runtime.messages import to_cdr
from sc2_ros.runtime.ros import rclpy


@pytest.fixture
def node(private_domain, model):
    parameters = (f"model:={model}", "rate.mode:=fixed", "frame.max_fps:=0.0")
    words = [word for parameter in parameters for word in ("-p", parameter)]
    rclpy.init(args=["node", "--ros-args", *words])
    made = OnboardNode()
    made.autostart()
    yield made
    made.destroy_node()
    rclpy.try_shutdown()


def wait_until(node, condition):
    give_up_s = time.monotonic() + 60.0
    while not condition():
        node._worker.check()
        assert time.monotonic() < give_up_s
        time.sleep(0.01)


def test_bytes_that_are_no_image_are_skipped_and_the_next_image_is_encoded(node, capfd):
    whole = to_cdr(image_message(np.zeros((64, 96, 3), np.uint8), 5, "camera"))
    cases = b"", whole[:20], whole[:-500]

    for number, cdr in enumerate(cases, start=1):
        node._on_image(cdr)
        wait_until(node, lambda: node._counters._unreadable == number)  # noqa: B023
    node._on_image(whole)
    wait_until(node, lambda: node._pipeline.stats.frames_sent == 1)

    said = capfd.readouterr().err
    assert "a message of 0 bytes without a whole header" in said
    assert "bytes is no image" in said


def test_an_image_that_opencv_refuses_is_skipped_and_the_next_one_is_encoded(
    node, capfd, monkeypatch
):
    image = to_cdr(image_message(np.zeros((64, 96, 3), np.uint8), 5, "camera"))
    with monkeypatch.context() as patch:
        patch.setattr(encodings, "fit", lambda samples, size: cv2.resize(samples, (0, 0)))
        node._on_image(image)
        wait_until(node, lambda: node._counters._unreadable == 1)
    node._on_image(image)
    wait_until(node, lambda: node._pipeline.stats.frames_sent == 1)

    said = [line for line in capfd.readouterr().err.splitlines() if "image skipped" in line]
    assert len(said) == 1
    assert "inv_scale_x > 0" in said[0]  # the end of what OpenCV says, which has lines of its own
