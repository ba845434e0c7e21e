# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of packets are known as such however they were recorded."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from sc2_ros.codec.wire import build_stream_info
from sc2_ros.media.feature_bag import open_features
from sc2_ros.media.messages import compressed_message, image_message, packet_message
from sc2_ros.runtime.messages import STORE
from sc2_ros.runtime.serialization import type_and_cdr

FEATURES = "/drone1/features"
PACKET = build_stream_info(stream=0, checkpoint_id=1, frame=0, capture_time_ns=0, frame_id="cam")
PACKETS = [packet_message(PACKET)] * 3
IMAGE = image_message(np.zeros((16, 16, 3), np.uint8), 0, "cam")
PREVIEW = compressed_message(np.zeros((16, 16, 3), np.uint8), 0, "cam")


def record(path: Path, topics: dict[str, list[Any]]) -> Path:
    """A bag of one file; a topic without messages has the type of packets."""
    writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
    with writer:
        for topic, messages in topics.items():
            kind, _ = type_and_cdr(messages[0] if messages else PACKETS[0])
            connection = writer.add_connection(topic, kind, typestore=STORE)
            for number, message in enumerate(messages):
                writer.write(connection, number, type_and_cdr(message)[1])
    return path


@pytest.mark.parametrize("full", [[0], [1], [0, 1]])
def test_files_of_a_split_bag_that_hold_no_packets_are_no_verdict(
    tmp_path: Path, full: list[int]
) -> None:
    split = tmp_path / "split"
    split.mkdir()
    for number in range(2):
        topics = {FEATURES: PACKETS if number in full else [], "/drone1/feedback": []}
        part = record(tmp_path / f"part{number}", topics)
        shutil.copy(part / f"{part.name}.mcap", split / f"split_{number}.mcap")

    features = open_features(str(split))

    assert features is not None
    assert features.topic == FEATURES
    assert [packet for _, packet in features] == [PACKET] * 3 * len(full)


def test_packets_are_taken_beside_pictures_of_the_ground_but_not_beside_a_camera(
    tmp_path: Path,
) -> None:
    recorded = {FEATURES: PACKETS, "/drone1/preview/compressed": [PREVIEW]}
    ground = str(record(tmp_path / "ground", recorded))
    drone = str(record(tmp_path / "drone", {**recorded, "/drone1/image": [IMAGE]}))

    assert open_features(ground) is not None
    assert open_features(drone) is None
    assert open_features(drone, topic=FEATURES) is not None
    assert open_features(drone, despite_camera=True) is not None


def test_what_a_bag_of_packets_lacks_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bag = record(tmp_path / "bag", {FEATURES: PACKETS * 50})
    open_features(str(bag))
    assert caplog.text == ""
    (file,) = bag.glob("*.mcap")
    file.write_bytes(file.read_bytes()[:-2000])

    assert open_features(str(bag)) is not None

    assert "bag.mcap is cut off" in caplog.text
