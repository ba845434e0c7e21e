# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag of rosbag2, played into the nodes with simulated time."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

START_S = 1_700_000_000
COUNT, FPS = 40, 10
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.processes


@pytest.fixture
def bag(rclpy, tmp_path):
    """Camera images in an MCAP bag that rosbag2 itself has written."""
    rosbag2_py = pytest.importorskip("rosbag2_py", reason="needs rosbag2_py")
    from builtin_interfaces.msg import Time
    from rclpy.serialization import serialize_message
    from sensor_msgs.msg import Image
    from std_msgs.msg import Header

    path = tmp_path / "flight"
    writer = rosbag2_py.SequentialWriter()
    try:
        writer.open(rosbag2_py.StorageOptions(uri=str(path), storage_id="mcap"), converter())
    except RuntimeError as error:
        pytest.skip(f"needs rosbag2_storage_mcap: {error}")
    writer.create_topic(
        rosbag2_py.TopicMetadata(
            id=0, name="/image", type="sensor_msgs/msg/Image", serialization_format="cdr"
        )
    )
    for number in range(COUNT):
        nanosec = number * 1_000_000_000 // FPS
        stamp = Time(sec=START_S + nanosec // 10**9, nanosec=nanosec % 10**9)
        image = Image(header=Header(stamp=stamp, frame_id="gimbal"), height=96, width=128)
        image.encoding, image.step = "mono8", 128
        image.data = bytes([6 * number] * (96 * 128))
        writer.write("/image", serialize_message(image), START_S * 10**9 + nanosec)
    writer.close()
    return path


def converter():
    import rosbag2_py

    return rosbag2_py.ConverterOptions("cdr", "cdr")


@pytest.fixture
def play(bag, private_domain):
    """`ros2 bag play`, over and over: the time jumps back at every turn."""
    command = shutil.which("ros2")
    if command is None:
        pytest.skip("needs the ros2 command (ros2cli, ros2bag)")
    words = [command, "bag", "play", str(bag), "--clock", "100", "--loop"]
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=os.environ
    ) as process:
        yield process
        process.send_signal(signal.SIGINT)


def test_results_carry_the_times_of_the_bag_and_survive_its_loop(
    start, model, node, spin_until, play
):
    # Arrange
    from diagnostic_msgs.msg import DiagnosticArray
    from rclpy.qos import qos_profile_sensor_data
    from vision_msgs.msg import Detection2DArray

    simulated = ("-p", "use_sim_time:=true", "-p", f"model:={model}")
    start("rclpy", "onboard_node", *simulated, "-p", "rate.mode:=fixed")
    start("rclpy", "ground_node", *simulated)
    stamps, diagnoses, round_trips = [], [], []

    def note(message):
        diagnoses.append(message.header.stamp.sec)
        for status in message.status:
            values = {entry.key: entry.value for entry in status.values}
            if values.get("rtt_ms"):
                round_trips.append(float(values["rtt_ms"]))

    def hear(message):
        stamps.append(message.header.stamp.sec * FPS + message.header.stamp.nanosec // 10**8)

    node.create_subscription(Detection2DArray, "detections", hear, qos_profile_sensor_data)
    node.create_subscription(DiagnosticArray, "/diagnostics", note, 10)

    # Act
    def turned():
        return [place for place in range(1, len(stamps)) if stamps[place] < stamps[place - 1]]

    spin_until(turned, "a second turn of the bag")
    turn = turned()[0]
    spin_until(lambda: len(stamps) > turn + 3, "detections after the turn")
    spin_until(lambda: round_trips, "a round trip time")

    # Assert
    assert all(START_S * FPS <= stamp < START_S * FPS + COUNT for stamp in stamps)
    # Before the first /clock the node's time is 0, as rclpy has it.
    assert all(second == 0 or abs(second - START_S) <= COUNT // FPS + 1 for second in diagnoses)
    assert any(diagnoses)
    assert min(round_trips) >= 0


def test_a_flight_that_was_recorded_live_gives_the_same_detections_again(
    fly, start, model, node, spin_until, tmp_path
):
    # Arrange
    pytest.importorskip("rosbag2_py", reason="needs rosbag2_py")
    command = shutil.which("ros2")
    if command is None:
        pytest.skip("needs the ros2 command (ros2cli, ros2bag)")
    from vision_msgs.msg import Detection2DArray

    heard = []
    node.create_subscription(Detection2DArray, "detections", heard.append, 100)
    flight = fly()
    spin_until(lambda: heard, "detections")
    bag, qos = tmp_path / "flight", ROOT / "config" / "record_qos.yaml"
    words = [command, "bag", "record", "-s", "mcap", "-o", str(bag)]
    words += ["--qos-profile-overrides-path", str(qos), "/features"]

    # Act
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as recorder:
        spin_until(lambda: node.count_subscribers("/features") > 1, "the recorder")
        before = len(heard)
        spin_until(lambda: len(heard) > before + 70, "a flight longer than CONTINUITY.clock_s")
        for process in flight:  # the drone before the station, which sees all that is recorded
            process.send_signal(signal.SIGINT)
            process.wait()
        recorder.send_signal(signal.SIGINT)
    live = {stamp(message): boxes(message) for message in heard}
    spin_until(lambda: not node.count_subscribers("/features"), "the end of the flight")
    network = ("-p", f"model:={model}", "-p", "score_threshold:=0.0")
    station = start("rclpy", "ground_node", *network)
    spin_until(lambda: node.count_subscribers("/features"), "the station")
    words = [command, "bag", "play", str(bag), "--topics", "/features", "--delay", "2"]
    for options in [], ["--rate", "2.0"], ["--start-offset", "2.0"]:
        heard.clear()
        subprocess.run(
            [*words, *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True
        )
        spin_until(lambda: len(heard) > 5, "detections of the bag")

        # Assert: a busy machine may have skipped a frame here or there.
        again = {stamp(message): boxes(message) for message in heard}
        both = again.keys() & live.keys()
        assert len(both) > len(again) // 2
        assert {when: again[when] for when in both} == {when: live[when] for when in both}
    assert station.poll() is None


def stamp(message):
    return message.header.stamp.sec, message.header.stamp.nanosec


def boxes(message):
    """Centre, size and score of every box."""
    found = []
    for detection in message.detections:
        box, result = detection.bbox, detection.results[0].hypothesis
        centre = box.center.position
        found.append((centre.x, centre.y, box.size_x, box.size_y, result.class_id, result.score))
    return found
