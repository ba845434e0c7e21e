# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes into the drone's pipeline, what may be set in it, and what it counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sc2_ros.codec import wire
from sc2_ros.errors import ParameterError
from sc2_ros.link.control.auto import PREFERENCES
from sc2_ros.link.rate import RATE_MODES
from sc2_ros.link.repair_policy import REPAIR_MODES
from sc2_ros.onboard import backend
from sc2_ros.onboard.keyframes import LEAST_S, MOST_S


class UnreadImage(Protocol):
    """A picture that is not decoded yet, so that one that is not sent costs nothing."""

    @property
    def size(self) -> tuple[int, int]:
        """Its own width and height in px; InputError if it cannot be read."""

    def read(self, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """uint8 (H, W, 3) RGB or (H, W) grey at `size`; InputError if it cannot be read."""


@dataclass(frozen=True)
class CameraFrame:
    """One picture, its stamp and its ROS frame_id.

    `image` is uint8 (H, W, 3) RGB or (H, W) grey, or what can still be read as such.
    """

    image: npt.NDArray[np.uint8] | UnreadImage
    stamp_ns: int
    frame_id: str


@dataclass(frozen=True)
class OnboardConfig:
    """What may be set, live.

    Attributes:
        rate_mode: "auto" follows the link, "budget" keeps to rate_max_kbps, "fixed" to rate_index.
        rate_index: rate index in fixed mode, 0 (fewest bytes) to 1.
        rate_max_kbps: most kbit/s in auto and budget mode, all headers of the packets counted.
        rate_prefer: "accuracy" or "latency": what auto mode gives up last.
        rate_repair: "auto" adds repair packets in auto mode as the radio loses packets; "off".
        rate_temporal: predict frames from what the ground has, if the checkpoint has tables for it.
        rate_saliency: how much more exactly objects are sent than background, from 0, not at all,
            to 1; if the checkpoint tells where objects are.
        refresh_period_s: a keyframe comes at least once in so many seconds.
        frame_max_fps: frames sent per second at most; 0 for no limit.
        frame_width: width in pixels to which images are scaled; 0 keeps the source's size.
        frame_height: height in pixels; 0 together with the width.
        frame_max_pixels: pixels of a frame as it is encoded at most; larger images are scaled down.
        stream: number of the stream, 0 to 255.
        overhead_bytes: what each packet takes on air beyond its own bytes; counts in every rate.
        backend: "onnxruntime", "torch", or "auto": ONNX Runtime where it can.
        precision: "fp32"; with torch "bf16", or on a GPU "fp16"; with TensorRT "fp16"; or "auto".
        device: "cpu", "cuda", "cuda:N", "tensorrt", or "auto": the GPU, if there is one.
    """

    rate_mode: str = "fixed"
    rate_index: float = 0.5
    rate_max_kbps: float = 4000.0
    rate_prefer: str = "accuracy"
    rate_repair: str = "auto"
    rate_temporal: bool = True
    rate_saliency: float = 0.5
    refresh_period_s: float = MOST_S
    frame_max_fps: float = 0.0
    frame_width: int = 0
    frame_height: int = 0
    frame_max_pixels: int = 2_500_000
    stream: int = 0
    overhead_bytes: int = 0
    backend: str = "auto"
    precision: str = "fp32"
    device: str = "cpu"

    def validate(self) -> None:
        """Raise ``ParameterError`` if any value cannot be used."""
        if self.rate_mode not in RATE_MODES:
            raise ParameterError(f"rate mode {self.rate_mode!r}; known: {', '.join(RATE_MODES)}")
        if self.rate_prefer not in PREFERENCES:
            raise ParameterError(
                f"rate preference {self.rate_prefer!r}; known: {', '.join(PREFERENCES)}"
            )
        if self.rate_repair not in REPAIR_MODES:
            raise ParameterError(f"repair {self.rate_repair!r}; known: {', '.join(REPAIR_MODES)}")
        if not 0 <= self.rate_index <= 1:
            raise ParameterError(f"rate index {self.rate_index} is not between 0 and 1")
        if not 0 < self.rate_max_kbps < 1e9:
            raise ParameterError(
                f"rate limit of {self.rate_max_kbps:g} kbit/s; give above 0 and below 1e9"
            )
        if not 0 <= self.rate_saliency <= 1:
            raise ParameterError(f"saliency {self.rate_saliency} is not between 0 and 1")
        if not LEAST_S <= self.refresh_period_s < 1e6:
            raise ParameterError(
                f"refresh period of {self.refresh_period_s} s; give {LEAST_S:g} to below 1e6"
            )
        if not 0 <= self.frame_max_fps < 1e6:
            raise ParameterError(
                f"limit of {self.frame_max_fps} frames/s; give 0 to below 1e6, where 0 is no limit"
            )
        sides = (self.frame_width, self.frame_height)
        if sides != (0, 0) and not all(0 < side <= wire.MAX_ENCODED_SIDE for side in sides):
            raise ParameterError(
                f"frame size {sides[0]}x{sides[1]}; both sides must be 1 to "
                f"{wire.MAX_ENCODED_SIDE}, or both 0 to keep the camera's"
            )
        if self.frame_max_pixels < 1024:
            raise ParameterError(f"limit of {self.frame_max_pixels} pixels is below 1024")
        if sides[0] * sides[1] > self.frame_max_pixels:
            raise ParameterError(
                f"frame size {sides[0]}x{sides[1]} is more than {self.frame_max_pixels} pixels; "
                "raise frame.max_pixels here and max_pixels of the ground node, or lower the size"
            )
        if not 0 <= self.stream <= 255:
            raise ParameterError(f"stream {self.stream} is not between 0 and 255")
        backend.choose(self.backend, self.device, self.precision)


def encoded_size(source: tuple[int, int], config: OnboardConfig) -> tuple[int, int]:
    """Width and height in px at which an image of `source` (width, height) is encoded."""
    if config.frame_width:
        return config.frame_width, config.frame_height
    scale = math.sqrt(config.frame_max_pixels / max(source[0] * source[1], 1))
    if scale >= 1:
        return source
    # A half or a quarter, if that is little less: JPEG decodes to it without scaling.
    scale = next((part for part in (0.5, 0.25) if 0.85 * scale <= part <= scale), scale)
    return max(int(source[0] * scale), 1), max(int(source[1] * scale), 1)


@dataclass
class OnboardStats:
    """Counters since the start and the latest figures; ``None``: nothing heard yet.

    Attributes:
        frames_in: images taken.
        frames_sent: frames coded.
        frames_dropped: images not sent, for want of frame rate or of budget.
        packets_sent: packets made.
        payload_bytes_sent: entropy-coded bytes in them.
        bytes_sent: bytes of all packets made.
        on_air_bytes_sent: the same with what transport and link add to each packet.
        repairs_sent: how many of them were repair packets.
        slices_predicted: slices that were predicted from an earlier frame.
        reference_age: how many frames before the last one sent its reference was; 0: it had none.
        bad_feedback: feedback packets that were damaged or not for this stream.
        rate_index: rate index of the last frame sent.
        stage_ms: milliseconds that each stage took on the last frame sent.
        loss: share of recent packets that the ground did not get.
        rtt_s: round trip, seconds.
        frames_decoded: frames that the ground decoded completely, over all its sessions.
        shown_fps: frames per second to which a ground that is behind limits this drone, if it is.
    """

    frames_in: int = 0
    frames_sent: int = 0
    frames_dropped: int = 0
    packets_sent: int = 0
    payload_bytes_sent: int = 0
    bytes_sent: int = 0
    on_air_bytes_sent: int = 0
    repairs_sent: int = 0
    slices_predicted: int = 0
    reference_age: int = 0
    bad_feedback: int = 0
    rate_index: float | None = None
    stage_ms: dict[str, float] = field(default_factory=dict)
    loss: float | None = None
    rtt_s: float | None = None
    frames_decoded: int = 0
    shown_fps: float | None = None
