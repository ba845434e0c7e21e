# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`sc2 info` of a checkpoint and of bags with and without features."""

from pathlib import Path

import pytest
from recordings import COUNT, START_NS, make_bag
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from weights import write_untrained

from sc2_ros.cli.api.bag_info import FeatureStream
from sc2_ros.cli.main import main
from sc2_ros.codec.wire import Header, PacketId, PacketType, PredictedPacket, build
from sc2_ros.codec.wire.predicted import PredictedHead, build_predicted
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.feature_bag import PACKETS
from sc2_ros.runtime.messages import message_type
from sc2_ros.split import checkpoint as split_checkpoint


def test_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = write_untrained(tmp_path / "mine.safetensors")
    assert main(["info", str(path)]) == 0
    out = capsys.readouterr().out
    for word in ("mine.safetensors", "id", "version 1", "parameters", "person, car", "road"):
        assert word in out


def test_the_shipped_checkpoint_predicts_frames(capsys: pytest.CaptureFixture) -> None:
    assert main(["info", "default"]) == 0
    assert "keyframes and predicted frames, 25 latent channels" in capsys.readouterr().out


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_bag_lists_topics(tmp_path: Path, storage: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["info", str(make_bag(tmp_path / "bag", storage))]) == 0
    out = capsys.readouterr().out
    assert f"{COUNT + 1} messages" in out
    assert "/cam/image_raw" in out
    assert "sensor_msgs/msg/Image" in out
    assert "features on" not in out


def test_a_name_with_brackets_is_printed_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["info", str(make_bag(tmp_path / "flight[day]"))]) == 0
    assert "flight[day]: " in capsys.readouterr().out


def test_bag_with_features(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    octets = message_type("std_msgs/msg/UInt8MultiArray")
    with BagWriter(tmp_path / "bag") as bag:
        for frame in range(4):
            for number in range(2):
                header = Header(
                    type=PacketType.FEATURES, stream=0, checkpoint_id=0xC0FFEE11, frame=frame,
                    slice=number, rows=2, capture_time_ns=frame * 100,
                )  # fmt: skip
                packet = build(header, bytes(76))
                bag.write_message("/radio", octets(data=packet), frame * 250_000_000)
        bag.write_message("/other", octets(data=b"no packet"), 0)
    assert main(["info", str(tmp_path / "bag")]) == 0
    out = capsys.readouterr().out
    assert "features on /radio: 4 frames in 8 packets, 200 bytes/frame" in out
    assert "c0ffee11" in out
    assert "features on /other" not in out


def test_frames_of_a_bag_are_counted_whose_stamps_build_on_others() -> None:
    stream = FeatureStream()
    kind = PacketType.FEATURES

    def keyframe(number: int) -> bytes:
        return build(
            Header(
                type=kind, stream=0, checkpoint_id=7, frame=10, slice=number, rows=2,
                capture_time_ns=1000,
            ),
            bytes(8),
        )  # fmt: skip

    def predicted(frame: int, number: int) -> bytes:
        header = PacketId(type=kind, stream=0, frame=frame, slice=number, rows=2)
        return build_predicted(PredictedPacket(header, PredictedHead(1, 0), 3, bytes(8)))

    # The first two are recorded without the frame that they build on.
    packets = [predicted(9, 0), predicted(9, 1), keyframe(0), keyframe(1)]
    packets += [predicted(11, 0), predicted(11, 1), predicted(12, 0)]
    for packet in packets:
        assert stream.add(packet, 0.0)
    assert stream.frames == {(0, 9, None), (0, 10, 1000), (0, 11, 1003), (0, 12, 1009)}
    assert stream.checkpoints == {7}
    assert "4 frames in 7 packets" in stream.describe()


@pytest.mark.parametrize("student", [False, True])
def test_checkpoints_of_split_networks(
    tmp_path: Path, capsys: pytest.CaptureFixture, student: bool
) -> None:
    card = split_checkpoint.make_card(
        recipe="entropic_student" if student else "teacher",
        task="classification",
        classes=("bar", "disc"),
        backbone="resnet:8-12-16:1-1-1",
        bottleneck={"name": "entropic_student", "options": {"channels": 4}} if student else None,
    )
    network = split_checkpoint.build_network(card)
    number = split_checkpoint.save(tmp_path / "split.safetensors", network, card)
    assert main(["info", str(tmp_path / "split.safetensors")]) == 0
    out = capsys.readouterr().out
    for word in ("split.safetensors", f"{number:08x}", "classification", "bar, disc", "resnet:8"):
        assert word in out
    assert ("flies" in out) is student
    flies = 3 * 16 * 25 + 16 * 8 * 25 + 8 * 4 * 4 + 16 * 17 + 8 * 9  # the encoder, beside its prior
    if student:
        shown = next(line for line in out.splitlines() if "flies" in line)
        assert int(shown.split()[1].replace(",", "")) > flies


@pytest.mark.parametrize("verb", ["info", "replay"])
def test_a_bag_of_packets_with_a_damaged_message_is_one_line(
    tmp_path: Path, verb: str, capsys: pytest.CaptureFixture
) -> None:
    bag = tmp_path / "bag"
    with Writer(bag, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        store = get_typestore(Stores.ROS2_HUMBLE)
        octets = writer.add_connection("/features", PACKETS, typestore=store)
        writer.write(octets, START_NS, b"\0")
    assert main([verb, str(bag)]) == 2
    error = capsys.readouterr().err
    assert "bag is damaged" in error
    assert error.count("\n") == 1
