# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Footage with a teacher's answers in place of labels."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.data import DETECTION_CLASSES, Dataset, Sample
from sc2_ros.data.base import label_of
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.network import imaging
from sc2_ros.network.decode import decode_detections
from sc2_ros.network.heads import CELL
from sc2_ros.training.teacher import Teacher

# A box that the teacher is sure of is taken for true; between the two it is ignored.
SURE, UNSURE = 0.3, 0.15
_MAPS, _BOXES = {"heatmap", "box"}, {"boxes", "scores", "labels"}


class PseudoLabels:
    """A teacher that answers whole images, in our own class numbers."""

    def __init__(self, teacher: Teacher, device: str | torch.device = "cpu") -> None:
        """teacher: one that detects, by heatmap and box or by boxes and scores."""
        labels = [label_of(name) for name in teacher.detection_classes]
        known = {number for number in labels if number is not None and number >= 0}
        if not known:
            raise ParameterError(
                f"the teacher {teacher.name} detects none of {', '.join(DETECTION_CLASSES)}; "
                "give one that does"
            )
        self.teacher, self.device = teacher, device
        self.detection_classes = tuple(DETECTION_CLASSES[number] for number in sorted(known))
        self.mask_classes = teacher.mask_classes
        self._label_of = np.array([-1 if n is None else n for n in labels], np.int64)

    @torch.no_grad()
    def __call__(self, image: NDArray[np.uint8], name: str) -> Sample:
        """A sample whose boxes, ignore boxes and mask are the teacher's answers.

        The mask has a quarter of the image's sides, in the numbers of `mask_classes`.

        Raises:
            CheckpointError: the teacher names classes of boxes, but answers with none.
        """
        height, width = image.shape[:2]
        found = self.teacher(imaging.to_tensor(image, self.device))
        if not any(names <= found.keys() for names in (_MAPS, _BOXES)):
            raise CheckpointError(
                f"the teacher {self.teacher.name} answers with {', '.join(found)}; a detector "
                "answers with a dict that has boxes (N, 4) xyxy px, scores (N,) and labels (N,), "
                "or heatmap and box as our detection head does"
            )
        if found.keys() >= _MAPS:
            peaks = decode_detections(
                found["heatmap"][0],
                found["box"][0],
                size=(width, height),
                score_threshold=UNSURE,
            )
            boxes, scores, numbers = peaks.boxes, peaks.scores, peaks.labels
        else:
            boxes, scores, numbers = found["boxes"], found["scores"], found["labels"]
        labels = self._label_of[numbers.cpu().numpy()]
        boxes_px, scores_np = boxes.float().cpu().numpy(), scores.cpu().numpy()
        ours = labels >= 0
        sure, unsure = ours & (scores_np >= SURE), ours & (scores_np < SURE) & (scores_np >= UNSURE)
        mask = None
        if "mask" in found and self.mask_classes:
            rows, columns = -(-height // CELL), -(-width // CELL)
            mask = found["mask"][0].argmax(0)[:rows, :columns].byte().cpu().numpy()
        return Sample(image, name, boxes_px[sure], labels[sure], boxes_px[unsure], mask)


class PseudoLabelled(Dataset):
    """Frames evenly taken from footage, with what a teacher sees in them; labels are not used.

    Boxes are kept, pictures are read again when asked for: whoever wants them in memory keeps them.
    """

    def __init__(self, frames: Dataset, labels: PseudoLabels, limit: int) -> None:
        """Ask the teacher about at most `limit` frames, once. Masks are left to the losses."""
        self.name, self.split = frames.name, frames.split
        self.detection_classes = labels.detection_classes
        count = min(limit, len(frames))
        self._frames = frames
        self._chosen = [i * len(frames) // count for i in range(count)]
        self._boxes = []
        for number in self._chosen:
            frame = frames[number]
            seen = labels(frame.image, frame.name)
            self._boxes.append((seen.boxes, seen.labels, seen.ignore))

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._chosen)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """A frame and the teacher's boxes."""
        frame = self._frames[self._chosen[index]]
        return Sample(frame.image, frame.name, *self._boxes[index])
