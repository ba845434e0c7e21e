# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resident memory of the onboard process over a run of minutes: how much, and whether it is flat.

    python benchmarks/memory.py --minutes 10 --json benchmarks/results/memory.json
    python benchmarks/memory.py --minutes 10 --pid 4711      # watch a running onboard_node instead

Without --pid a process of its own runs the onboard path on the synthetic flight at --fps, with a
rate that never rests and a ground that acknowledges everything, so that frames are predicted from
earlier ones, too. Flat means: after the first fifth of the run, which is warm-up, the straight
line through the samples rises by less than 2 %. The exit status is 1 where it rises by more.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from ctypes import Array, c_longlong
from pathlib import Path

import numpy as np
import psutil
from helpers.program import exit_with

from sc2_ros.codec import wire
from sc2_ros.errors import InputError, Sc2Error
from sc2_ros.link.receiver_log import ReceiverLog

_SAMPLES = 300
_IMAGES = 20
_WARM_UP_SHARE = 0.2
_ALLOWED_RISE = 0.02


def main() -> int:
    """Start the process, sample it, judge."""
    args = _parse_arguments()
    if args.pid is not None:
        report = watch(args.pid, args.minutes * 60)
    else:
        # A fresh interpreter, so that nothing of this process counts.
        context = multiprocessing.get_context("spawn")
        flown = context.RawArray("q", 2)
        worker = context.Process(
            target=fly, args=(args.checkpoint, args.size, args.fps, flown), daemon=True
        )
        worker.start()
        assert worker.pid is not None  # it was started
        while flown[0] < _IMAGES:
            time.sleep(1)
            if not worker.is_alive():
                raise Sc2Error("the onboard process ended before its first frames; see above")
        report = watch(worker.pid, args.minutes * 60)
        report["frames"], report["slices_predicted"] = flown
        worker.terminate()
        worker.join()
    print(
        f"onboard process over {report['minutes']:.1f} min: first {report['rss_mb_first']:.0f} MB "
        f"after warm-up, last {report['rss_mb_last']:.0f} MB, most {report['rss_mb_max']:.0f} MB, "
        f"trend {report['rise']:+.1%}: {'flat' if report['flat'] else 'RISING'}"
    )
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if report["flat"] else 1


def watch(pid: int, seconds: float) -> dict[str, object]:
    """Sample a process's memory at even intervals; Sc2Error where it ends before the time."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        raise InputError(f"no process {pid}; give the id of a running onboard_node") from None
    start, samples = time.monotonic(), []
    while (elapsed := time.monotonic() - start) < seconds:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                raise psutil.NoSuchProcess(pid)
            samples.append((elapsed, process.memory_info().rss / 1e6))
        except psutil.NoSuchProcess:
            raise Sc2Error(f"the process {pid} ended after {elapsed:.0f} s") from None
        time.sleep(seconds / _SAMPLES)
    return judge(samples)


def judge(samples: list[tuple[float, float]]) -> dict[str, object]:
    """Fit a line through (seconds, MB) after the warm-up."""
    seconds, rss_mb = np.array(samples).T
    warm = seconds >= _WARM_UP_SHARE * seconds[-1]
    slope, offset = np.polyfit(seconds[warm], rss_mb[warm], 1)
    first = float(offset + slope * seconds[warm][0])
    rise = float(slope * (seconds[-1] - seconds[warm][0]) / first)
    return {
        "minutes": float(seconds[-1] / 60),
        "rss_mb_first": float(rss_mb[warm][0]),
        "rss_mb_last": float(rss_mb[-1]),
        "rss_mb_max": float(rss_mb.max()),
        "rise": rise,
        "flat": rise < _ALLOWED_RISE,
        "samples": [[round(s, 1), round(m, 1)] for s, m in samples],
    }


def fly(checkpoint_name: str, size: str, fps: float, flown: Array[c_longlong]) -> None:
    """Run the onboard path in real time without end: the process that is watched.

    `flown` tells how many frames were sent and how many slices of them were predicted.
    """
    from sc2_ros import checkpoint as checkpoints
    from sc2_ros.media.flight import SyntheticFlight
    from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

    width, height = (int(n) for n in size.split("x"))
    # A minute of images rendered beforehand would be larger than the pipeline, so a few in a loop.
    flight = SyntheticFlight(0, width=width, height=height)
    images = [flight.frame(5 * i).image for i in range(_IMAGES)]
    checkpoint = checkpoints.load(checkpoint_name)
    onboard = OnboardPipeline(checkpoint, OnboardConfig(rate_mode="fixed"))
    received = ReceiverLog(session=1, station=1)
    start = time.monotonic()
    index = 0
    while True:
        now_s = time.monotonic() - start
        # The rate moves all the time, as it does under a controller, so that all tables are used.
        onboard.configure(OnboardConfig(rate_mode="fixed", rate_index=(index % 101) / 100))
        frame = CameraFrame(images[index % len(images)], round(now_s * 1e9), "camera")
        packets = onboard.process(frame, now_s)
        for packet in packets:
            onboard.on_sent(packet, now_s)
        onboard.on_feedback(acknowledge(packets, received, checkpoint.id, now_s), now_s)
        index += 1
        flown[:] = [index, onboard.stats.slices_predicted]
        time.sleep(max(0.0, index / fps - (time.monotonic() - start)))


def acknowledge(
    packets: list[bytes], received: ReceiverLog, checkpoint_id: int, now_s: float
) -> bytes:
    """What a ground that has got and decoded these packets of a frame tells the drone."""
    for packet in packets:
        header = wire.parse(packet).header
        if header.type is wire.PacketType.FEATURES:
            received.on_packet(header.frame, header.number, header.slices, len(packet), now_s)
    received.on_decoded()
    received.on_held(header.frame)
    payload = received.build(now_s)
    assert payload is not None  # packets have come
    reply = wire.Header(
        type=wire.PacketType.FEEDBACK,
        stream=header.stream,
        frame=header.frame,
        checkpoint_id=checkpoint_id,
    )
    return wire.build(reply, payload)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--pid", type=int, help="of a running process to watch")
    parser.add_argument("--size", default="640x512")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    exit_with(main)
