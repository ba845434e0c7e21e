# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Average precision by pycocotools, over the classes that detector and data set both have."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from sc2_ros.data import DETECTION_CLASSES, Sample

# What the means of three classes average over: the classes that the drone data sets have enough of.
MEAN_CLASSES = ("person", "car", "bicycle")
MAX_DETECTIONS = 300
# COCO's areas in square pixels (cocodataset.org/#detection-eval).
_IOU_75 = 5  # of COCO's ten thresholds, 0.50:0.05:0.95
AREAS = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 1e10)}


@dataclass(frozen=True)
class DetectionResult:
    """Values in [0, 1], by class for those that detector and data set both have.

    A class without a single box in the frames that were seen has None. `ap` is the mean over IoU
    0.50:0.05:0.95, `ap50` at IoU 0.5, `ap75` at 0.75. The means are over those of person, car and
    bicycle that have a value, those named `all` over every class that has. The two by size are
    means over all classes with a box of that size, by COCO's areas.
    """

    ap: dict[str, float | None]
    ap50: dict[str, float | None]
    mean_ap50: float | None
    ap_by_size: dict[str, float | None] = field(default_factory=dict)
    ap50_by_size: dict[str, float | None] = field(default_factory=dict)
    ap75: dict[str, float | None] = field(default_factory=dict)
    mean_ap: float | None = None
    mean_ap75: float | None = None
    all_ap50: float | None = None
    all_ap: float | None = None


class DetectionScore:
    """Collects frames, then computes AP as COCO does.

    Detections on ignore boxes (crowds, DontCare) are neither right nor wrong, in any class.
    """

    def __init__(
        self, data_classes: Sequence[str], model_classes: Sequence[str] = DETECTION_CLASSES
    ) -> None:
        """data_classes: labelled by the data; model_classes: names of the detector's numbers."""
        # A class that the detector was never taught is no miss of it.
        shared = set(data_classes) & set(model_classes)
        self.classes = tuple(c for c in DETECTION_CLASSES if c in shared)
        self._category = {
            number: DETECTION_CLASSES.index(name)
            for number, name in enumerate(model_classes)
            if name in self.classes
        }
        self._images: list[dict[str, int]] = []
        self._truth: list[dict[str, object]] = []
        self._found: list[dict[str, object]] = []

    def add(
        self,
        sample: Sample,
        boxes: NDArray[np.float32],
        scores: NDArray[np.float32],
        labels: NDArray[np.int64],
    ) -> None:
        """One frame's truth and its detections, (N, 4) corners in source pixels, (N,), (N,)."""
        image = len(self._images) + 1
        height, width = sample.image.shape[:2]
        self._images.append({"id": image, "height": height, "width": width})
        for box, label in zip(sample.boxes, sample.labels, strict=True):
            self._add_truth(image, box, int(label), crowd=False)
        for box in sample.ignore:
            for name in self.classes:
                self._add_truth(image, box, DETECTION_CLASSES.index(name), crowd=True)
        for box, score, label in zip(boxes, scores, labels, strict=True):
            if int(label) in self._category:
                self._found.append(
                    {
                        "image_id": image,
                        "category_id": self._category[int(label)],
                        "bbox": _corner_to_size(box),
                        "score": float(score),
                    }
                )

    def result(self) -> DetectionResult:
        """AP of everything added so far."""
        if not self._images or not self.classes:
            return DetectionResult({}, {}, None)
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO()
            truth.dataset = {
                "info": {},
                "images": self._images,
                "annotations": self._truth,
                "categories": [
                    {"id": DETECTION_CLASSES.index(name), "name": name} for name in self.classes
                ],
            }
            truth.createIndex()
            found = truth.loadRes(self._found) if self._found else COCO()
            run = COCOeval(truth, found, "bbox")
            run.params.maxDets = [1, 10, MAX_DETECTIONS]
            run.params.areaRng = [[0, 1e10], *(list(area) for area in AREAS.values())]
            run.params.areaRngLbl = ["all", *AREAS]
            run.params.imgIds = [image["id"] for image in self._images]
            run.params.catIds = [DETECTION_CLASSES.index(name) for name in self.classes]
            run.evaluate()
            run.accumulate()
        # (IoU thresholds, recall points, categories, areas, limits of detections); -1 = no truth
        precision = run.eval["precision"][:, :, :, 0, -1]
        sized = {name: run.eval["precision"][:, :, :, i, -1] for i, name in enumerate(AREAS, 1)}
        ap = {c: _mean(precision[:, :, i]) for i, c in enumerate(self.classes)}
        ap50 = {c: _mean(precision[0, :, i]) for i, c in enumerate(self.classes)}
        ap75 = {c: _mean(precision[_IOU_75, :, i]) for i, c in enumerate(self.classes)}
        return DetectionResult(
            ap,
            ap50,
            mean_of(ap50),
            {name: _mean_of_classes(values) for name, values in sized.items()},
            {name: _mean_of_classes(values[:1]) for name, values in sized.items()},
            ap75,
            mean_of(ap),
            mean_of(ap75),
            mean_of(ap50, DETECTION_CLASSES),
            mean_of(ap, DETECTION_CLASSES),
        )

    def _add_truth(
        self, image: int, box: NDArray[np.float32], category: int, *, crowd: bool
    ) -> None:
        left, top, width, height = _corner_to_size(box)
        self._truth.append(
            {
                # Never 0: pycocotools takes a match with annotation 0 for no match.
                "id": len(self._truth) + 1,
                "image_id": image,
                "category_id": category,
                "bbox": [left, top, width, height],
                "area": width * height,
                "iscrowd": int(crowd),
            }
        )


def mean_of(ap: dict[str, float | None], classes: Sequence[str] = MEAN_CLASSES) -> float | None:
    """Mean over those of the classes that have a value; None where none has."""
    values = [v for name in classes if (v := ap.get(name)) is not None]
    return sum(values) / len(values) if values else None


def _corner_to_size(box: NDArray[np.float32]) -> list[float]:
    left, top, right, bottom = (float(v) for v in box)
    return [left, top, right - left, bottom - top]


def _mean_of_classes(precision: NDArray[np.float64]) -> float | None:
    """Mean over IoU, recall and the classes that have truth; (IoU, recall, classes)."""
    known = [_mean(precision[:, :, i]) for i in range(precision.shape[2])]
    values = [value for value in known if value is not None]
    return sum(values) / len(values) if values else None


def _mean(precision: NDArray[np.float64]) -> float | None:
    return None if (precision < 0).all() else float(precision.mean())
