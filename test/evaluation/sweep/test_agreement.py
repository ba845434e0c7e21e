# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network agrees with itself wholly; boxes below the score are no truth."""

import numpy as np

from sc2_ros.data import Dataset, Sample
from sc2_ros.evaluation.sweep.agreement import AgreementDataset, answers
from sc2_ros.evaluation.sweep.run import sweep
from sc2_ros.evaluation.systems.baselines import ImageSystem
from sc2_ros.evaluation.systems.image_codecs import parse_codec
from sc2_ros.evaluation.systems.system import Outputs


class Pictures(Dataset):
    """Unlabelled pictures, one brighter than the other."""

    name, split = "pictures", "val"

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return Sample(np.full((64, 64), 40 * index + 20, np.uint8), str(index))


class Network:
    """Sees two cars, the surer the brighter, and one road."""

    detection_classes = ("car", "tank")
    mask_classes = ("road", "other")
    image_classes = ("dark", "bright")

    def __call__(self, image):
        level = float(image.mean()) / 255
        boxes = np.array([[4, 4, 20, 20], [30, 30, 50, 60]], np.float32)
        mask = np.zeros((16, 16), np.uint8)
        mask[: int(16 * level)] = 1
        scores = np.array([0.9, level], np.float32)
        return Outputs(boxes, scores, np.array([0, 0]), mask, int(level > 0.3))


def test_uncompressed_agrees_wholly():
    network, pictures = Network(), Pictures()
    data = AgreementDataset(pictures, answers(network, pictures, range(4)), network, 0.3)

    (row,) = sweep([ImageSystem(network, parse_codec("uncompressed"))], data)

    assert row["ap50"] == {"car": 1.0}
    assert (row["miou"], row["top1"]) == (1.0, 1.0)
    assert row["truth"] == "agreement, score >= 0.3"


def test_only_sure_boxes_of_known_classes_are_true():
    network, pictures = Network(), Pictures()
    data = AgreementDataset(pictures, answers(network, pictures, [0, 3]), network, 0.5)

    assert [len(data[index].boxes) for index in range(4)] == [1, 0, 0, 2]
    assert data.detection_classes == ("car",)
    assert data[0].labels.tolist() == [1]  # car among the package's classes
    assert data[1].mask is None
