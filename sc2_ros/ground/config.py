# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes into the station's pipeline besides packets, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sc2_ros.errors import ParameterError
from sc2_ros.ground.engine import BACKENDS, check_onnx_device


@dataclass(frozen=True)
class GroundConfig:
    """What may be set, live.

    Attributes:
        score_threshold: lowest score of a detection, 0 to 1.
        nms_iou: of two boxes of one class that overlap by more, the weaker goes.
        max_detections: detections per frame at most.
        classes: names of the classes to report; empty for all.
        mask: whether to run the segmentation head.
        preview: whether to run the preview head.
        frame_timeout_s: seconds without another slice of a frame until it is shown with holes.
        deadline_s: the same from the first slice of a newer frame; 0: by the frame interval.
        feedback_hz: feedback packets per second and stream.
        max_pixels: pixels of a frame as it was encoded, at most; packets of larger ones, such as a
            forged one that would keep the network busy for seconds, are dropped.
        backend: "torch", or "onnxruntime" for the network that `sc2 export` wrote.
        device: "cpu", "cuda", or with torch "cuda:N".
        precision: "fp32", "bf16", "fp16" (only on a GPU), or "auto": what suits the device.
    """

    score_threshold: float = 0.3
    nms_iou: float = 0.6
    max_detections: int = 200
    classes: tuple[str, ...] = ()
    mask: bool = True
    preview: bool = True
    frame_timeout_s: float = 0.25
    deadline_s: float = 0.0
    feedback_hz: float = 15.0
    max_pixels: int = 2_500_000
    backend: str = "torch"
    device: str = "cpu"
    precision: str = "fp32"

    def validate(self, known_classes: tuple[str, ...]) -> None:
        """Raise ``ParameterError`` if any value cannot be used."""
        for name, share in (("score threshold", self.score_threshold), ("NMS IoU", self.nms_iou)):
            if not 0 <= share <= 1:
                raise ParameterError(f"{name} {share} is not between 0 and 1")
        if not 1 <= self.max_detections <= 10_000:
            raise ParameterError(f"{self.max_detections} detections at most; give 1 to 10000")
        for name in self.classes:
            if name not in known_classes:
                raise ParameterError(
                    f"class {name!r} is unknown; the checkpoint has {', '.join(known_classes)}"
                )
        if not 0 <= self.frame_timeout_s <= 60:
            raise ParameterError(f"frame timeout of {self.frame_timeout_s} s; give 0 to 60")
        if not 0 <= self.deadline_s <= 60:
            raise ParameterError(f"deadline of {self.deadline_s} s; give 0 to 60")
        if not 0 < self.feedback_hz <= 1000:
            raise ParameterError(f"{self.feedback_hz} feedback packets/s; give more than 0")
        if self.max_pixels < 1:
            raise ParameterError(f"{self.max_pixels} pixels at most; give 1 or more")
        self.check_backend()

    def check_backend(self) -> None:
        """Raise ``ParameterError`` unless this machine can run the network as it is asked for."""
        if self.backend not in BACKENDS:
            raise ParameterError(f"backend {self.backend!r} is unknown; use {', '.join(BACKENDS)}")
        if self.backend == "torch":
            from sc2_ros.network.devices import check_device  # FrameResult is read without torch

            check_device(self.device, self.precision)
        elif self.precision not in ("auto", "fp32"):
            raise ParameterError(
                f"precision {self.precision} needs backend torch; ONNX Runtime computes with fp32"
            )
        else:
            check_onnx_device(self.device)


@dataclass(frozen=True)
class FrameResult:
    """What the station sees of one frame.

    Attributes:
        stream: number of the stream.
        frame: number of the frame, modulo 2**16.
        stamp_ns: stamp of the camera's image.
        frame_id: its ROS frame_id; empty until stream info has come.
        source_size: (width, height) of the camera's image.
        rate_index: rate index that the frame was coded at.
        size_bytes: bytes on the wire of the packets that came.
        packets_expected: packets that the frame was cut into.
        packets_received: how many of them came.
        packets_repaired: how many others repair packets stand in for.
        share_received: share of the frame's area whose packets came.
        share_repaired: share of it that repair packets stand in for.
        share_concealed: share of it that was taken from an earlier frame.
        boxes: (N, 4) float32 x1, y1, x2, y2 in pixels of the camera's image.
        scores: (N,) float32, best first.
        labels: (N,) int64 detection class numbers.
        mask: (h4, w4) uint8 mask class numbers at a quarter of the encoded size; None if off.
        preview: (h2, w2, 3) uint8 RGB; None if off.
    """

    stream: int
    frame: int
    stamp_ns: int
    frame_id: str
    source_size: tuple[int, int]
    rate_index: float
    size_bytes: int
    packets_expected: int
    packets_received: int
    packets_repaired: int
    share_received: float
    share_repaired: float
    share_concealed: float
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    mask: npt.NDArray[np.uint8] | None
    preview: npt.NDArray[np.uint8] | None


@dataclass
class GroundStats:
    """Counters since the start and the latest figures.

    Attributes:
        packets: packets received, good or bad.
        bytes: their bytes.
        bad_packets: packets that could not be used, by reason: "damaged", "mismatch",
            "unexpected type", "undecodable", "inconsistent", "implausible" (a jump that no second
            packet has confirmed), "reference missing", and "overrun" of those that the node
            dropped unread.
        mismatched: packets of another checkpoint than the one loaded.
        last_error: what was wrong with the last bad packet, as a sentence.
        first_errors: the same of the first bad packet of each reason.
        frames: frames shown.
        incomplete_frames: those of them with packets missing.
        repair_packets: repair packets received.
        repaired_packets: lost packets that they made up for.
        late_packets: packets of frames that had been shown already.
        duplicate_packets: packets that came twice while their frame was open.
        loss: share of the recent packets that did not come, on the stream last shown.
        stage_ms: milliseconds that each stage took on the last frame; "decode" is the sum over
            its packets.
    """

    packets: int = 0
    bytes: int = 0
    bad_packets: dict[str, int] = field(default_factory=dict)
    mismatched: int = 0
    last_error: str = ""
    first_errors: dict[str, str] = field(default_factory=dict)
    frames: int = 0
    incomplete_frames: int = 0
    repair_packets: int = 0
    repaired_packets: int = 0
    late_packets: int = 0
    duplicate_packets: int = 0
    loss: float = 0.0
    stage_ms: dict[str, float] = field(default_factory=dict)

    def refuse(self, reason: str, why: str) -> None:
        """Count a packet that cannot be used; `why` is a sentence."""
        self.bad_packets[reason] = self.bad_packets.get(reason, 0) + 1
        self.last_error = why
        self.first_errors.setdefault(reason, why)

    def main_error(self) -> str:
        """Why packets could not be used, as a sentence; empty if all could.

        Another checkpoint above all, then what came most often; a reference is missing because
        something was wrong before.
        """

        def weight(reason: str) -> tuple[bool, bool, int]:
            count = self.bad_packets[reason]
            return reason == "mismatch", reason != "reference missing", count

        reason = max(self.bad_packets, key=weight, default="")
        return self.first_errors.get(reason, self.last_error)
