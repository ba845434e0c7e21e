# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of every ROS parameter: the one source of declarations, ranges, YAML and documentation.

A node declares its rows with `parameter_server.ParameterServer`; `parameter_docs` prints them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sc2_ros.ground.engine import BACKENDS as GROUND_BACKENDS
from sc2_ros.link.control.auto import PREFERENCES
from sc2_ros.link.rate import RATE_MODES
from sc2_ros.link.repair_policy import REPAIR_MODES
from sc2_ros.nodes.parameter_checks import (
    check_addresses,
    check_device,
    check_drones,
    check_link,
    check_onboard_device,
    check_size,
    check_weights,
)
from sc2_ros.nodes.parameter_groups import AIR_FIXED, AUTO, MODEL, PRECISIONS, THERMAL, air
from sc2_ros.nodes.parameter_row import (
    Row,
    Value,
    parse_names,
    parse_size,
    parse_weights,
    problem_of,
)
from sc2_ros.onboard.backend import BACKENDS

__all__ = [
    "TABLES",
    "Row",
    "Value",
    "networks_of",
    "parse_names",
    "parse_size",
    "parse_weights",
    "problem_of",
]

RADIO_TYPES = ("mavros_msgs/RadioStatus", "std_msgs/Float32")
_SUBSCRIBED_ONCE = "the subscription is made once, at start; restart the node to change it"
_OPENED_ONCE = "the source is opened once, at start; restart the node to change it"

