# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turns the bag of a run into a video and into a score; after the run, so as not to disturb it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sc2_ros.data import DETECTION_CLASSES, MASK_CLASSES, Sample
from sc2_ros.evaluation.metrics.detection import DetectionScore
from sc2_ros.evaluation.metrics.segmentation import SegmentationScore
from sc2_ros.evaluation.session.log import FrameLog, SessionLog
from sc2_ros.media import overlay
from sc2_ros.media.result_bag import Moment, ResultBag
from sc2_ros.media.video_writer import VideoWriter

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Score:
    """Accuracy over the frames that have a result; None without ground truth."""

    mean_ap50: float | None
    miou: float | None


def render_and_score(
    bag: Path, log: SessionLog, video: Path, detection_classes: Sequence[str]
) -> Score:
    """Draw every frame that has a result into an MP4, and compare the results with the truth.

    Args:
        bag: a bag of results (see media/result_bag.py).
        log: the numbers of the same run, burnt into the status bar.
        video: where the MP4 goes.
        detection_classes: those that the detector knows; no other is a miss of it.
    """
    moments = ResultBag(bag)
    logged = _by_stamp(log)
    detection = DetectionScore(DETECTION_CLASSES, detection_classes)
    segmentation: SegmentationScore | None = None
    size: tuple[int, int] | None = None
    last: Moment | None = None
    shown_ns = 0
    with VideoWriter(video) as writer:
        for moment in moments:
            frames = logged.get(moment.stamp_ns)
            frame = frames.popleft() if frames else None
            if moment.image is not None:
                shown_ns += _step_ns(last, moment)
                last = moment
                picture = compose(moment, moments.mask_classes, frame, log)
                size = size or (picture.shape[1], picture.shape[0])
                # A folder's images may differ in size; a video's frames may not.
                writer.write(overlay.fit(picture, size), shown_ns / 1e9)
            if moment.truth is not None and moment.found is not None:
                _add_boxes(detection, moment, detection_classes)
            if moment.truth_mask is not None:
                if segmentation is None:
                    segmentation = SegmentationScore(moments.mask_classes, MASK_CLASSES)
                segmentation.add(moment.truth_mask, moment.mask)
    return Score(
        detection.result().mean_ap50, segmentation.miou() if segmentation is not None else None
    )


def _by_stamp(log: SessionLog) -> dict[int, deque[FrameLog]]:
    """The frames that have a result by their stamp, which a camera may repeat, in order."""
    logged: dict[int, deque[FrameLog]] = {}
    for frame in log.frames:
        if frame.result_s is not None:
            logged.setdefault(frame.stamp_ns, deque()).append(frame)
    return logged


def _step_ns(last: Moment | None, moment: Moment) -> int:
    """How much later than the last frame one is shown: by its stamp, where that goes on."""
    if last is None:
        return moment.stamp_ns
    if moment.stamp_ns > last.stamp_ns:
        return moment.stamp_ns - last.stamp_ns
    return max(moment.recorded_ns - last.recorded_ns, 0)


def compose(
    moment: Moment, mask_classes: tuple[str, ...], frame: FrameLog | None, log: SessionLog
) -> Image:
    """One picture of the video: the camera's image | what the ground has of it, and a bar below."""
    assert moment.image is not None
    assert moment.found is not None
    image = moment.image
    left = np.dstack([image] * 3) if image.ndim == 2 else image.copy()
    right = moment.preview
    if right is None:
        found = moment.found
        numbers = np.arange(len(found.names))
        right = overlay.annotate(
            left, found.boxes, numbers, found.scores, moment.mask, found.names, mask_classes
        )
    overlay.caption(left, "camera")
    pair = overlay.side_by_side(left, right)
    size = f", from {frame.size_bytes:,} bytes" if frame is not None and frame.packets else ""
    overlay.caption(pair[:, -left.shape[1] :], f"ground station{size}")
    bar = overlay.status_bar(pair.shape[1], status(frame, log))
    return np.concatenate([pair, bar])


def status(frame: FrameLog | None, log: SessionLog) -> list[tuple[str, str]]:
    """The status bar of a frame: the stream at the time when its result came."""
    if frame is None or frame.result_s is None:
        return [("no figures for this frame", "")]
    recent = log.recent(frame.result_s)
    latency = "unknown" if frame.latency_ms is None else f"{frame.latency_ms:.0f} ms"
    capacity = "" if recent.capacity_kbps is None else f" of {recent.capacity_kbps:.0f}"
    return [
        ("frames/s", f"{recent.fps:.1f}"),
        ("bytes/frame", f"{recent.bytes_per_frame:,.0f}"),
        ("kbit/s", f"{recent.sent_kbps:.0f}{capacity}"),
        ("rate index", f"{frame.rate_code / 64:.2f}"),
        ("loss", f"{recent.loss:.1%}"),
        ("latency", latency),
        ("objects", str(frame.objects)),
    ]


def _add_boxes(score: DetectionScore, moment: Moment, classes: Sequence[str]) -> None:
    assert moment.truth is not None
    assert moment.found is not None
    height, width = moment.image.shape[:2] if moment.image is not None else (0, 0)
    sample = Sample(
        image=np.zeros((height, width), np.uint8),
        name=str(moment.stamp_ns),
        boxes=moment.truth.boxes,
        labels=_numbers(moment.truth.names, DETECTION_CLASSES),
    )
    known = np.array([name in classes for name in moment.found.names], bool)
    names = tuple(name for name in moment.found.names if name in classes)
    numbers = _numbers(names, classes)
    score.add(sample, moment.found.boxes[known], moment.found.scores[known], numbers)


def _numbers(names: Sequence[str], classes: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.array([classes.index(name) for name in names], np.int64)
