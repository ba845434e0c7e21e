# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The encoder and the ground network on every runtime that this machine has, GPU first.

    python benchmarks/gpu.py --json out/gpu.json

For each runtime and precision, with one stream and with four at once (a thread and an engine each):
latency of a frame (p50, p99), frames per second, memory on the GPU and its power draw. What this
machine does not have is a row that says so. Then whether sums of integers, as the context network
has them, come out the same on the GPU as on the CPU.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from helpers.program import exit_with
from rich.console import Console
from rich.table import Table

from sc2_ros import checkpoint as checkpoints
from sc2_ros.errors import Sc2Error
from sc2_ros.export.onnx_files import export_encoder, export_ground
from sc2_ros.ground.engine import OnnxGroundEngine, Wanted
from sc2_ros.ground.maps import Window
from sc2_ros.ground.torch_engine import TorchGroundEngine
from sc2_ros.onboard.engine import OnnxEngine, warm_up
from sc2_ros.onboard.torch_engine import TorchEngine

STREAMS = (1, 4)
_EXACT = 1 << 24

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """What one engine does; `reason` tells why it does not.

    Attributes:
        network: "encoder" or "ground".
        engine: runtime, device and precision.
        streams: frames that are worked on at a time.
        p50_ms: median latency of a frame.
        p99_ms: the 99th percentile.
        fps: frames per second of all streams together.
        gpu_mb: memory in use on the GPU, by nvidia-smi.
        watts: its power draw under this load, by nvidia-smi.
        reason: why there are no numbers.
    """

    network: str
    engine: str
    streams: int = 1
    p50_ms: float | None = None
    p99_ms: float | None = None
    fps: float | None = None
    gpu_mb: float | None = None
    watts: float | None = None
    reason: str = ""


def main() -> int:
    """Measure, print the table, write the JSON."""
    args = _parse_arguments()
    model = checkpoints.load(args.checkpoint)
    rows = []
    for network, makers in (
        ("encoder", encoders(model, args.size)),
        ("ground", grounds(model, args.size)),
    ):
        for name, make in makers.items():
            for streams in STREAMS:
                rows.append(measure(network, name, make, streams, args.frames))
                print(_line(rows[-1]), file=sys.stderr)
    exact = {device: sums_are_exact(device) for device in _torch_devices()}
    _print(rows, exact, args.size)
    if args.json:
        report = {"size": args.size, "rows": [asdict(row) for row in rows], "exact": exact}
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def encoders(model: checkpoints.Checkpoint, size: tuple[int, int]) -> dict[str, Callable[[], Work]]:
    """By name, what makes an encoder that is warm and has a frame to encode."""
    exported = {
        precision: export_encoder(model.encoder, model.saliency, {}, precision)
        for precision in ("fp32", "fp16")
    }
    width, height = size
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)

    def onnx(device: str, precision: str) -> Callable[[], Work]:
        def make() -> Work:
            # TensorRT takes the weights as they are and is told to compute with 16 bits.
            fp16 = precision == "fp16"
            given = exported["fp32" if device == "tensorrt" else precision]
            engine = OnnxEngine(given, device, fp16=fp16)
            warm_up(engine, width, height)
            return lambda: engine.encode(image)

        return make

    def torch_(device: str, precision: str, graphs: bool) -> Callable[[], Work]:
        def make() -> Work:
            engine = TorchEngine(
                model.encoder, model.saliency, device, precision=precision, graphs=graphs
            )
            warm_up(engine, width, height)
            return lambda: engine.encode(image)

        return make

    makers = {
        f"onnxruntime {device} {precision}": onnx(device, precision)
        for device in ("tensorrt", "cuda", "cpu")
        for precision in ("fp16", "fp32")
        if (device, precision) != ("cpu", "fp16")
    }
    for precision in ("fp16", "fp32"):
        for graphs in (True, False):
            name = f"torch cuda {precision} {'CUDA graph' if graphs else 'eager'}"
            makers[name] = torch_("cuda", precision, graphs)
    makers["torch cpu fp32"] = torch_("cpu", "fp32", False)
    return makers


