# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time of every stage of the onboard and the ground path, beside OpenCV's JPEG and WebP encoders.

    python benchmarks/path.py --size 640x512 --json out/path.json

Medians over real frames in one process, in milliseconds; the codecs see the same frames. The rate
is chosen for a budget of --frame-bytes, so that pricing is measured too. The onboard path runs
twice, frame by frame in turn: each frame by itself, and predicted from the one before, which a
station has acknowledged. What a process of the drone takes is measured by footprint.py.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
from helpers.program import exit_with
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from sc2_ros import checkpoint as checkpoints
from sc2_ros.errors import InputError, ParameterError, Sc2Error
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline, GroundStats
from sc2_ros.media.source import open_source
from sc2_ros.network import imaging
from sc2_ros.network.devices import check_device
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline, OnboardStats

JPEG_QUALITY = 50
WEBP_QUALITY = 50
_WARM_UP_FRAMES = 5
_FPS = 30.0

Image = NDArray[np.uint8]


def main() -> int:
    """Measure, print the table, write the JSON."""
    args = _parse_arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
        cv2.setNumThreads(args.threads)
    check_device(args.device, args.precision)
    images = read_frames(args.input, args.size, args.frames + _WARM_UP_FRAMES)
    checkpoint = checkpoints.load(args.checkpoint, device=args.device)
    report = measure(checkpoint, images, args.frame_bytes, args.device, args.precision)
    print_report(report, f"{args.size[0]}x{args.size[1]}, {torch.get_num_threads()} threads")
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def read_frames(spec: str, size: tuple[int, int], count: int) -> list[Image]:
    """The first frames of a source, scaled to size (width, height)."""
    images = [
        imaging.resize(frame.image, *size) for frame in islice(open_source(spec, size=size), count)
    ]
    if len(images) <= _WARM_UP_FRAMES:
        raise InputError(f"{spec} has {len(images)} frames; {_WARM_UP_FRAMES + 1} are needed")
    return images


