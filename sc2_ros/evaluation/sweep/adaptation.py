# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How two checkpoints agree with a teacher on the same frames, and for how many bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.data import Sample
from sc2_ros.evaluation.metrics.bdrate import bd_rate
from sc2_ros.evaluation.metrics.detection import DetectionScore
from sc2_ros.evaluation.metrics.segmentation import SegmentationScore, shared_classes
from sc2_ros.evaluation.systems.stream import StreamSystem

RATES = (0.15, 0.3, 0.5, 0.75)


@dataclass(frozen=True)
class Point:
    """Wire bytes per frame, and agreement AP50 (mean of the classes) and mIoU; None = no truth."""

    rate_index: float
    bytes_per_frame: float
    ap50: float | None
    miou: float | None


@dataclass(frozen=True)
class Gain:
    """The same frames through the checkpoint before and after; BD-rates as shares, -0.1 = -10 %.

    `mask_classes` are those that the mIoU is over, which checkpoint and teacher share by name.
    """

    frames: int
    mask_classes: list[str]
    before: list[Point]
    after: list[Point]
    bd_rate_ap50: float | None
    bd_rate_miou: float | None

    def lines(self) -> list[str]:
        """A table for people."""
        rows = ["rate  bytes/frame          agreement AP50       agreement mIoU"]
        for old, new in zip(self.before, self.after, strict=True):
            rows.append(
                f"{old.rate_index:4.2f}  {old.bytes_per_frame:6.0f} -> {new.bytes_per_frame:6.0f}"
                f"     {_pair(old.ap50, new.ap50)}     {_pair(old.miou, new.miou)}"
            )
        for name, value in (("AP50", self.bd_rate_ap50), ("mIoU", self.bd_rate_miou)):
            if value is not None:
                rows.append(f"bytes at equal agreement ({name}): {value:+.1%}")
        if not self.mask_classes:
            rows.append("no agreement mIoU: teacher and checkpoint have no mask class in common")
        return rows

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)


def measure(
    checkpoint: Checkpoint, truth: Sequence[Sample], mask_classes: Sequence[str], rate: float
) -> Point:
    """One checkpoint at one rate index over frames whose boxes and masks are a teacher's.

    mask_classes: names of the numbers in the teacher's masks.
    """
    system = StreamSystem(checkpoint, rate)
    detection = DetectionScore(system.detection_classes, system.detection_classes)
    segmentation = SegmentationScore(system.mask_classes, mask_classes)
    size_bytes = 0
    for sample in truth:
        packets = system.encode(sample.image)
        size_bytes += sum(len(packet) for packet in packets)
        found = system.decode(packets)
        detection.add(sample, found.boxes, found.scores, found.labels)
        if sample.mask is not None:
            segmentation.add(sample.mask, found.mask)
    values = [v for v in detection.result().ap50.values() if v is not None]
    ap50 = float(np.mean(values)) if values else None
    return Point(rate, size_bytes / len(truth), ap50, segmentation.miou())


def gain(
    before: Checkpoint,
    after: Checkpoint,
    truth: Sequence[Sample],
    mask_classes: Sequence[str],
    rates: Sequence[float] = RATES,
) -> Gain:
    """Before and after at several rates, and what that is in bytes at equal agreement.

    truth, mask_classes: as for `measure`.
    """
    old = [measure(before, truth, mask_classes, rate) for rate in rates]
    new = [measure(after, truth, mask_classes, rate) for rate in rates]
    shared = list(shared_classes(before.card["mask_classes"], mask_classes))
    ap50, miou = (_bd_rate(old, new, metric) for metric in ("ap50", "miou"))
    return Gain(len(truth), shared, old, new, ap50, miou)


def _bd_rate(old: list[Point], new: list[Point], metric: str) -> float | None:
    curves = [
        [(p.bytes_per_frame, getattr(p, metric)) for p in points if getattr(p, metric) is not None]
        for points in (new, old)
    ]
    return bd_rate(*curves)


def _pair(old: float | None, new: float | None) -> str:
    if old is None or new is None:
        return "    -     -    "
    return f"{old:.3f} -> {new:.3f}"