def grounds(model: checkpoints.Checkpoint, size: tuple[int, int]) -> dict[str, Callable[[], Work]]:
    """By name, what makes a ground network that is warm and has a latent to read."""
    channels = model.tables.channels
    exported = export_ground(model.ground, channels, {})
    height, width = -(-size[1] // 16), -(-size[0] // 16)
    random = np.random.default_rng(0)
    latent = random.normal(size=(channels, height, width)).astype(np.float32)
    latent *= random.random(latent.shape) < 0.1
    known, window = np.ones((height, width), np.bool_), Window((0, 0), size)

    def onnx(device: str) -> Callable[[], Work]:
        def make() -> Work:
            engine = OnnxGroundEngine(exported, device)
            return lambda: engine.run(latent, known, window, Wanted())

        return make

    def torch_(device: str, precision: str) -> Callable[[], Work]:
        def make() -> Work:
            engine = TorchGroundEngine(model.ground, device, precision)
            return lambda: engine.run(latent, known, window, Wanted())

        return make

    makers = {f"onnxruntime {device} fp32": onnx(device) for device in ("cuda", "cpu")}
    for device, precision in (
        *(("cuda", precision) for precision in ("fp16", "bf16", "fp32")),
        *(("cpu", precision) for precision in ("bf16", "fp32")),
    ):
        makers[f"torch {device} {precision}"] = torch_(device, precision)
    return makers


def measure(network: str, name: str, make: Callable[[], Work], streams: int, frames: int) -> Row:
    """Run so many streams at once, each with an engine of its own."""
    try:
        works = [make() for _ in range(streams)]
        for work in works:
            work()
    except (Sc2Error, RuntimeError) as error:
        return Row(network, name, streams, reason=str(error).splitlines()[0])
    times: list[list[float]] = [[] for _ in works]
    begin = threading.Barrier(streams + 1)

    def run(work: Work, own: list[float]) -> None:
        begin.wait()
        for _ in range(frames):
            start_s = time.perf_counter()
            work()
            own.append((time.perf_counter() - start_s) * 1e3)

    threads = [threading.Thread(target=run, args=pair) for pair in zip(works, times, strict=True)]
    for thread in threads:
        thread.start()
    begin.wait()
    start_s = time.perf_counter()
    used = nvidia_smi()
    for thread in threads:
        thread.join()
    elapsed_s = time.perf_counter() - start_s
    p50, p99 = np.percentile(np.concatenate(times), (50, 99))
    memory, watts = used or (None, None)
    return Row(
        network, name, streams, float(p50), float(p99), streams * frames / elapsed_s, memory, watts
    )


def nvidia_smi() -> tuple[float | None, float | None] | None:
    """Memory in use in MB, and watts, of the first GPU; None without one."""
    command = ["nvidia-smi", "--query-gpu=memory.used,power.draw", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    numbers = [_number(text) for text in told.stdout.splitlines()[0].split(",")]
    return numbers[0], numbers[1]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # "[N/A]": a Jetson does not tell
        return None


def sums_are_exact(device: str) -> bool:
    """Whether float32 products of integers whose sums stay below 2^24 are exact there."""
    random = np.random.default_rng(0)
    rows = random.integers(-7, 8, (1280, 9 * 22))
    weights = random.integers(-127, 128, (9 * 22, 384))
    expected = rows @ weights
    assert np.abs(expected).max() < _EXACT
    found = torch.from_numpy(rows).to(device, torch.float32) @ torch.from_numpy(weights).to(
        device, torch.float32
    )
    return np.array_equal(found.cpu().numpy().astype(np.int64), expected)


def _torch_devices() -> list[str]:
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def _line(row: Row) -> str:
    found = row.reason or f"{row.p50_ms:.2f} ms"
    return f"{row.network}, {row.engine}, {row.streams} streams: {found}"


def _print(rows: list[Row], exact: dict[str, bool], size: tuple[int, int]) -> None:
    table = Table(title=f"{size[0]}x{size[1]}", title_justify="left")
    for name in ("network", "engine", "streams", "p50 ms", "p99 ms", "frames/s", "GPU MB", "W"):
        table.add_column(name, justify="left" if name in ("network", "engine") else "right")
    missing: dict[str, str] = {}
    for row in rows:
        if row.reason:
            missing[row.engine] = row.reason
            continue
        numbers = (row.p50_ms, row.p99_ms, row.fps, row.gpu_mb, row.watts)
        cells = ["-" if number is None else f"{number:.2f}" for number in numbers]
        table.add_row(row.network, row.engine, str(row.streams), *cells)
    console = Console()
    console.print(table)
    for engine, reason in missing.items():
        console.print(f"not measured: {engine}: {reason}", highlight=False)
    for device, same in exact.items():
        console.print(f"sums of integers on {device}: {'exact' if same else 'NOT EXACT'}")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=_size, default="640x512", help="width x height")
    parser.add_argument("--frames", type=int, default=200, help="of each stream (default: 200)")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    width, height = (int(number) for number in text.lower().split("x"))
    return width, height


if __name__ == "__main__":
    exit_with(main)
