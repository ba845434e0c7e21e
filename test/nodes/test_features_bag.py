# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packets from a bag give the ground node what they gave `sc2 replay`, bit for bit.

The bag of packets also decodes later, with a newer ground network that shares the encoder.
"""

import json
import time

import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.cli.main import main
from sc2_ros.codec.wire import CaptureTimes, PacketType, parse
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.media.bag import open_bag
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.messages import detections_message, packet_bytes, packet_message, to_ns
from sc2_ros.nodes import qos
from sc2_ros.nodes.ground_station import GroundNode
from sc2_ros.onboard.pipeline import CameraFrame, OnboardPipeline
from sc2_ros.runtime.messages import from_cdr, to_cdr
from sc2_ros.runtime.ros import (
    Detection2DArray,
    Node,
    SingleThreadedExecutor,
    UInt8MultiArray,
    rclpy,
)

DEADLINE_S = 300.0


def messages_in(bag, topic, kind):
    """Messages of a topic in the order of the bag."""
    with open_bag(bag) as reader:
        connections = [entry for entry in reader.connections if entry.topic == topic]
        return [from_cdr(bytes(data), kind) for _, _, data in reader.messages(connections)]


@pytest.fixture
def play(private_domain):
    """Play packets into a ground node, frame by frame; what it publishes, by stamp."""

    def run(packets, *words):
        rclpy.init(args=["node", "--ros-args", *words])
        ground, player = GroundNode(), Node("player")
        ground.autostart()
        executor = SingleThreadedExecutor()
        executor.add_node(ground)
        executor.add_node(player)
        found = {}

        def keep(message):
            found[to_ns(message.header.stamp)] = message

        publisher = player.create_publisher(UInt8MultiArray, "features", qos.PACKETS)
        listener = player.create_subscription(Detection2DArray, "detections", keep, qos.RESULTS)
        spin_until(executor, publisher.get_subscription_count)
        spin_until(executor, listener.get_publisher_count)
        results = ground._streams[0].results._detections
        spin_until(executor, results.get_subscription_count)
        times, last = CaptureTimes(), {}
        headers = [times.resolve(parse(packet)) for packet in packets]
        for packet, header in zip(packets, headers, strict=True):
            if header.type is PacketType.FEATURES:
                last[header.capture_time_ns] = packet
        for packet, header in zip(packets, headers, strict=True):
            publisher.publish(packet_message(packet))
            stamp_ns = header.capture_time_ns
            if packet is last.get(stamp_ns):  # a frame is whole: wait, or it may be skipped
                spin_until(executor, lambda stamp_ns=stamp_ns: stamp_ns in found)
        return found

    yield run
    rclpy.try_shutdown()


def spin_until(executor, condition):
    give_up = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < give_up
        executor.spin_once(0.02)


def test_the_node_finds_what_replay_found(tmp_path, play):
    out = tmp_path / "replay"
    options = ("--link", "20mbit,5ms", "--seconds", "0.5", "--fps", "10", "--size", "256x192")
    assert main(["replay", "synthetic:3", "--out", str(out), *options]) == 0
    (bag,) = (path.parent for path in out.rglob("*.mcap"))
    packets = [packet_bytes(m) for m in messages_in(bag, "/features", UInt8MultiArray)]
    expected = {
        to_ns(message.header.stamp): message
        for message in messages_in(bag, "/detections", Detection2DArray)
    }

    found = play(packets)

    # `sc2 replay` of the packets alone comes to the same.
    flight, again = tmp_path / "flight", tmp_path / "again"
    with BagWriter(flight) as writer:
        for number, packet in enumerate(packets):
            writer.write_message("/drone1/features", packet_message(packet), number * 10**7)
    assert main(["replay", str(flight), "--out", str(again)]) == 0
    summary = json.loads((again / "summary.json").read_text("utf-8"))
    assert summary["frames"] == len(expected)
    assert summary["bytes_per_frame"] * len(expected) == pytest.approx(sum(map(len, packets)), 0.01)
    decoded = messages_in(again / "results", "/detections", Detection2DArray)
    assert {to_ns(m.header.stamp): to_cdr(m) for m in decoded} == {
        stamp_ns: to_cdr(message) for stamp_ns, message in expected.items()
    }

    assert len(expected) > 2
    assert any(message.detections for message in expected.values())
    assert found.keys() == expected.keys()
    for stamp_ns, message in expected.items():
        assert to_cdr(found[stamp_ns]) == to_cdr(message)


def test_a_newer_ground_network_decodes_an_old_bag(tmp_path, model, play):
    import torch

    old = checkpoint.read(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        _, newer_ground = checkpoint.build_networks(old.card)
    newer = tmp_path / "newer.safetensors"
    number = checkpoint.save(newer, old.encoder, newer_ground, old.tables, old.card)
    drone = OnboardPipeline(checkpoint.load(model))
    image = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    bag = tmp_path / "flight"
    with BagWriter(bag) as writer:
        for frame in range(3):
            picture = CameraFrame(image, 10**18 + frame, "cam")
            for packet in drone.process(picture, frame * 0.1):
                writer.write_message("/drone1/features", packet_message(packet), frame * 10**8)
    packets = [packet_bytes(m) for m in messages_in(bag, "/drone1/features", UInt8MultiArray)]

    found = play(packets, "-p", f"model:={newer}", "-p", "score_threshold:=0.0")

    assert number == old.id
    config = GroundConfig(score_threshold=0.0, precision="auto")
    ground = GroundPipeline(checkpoint.load(newer), config)
    before = GroundPipeline(checkpoint.load(model), config)
    results = [result for packet in packets for result in ground.receive(packet, 0.0)]
    former = [result for packet in packets for result in before.receive(packet, 0.0)]
    assert len(results) == len(found) == 3
    for result, was in zip(results, former, strict=True):
        expected = detections_message(result, ground.detection_classes)
        assert to_cdr(found[result.stamp_ns]) == to_cdr(expected)
        assert not np.array_equal(result.boxes, was.boxes)


def test_packets_of_another_checkpoint_end_in_one_sentence(tmp_path, model, capsys):
    drone = OnboardPipeline(checkpoint.load(model))
    image = np.zeros((64, 96, 3), np.uint8)
    with BagWriter(tmp_path / "flight") as writer:
        for packet in drone.process(CameraFrame(image, 1, "cam"), 0.0):
            writer.write_message("/features", packet_message(packet), 0)

    out = str(tmp_path / "out")
    assert main(["replay", str(tmp_path / "flight"), "--out", out]) == 2

    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: no frame came out of /features of flight: packet of checkpoint")
