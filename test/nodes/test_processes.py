# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes as processes, over DDS: camera -> onboard -> link emulator -> ground."""

import signal
from collections import defaultdict

import numpy as np
import pytest
from recordings import make_bag, make_folder, make_video, picture
from service_clients import ParameterClient

from sc2_ros.media.image_reader import image_array
from sc2_ros.media.messages import header, image_message, to_ns
from sc2_ros.nodes import qos
from sc2_ros.runtime.ros import (
    CompressedImage,
    Detection2DArray,
    DiagnosticArray,
    Float64,
    Image,
    LabelInfo,
    UInt8MultiArray,
)

DEADLINE_S = 300.0
SIZE = (192, 160)
AIR = ("-r", "features:=drone/features", "-r", "feedback:=drone/feedback")
LINK = (
    *("-r", "features_in:=drone/features", "-r", "features_out:=features"),
    *("-r", "feedback_in:=feedback", "-r", "feedback_out:=drone/feedback"),
)
RESULTS = {
    "detections": Detection2DArray,
    "mask": Image,
    "mask_color": Image,
    "preview": Image,
    "preview/compressed": CompressedImage,
    "ground_node/frame_info": DiagnosticArray,
    "onboard_node/frame_info": DiagnosticArray,
}

pytestmark = pytest.mark.processes


@pytest.fixture
def listen(node):
    """Subscribe to topics; gives a dictionary of the messages that came, by topic."""
    heard = defaultdict(list)

    def begin(topics, profile=qos.SENSOR):
        for topic, kind in topics.items():
            node.create_subscription(kind, topic, heard[topic].append, profile)
        return heard

    return begin


@pytest.fixture
def flying(start, model):
    """Camera and drone, as processes."""
    start("camera_node", "-p", "fps:=5.0", "-p", f"size:={SIZE[0]}x{SIZE[1]}")
    rate = ("-p", "rate.mode:=fixed", "-p", "rate.index:=0.0")
    return start("onboard_node", "-p", f"model:={model}", *rate, *AIR)


def values_of(message):
    """Keys and values of every status of a DiagnosticArray."""
    return {value.key: value.value for status in message.status for value in status.values}


def by_stamp(messages):
    return {to_ns(message.header.stamp): message for message in messages}


@pytest.mark.parametrize("kind", ["video", "folder", "mcap raw", "sqlite3 compressed"])
def test_the_camera_plays_every_kind_of_recording(node, spin_until, listen, start, tmp_path, kind):
    if kind == "video":
        source = make_video(tmp_path / "flight.mp4")
    elif kind == "folder":
        source = make_folder(tmp_path / "images: 1")
    else:
        source = make_bag(tmp_path / "bag", *kind.split())
    heard = listen({"image": Image})

    start("camera_node", "-p", f"input:='{source}'", "-p", "loop:=true")
    spin_until(lambda: heard["image"], "an image")

    seen = image_array(heard["image"][0]).astype(int)
    number = round(seen[..., 2].mean() / 40)
    assert np.abs(seen - picture(number)).mean() < 5
    assert heard["image"][0].header.frame_id == ("gimbal" if " " in kind else "camera")


def test_the_whole_way(node, spin_until, listen, start, model, flying):
    # Arrange
    ground = start("ground_node", "-p", f"model:={model}", "-p", "score_threshold:=0.0")
    start("link_emulator_node", "-p", "link:=5mbit,10ms", *LINK)
    heard = listen(
        {
            **RESULTS,
            "image": Image,
            "truth/detections": Detection2DArray,
            "truth/mask": Image,
            "link_emulator_node/capacity_bps": Float64,
        }
    )

    # Act: wait for a frame of which everything has come; the ground learns the frame_id from a
    # packet of its own, sent once a second.
    def complete():
        named = [message for message in heard["detections"] if message.header.frame_id]
        common = set(by_stamp(named))
        for topic in (*RESULTS, "image", "truth/detections", "truth/mask"):
            common &= set(by_stamp(heard[topic]))
        return common

    spin_until(complete, "a frame with all its results")
    stamp_ns = min(complete())
    found = {topic: by_stamp(heard[topic])[stamp_ns] for topic in RESULTS}
    listen({"label_info": LabelInfo}, qos.LATCHED)
    spin_until(lambda: heard["label_info"], "label_info for a late listener")

    # Assert: stamp (by construction) and frame_id are the camera's, sizes are the source's.
    assert {message.header.frame_id for message in found.values()} == {"camera"}
    for topic, encoding in (("mask", "mono8"), ("mask_color", "rgb8"), ("preview", "rgb8")):
        message = found[topic]
        assert (message.encoding, message.width, message.height) == (encoding, *SIZE)
    names = {entry.class_id: entry.class_name for entry in heard["label_info"][-1].class_map}
    assert set(np.unique(image_array(found["mask"]))) <= set(names)
    assert names[0] == "road"
    assert image_array(found["preview/compressed"]).shape == (SIZE[1], SIZE[0], 3)
    assert found["detections"].detections, "a threshold of 0 lets something through"
    first = found["detections"].detections[0]
    assert first.results[0].hypothesis.class_id in ("person", "car", "bicycle", "other_vehicle")
    info = values_of(found["ground_node/frame_info"])
    assert info["rate_index"] == "0.0000"
    assert int(info["size_bytes"]) > 0
    assert info["share_received"] == "1.0000"
    left = values_of(found["onboard_node/frame_info"])
    events = ["received", "encoding", "coded", "first_sent", "last_sent"]
    times_ms = [float(left[f"{event}_at_ms"]) for event in events]
    events = ["last_packet", "decoded", "network", "seen"]
    times_ms += [float(info[f"{event}_at_ms"]) for event in events]
    assert times_ms == sorted(times_ms)
    assert times_ms[5] - times_ms[4] > 10, "the link takes 10 ms"
    assert heard["link_emulator_node/capacity_bps"][-1].data == 5e6

    # Act: a higher rate index, while all of it runs.
    drone = ParameterClient(node, "/onboard_node", DEADLINE_S)
    refused = drone.set("rate.index", 1.5)
    accepted = drone.set("rate.index", 1.0)
    spin_until(
        lambda: values_of(heard["ground_node/frame_info"][-1])["rate_index"] == "1.0000",
        "a frame at the new rate",
    )

    # Assert
    assert not refused.successful
    assert "out of range" in refused.reason
    assert accepted.successful
    bigger = values_of(heard["ground_node/frame_info"][-1])
    assert int(bigger["size_bytes"]) > int(info["size_bytes"])

    # Act and assert: the ground's filter, live.
    station = ParameterClient(node, "/ground_node", DEADLINE_S)
    unknown = station.set("classes", "dog")
    assert (unknown.successful, "person" in unknown.reason) == (False, True)
    assert station.set("classes", "person").successful
    spin_until(
        lambda: classes_in(heard["detections"][-1]) == {"person"}, "detections of persons alone"
    )

    # Both sides know of each other, and end cleanly.
    listen({"/diagnostics": DiagnosticArray})
    spin_until(lambda: level_of(heard, "onboard_node: camera") == b"\x00", "a good camera")
    spin_until(lambda: level_of(heard, "ground_node: link") == b"\x00", "a good link")
    spin_until(lambda: "rtt_ms" in numbers_of(heard, "onboard_node: link"), "a round trip time")
    ground.send_signal(signal.SIGTERM)
    assert ground.wait(DEADLINE_S) == 0
    flying.send_signal(signal.SIGINT)
    assert flying.wait(DEADLINE_S) == 0
    assert "Traceback" not in flying.stderr.read() + ground.stderr.read()


