# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time of every stage of the onboard and the ground path, beside OpenCV's JPEG and WebP encoders.

    python benchmarks/path.py --size 640x512 --json out/path.json

Medians over real frames in one process, in milliseconds; the codecs see the same frames. The rate
is chosen for a budget of --frame-bytes, so that pricing is measured too. `rss_mb` is the resident
memory after the onboard path ran and before the ground path did.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from sc2_ros import checkpoint as checkpoints
from sc2_ros import imaging
from sc2_ros.devices import check_device
from sc2_ros.errors import InputError, ParameterError, Sc2Error
from sc2_ros.ground import GroundConfig, GroundPipeline
from sc2_ros.media.source import open_source
from sc2_ros.onboard import CameraFrame, OnboardConfig, OnboardPipeline

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
    check_device(args.device, "fp32")
    images = read_frames(args.input, args.size, args.frames + _WARM_UP_FRAMES)
    checkpoint = checkpoints.load(args.checkpoint, device=args.device)
    report = measure(checkpoint, images, args.frame_bytes, args.device)
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
    checkpoint: checkpoints.Checkpoint, images: list[Image], frame_bytes: int, device: str
) -> dict[str, object]:
    """Run the onboard path over all images, then the codecs, then the ground path."""
    onboard = OnboardPipeline(
        checkpoint,
        OnboardConfig(
            rate_mode="budget",
            rate_max_kbps=frame_bytes * 8 * _FPS / 1000,
            frame_max_fps=_FPS,
            device=device,
        ),
    )
    ground = GroundPipeline(checkpoint, GroundConfig(device=device))
    sent: list[list[bytes]] = []

    def send(index: int) -> None:
        frame = CameraFrame(images[index], round(index / _FPS * 1e9), "camera")
        sent.append(onboard.process(frame, index / _FPS))

    def receive(index: int) -> None:
        for packet in sent[index]:
            ground.receive(packet, index / _FPS)

    count = range(len(images))
    onboard_ms = _stages(
        send, count, lambda: onboard.stats.stage_ms, lambda index: bool(sent[index])
    )
    sent_count = sum(1 for packets in sent[_WARM_UP_FRAMES:] if packets)
    if not sent_count:
        raise Sc2Error(f"no frame fits {frame_bytes} bytes at any rate; give more --frame-bytes")
    rss_mb = psutil.Process().memory_info().rss / 1e6
    bgr = [np.ascontiguousarray(i[..., ::-1]) if i.ndim == 3 else i for i in images]
    jpeg_ms, jpeg_bytes = _image_codec(bgr, ".jpg", cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
    webp_ms, webp_bytes = _image_codec(bgr, ".webp", cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY)
    ground_ms = _stages(
        receive, count, lambda: ground.stats.stage_ms, lambda index: bool(sent[index])
    )
    if ground.stats.frames < onboard.stats.frames_sent:
        raise Sc2Error(
            f"the ground decoded {ground.stats.frames} of {onboard.stats.frames_sent} frames"
        )
    return {
        "onboard_ms": onboard_ms,
        "ground_ms": ground_ms,
        "jpeg_ms": jpeg_ms,
        "webp_ms": webp_ms,
        "rss_mb": rss_mb,
        "bytes_per_frame": onboard.stats.bytes_sent / onboard.stats.frames_sent,
        "jpeg_bytes": jpeg_bytes,
        "webp_bytes": webp_bytes,
        "frames": sent_count,
        "frames_dropped": onboard.stats.frames_dropped,
        "frame_bytes": frame_bytes,
        "threads": torch.get_num_threads(),
        "device": device,
    }


def _stages(
    step: Callable[[int], None],
    indices: Iterable[int],
    stage_ms: Callable[[], dict[str, float]],
    counts: Callable[[int], bool],
) -> dict[str, float]:
    """Median of each stage as the pipeline reports it, and of the whole step by the wall clock.

    Only over frames that count, which are those that the budget let through.
    """
    times: dict[str, list[float]] = defaultdict(list)
    for index in indices:
        start = time.perf_counter()
        step(index)
        total = (time.perf_counter() - start) * 1e3
        if index >= _WARM_UP_FRAMES and counts(index):
            for stage, value in stage_ms().items():
                times[stage].append(value)
            times["total"].append(total)
    return {stage: median(values) for stage, values in times.items()}


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
    for path in ("onboard", "ground"):
        stages = report[f"{path}_ms"]
        assert isinstance(stages, dict)
        for stage, value in stages.items():
            table.add_row(path, stage, f"{value:.2f}", end_section=stage == "total")
    table.add_row(f"cv2 JPEG {JPEG_QUALITY}", "encode", f"{report['jpeg_ms']:.2f}")
    table.add_row(f"cv2 WebP {WEBP_QUALITY}", "encode", f"{report['webp_ms']:.2f}")
    Console().print(table)
    print(
        f"bytes/frame: {report['bytes_per_frame']:,.0f}, JPEG {report['jpeg_bytes']:,.0f}, "
        f"WebP {report['webp_bytes']:,.0f}; onboard memory {report['rss_mb']:.0f} MB"
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
    parser.add_argument("--threads", type=int, default=0, help="0: as torch chooses")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(n) for n in text.lower().split("x"))
    except ValueError:
        raise ParameterError(f"--size '{text}' is not WIDTHxHEIGHT, as 640x512") from None
    return width, height


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Sc2Error as error:
        sys.exit(f"error: {error}")
