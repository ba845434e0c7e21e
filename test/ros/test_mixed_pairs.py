# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drone and ground station on two runtimes, either way round, and both on rclpy."""

import signal

import pytest

DEADLINE_S = 300.0

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ("air", "ground"), [("rclpy", "embedded"), ("embedded", "rclpy"), ("rclpy", "rclpy")]
)
def test_detections_come_of_images_on_the_other_runtime(
    node, spin_until, start, model, air, ground
):
    # Arrange
    from diagnostic_msgs.msg import DiagnosticArray
    from rclpy.qos import QoSDurabilityPolicy, QoSProfile, qos_profile_sensor_data
    from sensor_msgs.msg import Image
    from vision_msgs.msg import Detection2DArray, LabelInfo

    camera = ("-p", "fps:=5.0", "-p", "size:=192x160")
    rate = ("-p", "rate.mode:=fixed", "-p", "rate.index:=0.0")
    processes = [
        start(air, "camera_node", *camera),
        start(air, "onboard_node", "-p", f"model:={model}", *rate),
        start(ground, "ground_node", "-p", f"model:={model}", "-p", "score_threshold:=0.0"),
    ]
    heard = {}

    def listen(kind, topic, qos=qos_profile_sensor_data):
        node.create_subscription(kind, topic, lambda m: heard.__setitem__(topic, m), qos)

    listen(Detection2DArray, "detections")
    listen(Image, "mask")
    latched = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
    listen(LabelInfo, "label_info", latched)
    statuses = {}

    def diagnose(message):
        statuses.update({status.name: status for status in message.status})

    node.create_subscription(DiagnosticArray, "/diagnostics", diagnose, 10)

    # Act: of the whole way, the round trip comes last.
    def named():
        found = heard.get("detections")
        return found if found is not None and found.header.frame_id else None

    detections = spin_until(named, "detections with the camera's frame_id")
    mask = spin_until(lambda: heard.get("mask"), "a mask")
    labels = spin_until(lambda: heard.get("label_info"), "the names of the mask's numbers")

    def round_trip():
        status = statuses.get("onboard_node: link")
        values = {} if status is None else {value.key: value.value for value in status.values}
        return values.get("rtt_ms")

    spin_until(round_trip, "a round trip time")

    def good_link():
        status = statuses.get("ground_node: link")
        return status is not None and status.level == b"\x00"

    spin_until(good_link, "a diagnosis of the ground that nothing is wrong with the link")

    # Assert
    assert detections.header.frame_id == "camera"
    assert detections.detections, "a threshold of 0 lets something through"
    assert (mask.width, mask.height, mask.encoding) == (192, 160, "mono8")
    assert labels.class_map[0].class_name == "road"
    for process in processes:
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
    for process in processes:
        _, text = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, text
        assert "Traceback" not in text