def classes_in(detections):
    return {entry.results[0].hypothesis.class_id for entry in detections.detections}


def status_of(heard, name):
    """The newest status of this name."""
    found = [s for message in heard["/diagnostics"] for s in message.status if s.name == name]
    return found[-1] if found else None


def level_of(heard, name):
    status = status_of(heard, name)
    return None if status is None else status.level


def numbers_of(heard, name):
    """The values of a status that are not empty."""
    status = status_of(heard, name)
    return {} if status is None else {v.key: v.value for v in status.values if v.value}


def test_a_drone_survives_images_that_it_cannot_read(node, spin_until, listen, start, model):
    drone = start("onboard_node", "-p", f"model:={model}")
    heard = listen({"features": UInt8MultiArray, "/diagnostics": DiagnosticArray})
    camera = node.create_publisher(Image, "image", qos.SENSOR)
    good = np.zeros((96, 128), np.uint8)
    clock = node.get_clock()

    def show(image, encoding):
        message = image_message(image, clock.now().nanoseconds, "cam")
        message.encoding = encoding
        camera.publish(message)

    def complaint():
        show(good, "yuv422")
        status = status_of(heard, "onboard_node: camera")
        return status is not None and "yuv422" in status.message

    spin_until(complaint, "a diagnosis of the unknown encoding")
    assert level_of(heard, "onboard_node: camera") == b"\x02"
    assert not heard["features"]

    def packet():
        show(good, "mono8")
        return heard["features"]

    spin_until(packet, "a packet of a good image")
    assert drone.poll() is None


def test_the_ground_says_when_checkpoints_differ(
    node, spin_until, listen, start, model, flying, tmp_path
):
    import torch

    from sc2_ros import checkpoint

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        card = checkpoint.default_card()
        encoder, ground = checkpoint.build_networks(card)
    other = tmp_path / "other.safetensors"
    checkpoint.save(other, encoder, ground, checkpoint.untrained(0).tables, card)
    start("ground_node", "-p", f"model:={other}", "-r", "features:=drone/features")
    heard = listen({"/diagnostics": DiagnosticArray, "detections": Detection2DArray})

    def diagnosis():
        status = status_of(heard, "ground_node: link")
        return status is not None and "checkpoint" in status.message

    spin_until(diagnosis, "a diagnosis of the mismatch")
    assert level_of(heard, "ground_node: link") == b"\x02"
    assert not heard["detections"]


def test_jpeg_images_under_the_name_of_image_transport(node, spin_until, listen, start, model):
    import cv2

    start(
        "onboard_node",
        *("-p", f"model:={model}", "-p", "image_transport:=compressed"),
        *("-r", "image:=/front/image_raw"),
    )
    heard = listen({"features": UInt8MultiArray})
    camera = node.create_publisher(CompressedImage, "/front/image_raw/compressed", qos.SENSOR)
    jpeg = cv2.imencode(".jpg", np.full((96, 128, 3), 99, np.uint8))[1].tobytes()

    def packet():
        now_ns = node.get_clock().now().nanoseconds
        camera.publish(CompressedImage(header=header(now_ns, "f"), format="jpeg", data=jpeg))
        return heard["features"]

    spin_until(packet, "a packet of a JPEG image")


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("onboard_node", ("-p", "model:=/nowhere.safetensors"), "nowhere"),
        ("ground_node", ("-p", "feedback.rate:=0.0"), "feedback.rate"),
        ("camera_node", ("-p", "input:=/nowhere.mp4"), "nowhere"),
        ("link_emulator_node", ("-p", "link:=fast"), "fast"),
    ],
)
def test_what_cannot_start_says_so_in_one_line(start, name, arguments, words):
    process = start(name, *arguments)
    _, text = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 2
    (line,) = text.strip().splitlines()
    assert line.startswith("error: ")
    assert words in line