ONBOARD = (
    *MODEL,
    Row(
        "backend",
        "auto",
        "What runs the encoder: onnxruntime needs a checkpoint that carries its exported encoder, "
        "as those that ship do and as `sc2 export` writes, torch an installation of PyTorch. auto "
        "is onnxruntime where it can, else torch.",
        choices=BACKENDS,
    ),
    Row(
        "device",
        "cpu",
        "Where the encoder runs: cpu, cuda, cuda:N, tensorrt, or auto, which is the GPU where "
        "there is one.",
        check=check_onboard_device,
    ),
    Row(
        "precision",
        "fp32",
        "Arithmetic of the encoder: onnxruntime has fp32, and fp16 with tensorrt; torch fp32, "
        "bf16, and fp16 on a GPU. auto is fp32 with onnxruntime; with torch what suits the device.",
        choices=PRECISIONS,
    ),
    Row("stream", 0, "Number of this camera's stream; one per camera on a link.", 0, 255),
    Row(
        "image_transport",
        "raw",
        "raw subscribes to `image` (sensor_msgs/Image), compressed to `image/compressed` "
        "(sensor_msgs/CompressedImage, JPEG or PNG).",
        choices=("raw", "compressed"),
        fixed=_SUBSCRIBED_ONCE,
    ),
    Row(
        "rate.mode",
        "auto",
        "auto follows the link, frame by frame; budget gives every frame the highest index whose "
        "exact size fits rate.max_kbps at the present frame rate; fixed sends every frame at "
        "rate.index.",
        choices=RATE_MODES,
    ),
    Row(
        "rate.index",
        0.5,
        "Rate index in fixed mode: 0 is the fewest bytes, 1 the best picture.",
        0.0,
        1.0,
    ),
    Row(
        "rate.max_kbps",
        4000.0,
        "What the stream may use at most in auto and budget mode, in kbit/s: packets, and with udp "
        "or air.overhead_bytes the bytes on air. For each station: of several in air.remote every "
        "one gets all packets, and the radio carries as many times this.",
        1.0,
        100000.0,
    ),
    Row(
        "rate.prefer",
        "accuracy",
        "What auto mode keeps on a link that is too narrow: accuracy uses all that the link "
        "carries, latency keeps the queue shorter and gives up throughput for it.",
        choices=PREFERENCES,
    ),
    Row(
        "rate.repair",
        "auto",
        "Packets from which the ground restores lost ones, in auto mode: auto gives them the share "
        "of a frame's bytes that the loss of the radio makes worth it, off none.",
        choices=REPAIR_MODES,
    ),
    Row(
        "rate.temporal",
        True,
        "Predict frames from what the ground has, so that what does not change is not sent again; "
        "where the checkpoint has tables for it.",
    ),
    Row(
        "rate.saliency",
        0.5,
        "How much more exactly objects are sent than background, where the checkpoint tells where "
        "objects are: 0 sends all alike, 1 is for who wants detections alone; masks and previews "
        "lose by it.",
        0.0,
        1.0,
    ),
    Row(
        "refresh.period_s",
        10.0,
        "A keyframe is sent at least once in so many seconds, for stations that listen "
        "without feedback, and sooner where that makes the stream no more than 5 % larger; a "
        "station that sends feedback does not wait for it. 1.0 lets everybody see within a "
        "second, and makes a stream of 10 frames per second a fifth to two fifths larger.",
        1.0,
        60.0,
    ),
    Row(
        "radio.topic",
        "",
        "Topic on which the radio tells its signal; a fall lowers the rate at once in auto mode, "
        "nothing raises it. Empty listens to none.",
        fixed=_SUBSCRIBED_ONCE,
    ),
    Row(
        "radio.type",
        RADIO_TYPES[0],
        "Message of radio.topic: mavros_msgs/RadioStatus, or std_msgs/Float32 with the signal in "
        "dB or dBm.",
        choices=RADIO_TYPES,
        fixed=_SUBSCRIBED_ONCE,
    ),
    Row(
        "frame.max_fps",
        0.0,
        "Frames per second to send at most; 0 sends every image.",
        0.0,
        240.0,
    ),
    Row(
        "frame.size",
        "",
        "Size to which images are scaled before coding, as WIDTHxHEIGHT; empty keeps the "
        "camera's. Boxes always come back in the camera's pixels.",
        check=check_size,
    ),
    Row(
        "frame.max_pixels",
        2_500_000,
        "Pixels of a frame as it is encoded, at most: a larger image is scaled down to so many, "
        "its shape kept. A ground node takes no more than its own max_pixels, by default as many.",
        1024,
        4096 * 4096,
    ),
    *THERMAL,
    *air(
        "0.0.0.0:0",
        "Stations to call, host:port, comma-separated, or a multicast group; the drone calls, so "
        "that it may be behind a NAT. All of them get every packet.",
    ),
    Row(
        "air.standby",
        "",
        "Stations that stand in while none of air.remote answers, host:port, comma-separated, the "
        "preferred one first: packets go to the first of them that answers, until air.remote has "
        "answered for 3 s again.",
        check=check_addresses,
        fixed=AIR_FIXED,
    ),
    Row(
        "air.overhead_bytes",
        0,
        "Bytes that the link adds to each packet and that count in every rate, beside the headers "
        "of udp, which count by themselves: 100 for DDS, 60 for WireGuard, the radio's own.",
        0,
        500,
    ),
)

