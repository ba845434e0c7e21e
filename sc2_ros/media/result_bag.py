# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads back a bag of results: what belongs to one camera frame, put together by its stamp.

    /image/compressed
    /detections  /mask  /preview/compressed  -- same stamp --> Moment
    /truth/detections  /truth/mask

Messages of a stamp may come in any order and late; /label_info names the mask's classes. Where a
camera repeats its stamps, the first image of a stamp goes with the first result of it, the second
with the second, and so on: frames of one stamp of which some have no result may be mixed up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.media.bag import open_bag, read_messages
from sc2_ros.media.image_reader import image_array

IMAGE = "/image/compressed"
DETECTIONS = "/detections"
MASK = "/mask"
PREVIEW = "/preview/compressed"
TRUTH_DETECTIONS = "/truth/detections"
TRUTH_MASK = "/truth/mask"
_PARTS = {
    IMAGE: "image",
    DETECTIONS: "found",
    MASK: "mask",
    PREVIEW: "preview",
    TRUTH_DETECTIONS: "truth",
    TRUTH_MASK: "truth_mask",
}
"""Topic -> what it is of a Moment."""
LABEL_INFO = "/label_info"
FEATURES_SENT = "/drone/features"
FEATURES_RECEIVED = "/features"
ONBOARD_INFO = "/onboard_node/frame_info"
GROUND_INFO = "/ground_node/frame_info"
CAPACITY = "/link_emulator_node/capacity_bps"

PATIENCE = 8
"""Newer results that are waited for before one is thought to be complete."""
MOST_WAITING = 300
"""Images that are held for results that may never come."""


@dataclass(frozen=True)
class Objects:
    """Boxes float32 (N, 4) xyxy px with their class names and scores (N,)."""

    boxes: npt.NDArray[np.float32]
    names: tuple[str, ...]
    scores: npt.NDArray[np.float32]


@dataclass
class Moment:
    """All that the bag has of one camera frame that the ground has seen.

    `recorded_ns` is the bag's time of the first message of it.
    """

    stamp_ns: int
    recorded_ns: int
    found: Objects | None = None
    image: npt.NDArray[np.uint8] | None = None
    mask: npt.NDArray[np.uint8] | None = None
    preview: npt.NDArray[np.uint8] | None = None
    truth: Objects | None = None
    truth_mask: npt.NDArray[np.uint8] | None = None


@dataclass
class ResultBag:
    """An iterable of the moments of a bag, in the order in which the frames were recorded.

    `mask_classes` fills when the bag's /label_info is met, which is before the first result.
    """

    path: Path
    mask_classes: tuple[str, ...] = field(default=(), init=False)

    def __iter__(self) -> Iterator[Moment]:
        waiting: list[Moment] = []
        with open_bag(self.path) as reader:
            topics = {*_PARTS, LABEL_INFO}
            wanted = [c for c in reader.connections if c.topic in topics]
            for connection, recorded_ns, message in read_messages(reader, self.path, wanted):
                if connection.topic == LABEL_INFO:
                    self.mask_classes = tuple(entry.class_name for entry in message.class_map)
                    continue
                stamp = message.header.stamp
                stamp_ns = stamp.sec * 1_000_000_000 + stamp.nanosec
                part = _PARTS[connection.topic]
                moment = _lacking(part, stamp_ns, waiting)
                if moment is None:
                    moment = Moment(stamp_ns, recorded_ns)
                    waiting.append(moment)
                read = read_objects if part in ("found", "truth") else image_array
                setattr(moment, part, read(message))
                if part == "found":
                    yield from _complete(waiting)
                elif len(waiting) > MOST_WAITING:
                    oldest = waiting.pop(0)
                    if oldest.found:
                        yield oldest
            yield from (moment for moment in waiting if moment.found)


def _lacking(part: str, stamp_ns: int, waiting: list[Moment]) -> Moment | None:
    """The first moment of a stamp that does not have its `part` yet."""
    for moment in waiting:
        if moment.stamp_ns == stamp_ns and getattr(moment, part) is None:
            return moment
    return None


def _complete(waiting: list[Moment]) -> Iterator[Moment]:
    """Take out the moments that nothing more can come for."""
    results = [place for place, moment in enumerate(waiting) if moment.found]
    if len(results) <= PATIENCE:
        return
    done = waiting[: results[-PATIENCE]]
    del waiting[: len(done)]
    yield from (moment for moment in done if moment.found)


def read_objects(message: Any) -> Objects:
    """The boxes of a vision_msgs/Detection2DArray."""
    boxes, names, scores = [], [], []
    for detection in message.detections:
        centre, box = detection.bbox.center.position, detection.bbox
        half_x, half_y = box.size_x / 2, box.size_y / 2
        boxes.append((centre.x - half_x, centre.y - half_y, centre.x + half_x, centre.y + half_y))
        hypothesis = detection.results[0].hypothesis
        names.append(hypothesis.class_id)
        scores.append(hypothesis.score)
    return Objects(
        np.array(boxes, np.float32).reshape(-1, 4), tuple(names), np.array(scores, np.float32)
    )
