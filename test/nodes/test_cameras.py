# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras in one process of the onboard node, which share the encoder."""

from dataclasses import replace

import numpy as np
import pytest

from sc2_ros import checkpoint as checkpoints
from sc2_ros.errors import ParameterError
from sc2_ros.export.onnx_files import export_encoder
from sc2_ros.media.messages import image_message
from sc2_ros.nodes import onboard_node, qos
from sc2_ros.nodes.cameras import apart
from sc2_ros.onboard import backend
from sc2_ros.runtime.ros import Image, UInt8MultiArray


def test_each_camera_gets_a_namespace_below_that_of_the_command_line() -> None:
    line = ["--cameras", "front,down", "--ros-args", "-r", "__ns:=/a", "-p", "x:=1"]
    assert apart(line) == (["/a/front", "/a/down"], ["--ros-args", "-p", "x:=1"])


@pytest.mark.parametrize("cameras", [[], ["front,front"], ["two words"], ["--ros-args"]])
def test_what_is_no_list_of_cameras_is_refused(cameras: list[str]) -> None:
    with pytest.raises(ParameterError, match="--cameras"):
        apart(["--cameras", *cameras])


def test_cameras_of_one_checkpoint_share_the_encoder() -> None:
    made = checkpoints.untrained(1)
    metadata = {"checkpoint_id": f"{made.id:08x}"}
    exported = export_encoder(made.encoder, made.saliency, metadata)
    choice = backend.choose("onnxruntime", "cpu", "fp32")
    first, second, other = (
        backend.make(replace(made, exported=data), choice)
        for data in (
            exported,
            bytes(exported),
            export_encoder(made.encoder, None, metadata | {"x": "y"}),
        )
    )
    assert first is second
    assert first is not other


@pytest.mark.processes
def test_two_cameras_in_one_process(node, spin_until, start, model):
    process = start(
        *("onboard_node", "--cameras", "front,down", "-r", "__ns:=/drone1"),
        *("-p", f"model:={model}", "-p", "rate.mode:=fixed", "-p", "rate.index:=0.0"),
    )
    images, heard = {}, {"front": [], "down": []}
    for camera, packets in heard.items():
        images[camera] = node.create_publisher(Image, f"/drone1/{camera}/image", qos.SENSOR)
        topic = f"/drone1/{camera}/features"
        node.create_subscription(UInt8MultiArray, topic, packets.append, qos.PACKETS)
    picture = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)

    def both() -> bool:
        images["front"].publish(image_message(picture, 1, "front"))
        images["down"].publish(image_message(picture, 2, "down"))
        return all(heard.values())

    spin_until(both, "packets of both cameras")
    assert process.poll() is None


def test_the_names_may_follow_an_equals_sign(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--cameras=front,front", "--ros-args", "-p", "model:=no such file"]

    assert onboard_node.main(line) == 2

    assert capsys.readouterr().err == "error: --cameras: a name comes twice\n"