GROUND = (
    *MODEL,
    *air(
        "0.0.0.0:5600",
        "Drone to call, host:port; usually empty, since the drone calls. With several drones one "
        "for each, comma-separated.",
    ),
    Row(
        "backend",
        "torch",
        "What runs the network: torch, or onnxruntime for the ground.onnx that `sc2 export` writes "
        "beside the checkpoint.",
        choices=GROUND_BACKENDS,
    ),
    Row(
        "device",
        "cpu",
        "Where the networks run: cpu, cuda or cuda:N.",
        check=check_device,
    ),
    Row(
        "precision",
        "auto",
        f"Arithmetic of the network. {AUTO} The codec is integer: packets are read the same "
        "whatever this says.",
        choices=PRECISIONS,
    ),
    Row(
        "drones",
        "",
        "Namespaces of the drones (or cameras) that this node serves, comma-separated, e.g. "
        "drone1,drone2: each has its features, feedback and results below its own. Empty serves "
        "the node's own namespace.",
        check=check_drones,
        fixed="the topics are opened when the node is configured; restart the node to change it",
    ),
    Row(
        "standby",
        "",
        "Drones of other stations, comma-separated, that this node serves while nobody reports to "
        "them: it listens to their feedback, and takes over after a second without any. With udp "
        "the drone decides (air.standby of its node); they come after `drones` in air.local.",
        check=check_drones,
        fixed="the topics are opened when the node is configured; restart the node to change it",
    ),
    Row(
        "weights",
        "",
        "How this node is shared where it cannot show all frames of all drones: NAME=WEIGHT, "
        "comma-separated, e.g. drone1=4; drones that are not named weigh 1. The drones learn from "
        "the reports how many of their frames are shown, and send no more.",
        check=check_weights,
    ),
    Row("score_threshold", 0.3, "Detections below this score are left out.", 0.0, 1.0),
    Row(
        "nms_iou",
        0.6,
        "Of two boxes of a class that overlap by more than this, the weaker is left out.",
        0.0,
        1.0,
    ),
    Row("max_detections", 200, "Detections per frame at most, the best first.", 1, 1000),
    Row(
        "classes",
        "",
        "Classes to report, comma-separated, e.g. person,car; empty reports all.",
    ),
    Row("mask", True, "Run the segmentation head (topics mask, mask_color)."),
    Row("preview", True, "Run the preview head (topics preview, preview/compressed)."),
    Row(
        "frame_timeout",
        0.25,
        "Seconds to wait for a frame's missing packets before it is decoded without them.",
        0.01,
        5.0,
    ),
    Row(
        "deadline_ms",
        0.0,
        "Milliseconds from the first packet of a newer frame, after which missing packets of the "
        "older one are waited for no longer; 0 takes 30 % of the time between the two frames. More "
        "for a radio that reorders packets by more than that.",
        0.0,
        1000.0,
    ),
    Row(
        "max_pixels",
        2_500_000,
        "Pixels of a frame as it was encoded, at most: packets of larger ones are counted as bad "
        "and dropped, so that no forged packet makes the network run for seconds.",
        1024,
        4096 * 4096,
    ),
    Row("feedback.rate", 15.0, "Feedback packets per second and stream.", 1.0, 50.0),
)

LINK_EMULATOR = (
    Row(
        "link",
        "1mbit,40ms,1%",
        "The radio link to imitate: RATE[,DELAY[,LOSS%]], e.g. 500kbit,40ms,2%, with a mahimahi "
        "trace file or RATE>RATE@TIME>… in the place of RATE; also outage=3s@10s, burst=5%x8, "
        "jitter=10ms, queue=300ms, reorder=1%x20ms, duplicate=1%, and mean=1mbit for a trace.",
        check=check_link,
    ),
    Row("seed", 0, "Seed of the random losses and jitter.", 0, 2**31 - 1),
)

CAMERA = (
    Row(
        "input",
        "synthetic",
        "What to play: synthetic[:SEED], a video, a folder of images, a ROS 2 bag or a camera "
        "number.",
        fixed=_OPENED_ONCE,
        number_as_text=True,
    ),
    Row(
        "topic",
        "",
        "Image topic to take from a bag; empty takes the only one.",
        fixed=_OPENED_ONCE,
    ),
    Row(
        "fps",
        0.0,
        "Images per second: a recording is thinned to at most this rate, a folder or the flight "
        "is played at it; 0 takes the source's own.",
        0.0,
        240.0,
        fixed=_OPENED_ONCE,
    ),
    Row(
        "size",
        "",
        "Size of the images as WIDTHxHEIGHT; empty keeps the source's.",
        check=check_size,
        fixed=_OPENED_ONCE,
    ),
    Row("loop", True, "Begin again at the end of a file.", fixed=_OPENED_ONCE),
    Row(
        "frame_id",
        "",
        "frame_id of the images; empty keeps the source's.",
        fixed=_OPENED_ONCE,
    ),
)

TABLES: Mapping[str, tuple[Row, ...]] = {
    "onboard_node": ONBOARD,
    "ground_node": GROUND,
    "link_emulator_node": LINK_EMULATOR,
    "camera_node": CAMERA,
}
"""Parameters by node name."""


def networks_of(values: Mapping[str, Value]) -> dict[str, Value]:
    """The parameters that need other networks, or the same ones elsewhere."""
    names = ("model", "backend", "device", "precision")
    return {name: values[name] for name in names if name in values}
