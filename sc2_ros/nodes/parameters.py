# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of every ROS parameter: the one source of declarations, ranges, YAML and documentation.

A node declares its rows with `parameter_server.ParameterServer`; `parameter_docs` prints them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sc2_ros.errors import LinkSpecError, ParameterError
from sc2_ros.link.auto import PREFERENCES
from sc2_ros.link.rate import RATE_MODES
from sc2_ros.link.spec import parse_link

Value = bool | int | float | str
"""What a parameter may hold; lists are comma-separated strings, which a terminal can type."""


@dataclass(frozen=True)
class Row:
    """One parameter of one node.

    `fixed` is the reason why it cannot change while the node runs; empty for a live parameter.
    `check` gives a sentence about what is wrong with a value of the right type, or None.
    """

    name: str
    default: Value
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    check: Callable[[Value], str | None] | None = None
    fixed: str = ""
    number_as_text: bool = False
    """Whether a number stands for its digits: `-p input:=0` gives 0, not "0"."""

    def problem(self, value: object) -> str | None:
        """What is wrong with a value, as a sentence; None where it may be used."""
        if type(value) is not type(self.default):
            return f"{self.name} takes {self.description_of_type()}, not {value!r}"
        if self.low is not None and self.high is not None:
            assert isinstance(value, int | float)
            if not self.low <= value <= self.high:
                return f"{self.name} = {value} is out of range: {self.description_of_values()}"
        if self.choices and value not in self.choices:
            return f"{self.name} = {value!r} is unknown: {self.description_of_values()}"
        if self.check is not None:
            assert isinstance(value, bool | int | float | str)
            found = self.check(value)
            return None if found is None else f"{self.name} = {value!r}: {found}"
        return None

    def description_of_type(self) -> str:
        """The type and an example in words."""
        return f"{VALUE_NAMES[type(self.default)]}, for example {self.default!r}"

    def description_of_values(self) -> str:
        """The permitted values in words, e.g. `0.0 to 1.0`."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.low} to {self.high}"
        return VALUE_NAMES[type(self.default)]


VALUE_NAMES = {bool: "true or false", int: "a whole number", float: "a decimal number", str: "text"}


def parse_size(text: str) -> tuple[int, int]:
    """Width and height in pixels of "640x512"; (0, 0), the source's own size, for empty text.

    Raises:
        ParameterError: for anything else, and outside 32 to 4096.
    """
    if not text:
        return (0, 0)
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if match is None:
        raise ParameterError(f"a size is written WIDTHxHEIGHT, for example 640x512, not {text!r}")
    width, height = int(match[1]), int(match[2])
    if not (32 <= width <= 4096 and 32 <= height <= 4096):
        raise ParameterError(f"a size may be 32x32 to 4096x4096, not {text}")
    return (width, height)


def parse_names(text: str) -> tuple[str, ...]:
    """The names in "person, car"; () for empty text."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def _check_size(value: Value) -> str | None:
    try:
        parse_size(str(value))
    except ParameterError as error:
        return str(error)
    return None


def _check_device(value: Value) -> str | None:
    if re.fullmatch(r"cpu|cuda(:\d+)?", str(value)):
        return None
    return "a device is cpu, cuda or cuda:N"


def _check_link(value: Value) -> str | None:
    try:
        parse_link(str(value))
    except LinkSpecError as error:
        return str(error)
    return None


_LOADED_ONCE = "networks are loaded once, at start; restart the node to change it"
_OPENED_ONCE = "the source is opened once, at start; restart the node to change it"

_MODEL = (
    Row(
        "model",
        "default",
        "Checkpoint: the name of one that ships with the package, or a file. Both ends of a link "
        "need the same one.",
        fixed=_LOADED_ONCE,
    ),
    Row(
        "device",
        "cpu",
        "Where the networks run: cpu, cuda or cuda:N.",
        check=_check_device,
        fixed=_LOADED_ONCE,
    ),
    Row(
        "precision",
        "fp32",
        "Arithmetic of the networks. The codec itself is integer and stays bit-exact.",
        choices=("fp32", "bf16", "fp16"),
        fixed=_LOADED_ONCE,
    ),
)

ONBOARD = (
    *_MODEL,
    Row("stream", 0, "Number of this camera's stream; one per camera on a link.", 0, 255),
    Row(
        "image_transport",
        "raw",
        "raw subscribes to `image` (sensor_msgs/Image), compressed to `image/compressed` "
        "(sensor_msgs/CompressedImage, JPEG or PNG).",
        choices=("raw", "compressed"),
        fixed="the subscription is made once, at start; restart the node to change it",
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
        "What the stream may use at most in auto and budget mode, in kbit/s, all headers of the "
        "packets counted.",
        1.0,
        100000.0,
    ),
    Row(
        "rate.prefer",
        "accuracy",
        "What auto mode keeps on a link that is too narrow: accuracy sends fewer frames rather "
        "than frames not worth their bytes, smooth sends every frame that fits at all, latency "
        "moreover keeps the queue shorter and gives up throughput for it.",
        choices=PREFERENCES,
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
        check=_check_size,
    ),
)

GROUND = (
    *_MODEL,
    Row("score_threshold", 0.3, "Detections below this score are left out.", 0.0, 1.0),
    Row(
        "nms_iou",
        0.5,
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
    Row("feedback.rate", 15.0, "Feedback packets per second and stream.", 1.0, 50.0),
)

LINK_EMULATOR = (
    Row(
        "link",
        "1mbit,40ms,1%",
        "The radio link to imitate: RATE[,DELAY[,LOSS%]], e.g. 500kbit,40ms,2%, with a mahimahi "
        "trace file or RATE>RATE@TIME>… in the place of RATE; also outage=3s@10s, burst=5%x8, "
        "jitter=10ms, queue=300ms, reorder=1%x20ms, duplicate=1%, and mean=1mbit for a trace.",
        check=_check_link,
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
        check=_check_size,
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


def problem_of(rows: tuple[Row, ...], values: Mapping[str, object]) -> str | None:
    """The first thing that is wrong with a set of values, as a sentence; None if they may be used.

    Names that the table does not have (`use_sim_time`, `qos_overrides.…`) are not its business.
    """
    by_name = {row.name: row for row in rows}
    for name, value in values.items():
        found = by_name[name].problem(value) if name in by_name else None
        if found is not None:
            return found
    return None