def measure(
    checkpoint: checkpoints.Checkpoint,
    images: list[Image],
    frame_bytes: int,
    device: str,
    precision: str,
) -> dict[str, object]:
    """Run the onboard paths over all images, then the codecs, then the ground path.

    precision: of the ground's network, as the ground node's parameter.
    """
    onboard = _pipeline(checkpoint, frame_bytes, device, temporal=False)
    predicting = _pipeline(checkpoint, frame_bytes, device, temporal=True)
    ground = GroundPipeline(checkpoint, GroundConfig(device=device, precision=precision))
    station = GroundPipeline(checkpoint, GroundConfig(feedback_hz=2 * _FPS, device=device))
    alone, predicted, decoding = _Stages(), _Stages(), _Stages()
    sent: list[list[bytes]] = []
    for index, image in enumerate(images):
        now_s = index / _FPS
        frame = CameraFrame(image, round(now_s * 1e9), "camera")
        counts = index >= _WARM_UP_FRAMES
        with alone.measured(onboard.stats, counts):
            sent.append(onboard.process(frame, now_s))
        with predicted.measured(predicting.stats, counts):
            packets = predicting.process(frame, now_s)
        for packet in packets:
            predicting.on_sent(packet, now_s)
            for ready in station.accept(packet, now_s):
                # Else the drone would take the station for a slow one, and leave frames out.
                ready.stream.enter_shown(ready.frame, ready.log)
        for packet in station.feedback(now_s + 0.4 / _FPS):
            predicting.on_feedback(packet, now_s + 0.5 / _FPS)
    sent_count = sum(1 for packets in sent[_WARM_UP_FRAMES:] if packets)
    if not sent_count:
        raise Sc2Error(f"no frame fits {frame_bytes} bytes at any rate; give more --frame-bytes")
    bgr = [np.ascontiguousarray(i[..., ::-1]) if i.ndim == 3 else i for i in images]
    jpeg_ms, jpeg_bytes = _image_codec(bgr, ".jpg", cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
    webp_ms, webp_bytes = _image_codec(bgr, ".webp", cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY)
    for index, packets in enumerate(sent):
        with decoding.measured(ground.stats, index >= _WARM_UP_FRAMES and bool(packets)):
            for packet in packets:
                ground.receive(packet, index / _FPS)
    if ground.stats.frames < onboard.stats.frames_sent:
        raise Sc2Error(
            f"the ground decoded {ground.stats.frames} of {onboard.stats.frames_sent} frames"
        )
    return {
        "checkpoint": f"{checkpoint.id:08x}",
        "onboard_ms": alone.medians(),
        "predicting_ms": predicted.medians() if predicting.stats.slices_predicted else {},
        "ground_ms": decoding.medians(),
        "jpeg_ms": jpeg_ms,
        "webp_ms": webp_ms,
        "bytes_per_frame": onboard.stats.bytes_sent / onboard.stats.frames_sent,
        "jpeg_bytes": jpeg_bytes,
        "webp_bytes": webp_bytes,
        "frames": sent_count,
        "frames_dropped": onboard.stats.frames_dropped,
        "frame_bytes": frame_bytes,
        "engine": onboard.engine_name,
        "threads": torch.get_num_threads(),
        "device": device,
        "precision": precision,
    }


def _pipeline(
    checkpoint: checkpoints.Checkpoint, frame_bytes: int, device: str, *, temporal: bool
) -> OnboardPipeline:
    """An onboard pipeline with a budget for every frame."""
    config = OnboardConfig(
        rate_mode="budget",
        rate_max_kbps=frame_bytes * 8 * _FPS / 1000,
        rate_temporal=temporal,
        frame_max_fps=_FPS,
        device=device,
    )
    return OnboardPipeline(checkpoint, config)


class _Stages:
    """Times of each stage as a pipeline reports it, and of the whole step by the wall clock."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def measured(self, stats: OnboardStats | GroundStats, counts: bool) -> Iterator[None]:
        """Take the time of a frame; one that the budget did not let through does not count."""
        frames, start_s = _frames(stats), time.perf_counter()
        yield
        total_ms = (time.perf_counter() - start_s) * 1e3
        if counts and _frames(stats) > frames:
            for stage, value in stats.stage_ms.items():
                self._times[stage].append(value)
            self._times["total"].append(total_ms)

    def medians(self) -> dict[str, float]:
        """Median of each stage over the frames that count, milliseconds."""
        return {stage: median(values) for stage, values in self._times.items()}


def _frames(stats: OnboardStats | GroundStats) -> int:
    return stats.frames_sent if isinstance(stats, OnboardStats) else stats.frames


def _image_codec(
    images: list[Image], suffix: str, parameter: int, quality: int
) -> tuple[float, float]:
    """Median milliseconds and mean bytes of an OpenCV encoder."""
    times, sizes = [], []
    for image in images:
        start = time.perf_counter()
        _, data = cv2.imencode(suffix, image, [parameter, quality])
        times.append((time.perf_counter() - start) * 1e3)
        sizes.append(len(data))
    return median(times[_WARM_UP_FRAMES:]), sum(sizes) / len(sizes)


def print_report(report: dict[str, object], title: str) -> None:
    """Print the medians as a table."""
    table = Table(title=title, title_justify="left")
    table.add_column("path")
    table.add_column("stage")
    table.add_column("median ms", justify="right")
    for path in ("onboard", "predicting", "ground"):
        stages = report[f"{path}_ms"]
        assert isinstance(stages, dict)
        for stage, value in stages.items():
            table.add_row(path, stage, f"{value:.2f}", end_section=stage == "total")
    table.add_row(f"cv2 JPEG {JPEG_QUALITY}", "encode", f"{report['jpeg_ms']:.2f}")
    table.add_row(f"cv2 WebP {WEBP_QUALITY}", "encode", f"{report['webp_ms']:.2f}")
    Console().print(table)
    print(
        f"bytes/frame: {report['bytes_per_frame']:,.0f}, JPEG {report['jpeg_bytes']:,.0f}, "
        f"WebP {report['webp_bytes']:,.0f}; {report['engine']}"
    )


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=_size, default="640x512", help="width x height")
    parser.add_argument("--input", default="synthetic", help="video, folder, bag or synthetic:SEED")
    parser.add_argument("--frames", type=int, default=100, help="measured frames (default: 100)")
    parser.add_argument("--frame-bytes", type=int, default=4000, help="budget (default: 4000)")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--precision", default="auto", help="of the ground's network, as its node's"
    )
    parser.add_argument("--threads", type=int, default=0, help="0: as torch chooses")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(n) for n in text.lower().split("x"))
        if min(width, height) < 1:
            raise ValueError
    except ValueError:
        raise ParameterError(f"--size '{text}' is not WIDTHxHEIGHT, as 640x512") from None
    return width, height


if __name__ == "__main__":
    exit_with(main)
