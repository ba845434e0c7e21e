# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which samples of a data set are drawn how often."""

import numpy as np
import pytest

from sc2_ros.data import Dataset, Sample
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.sources import Source, SourceConfig

CAR, BICYCLE = 1, 2


class _CarsAndABicycle(Dataset):
    """Ten pictures: forty cars in each of eight, one bicycle in the ninth, nothing in the tenth."""

    name, split, detection_classes = "x", "train", ("car", "bicycle")

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        labels = np.array([CAR] * 40 if index < 8 else [BICYCLE] * (9 - index), np.int64)
        boxes = np.tile(np.array([[10, 10, 20, 20]], np.float32), (len(labels), 1))
        return Sample(np.full((64, 64), index, np.uint8), str(index), boxes, labels)


@pytest.mark.parametrize(("balance", "share"), [(0.0, 0.1), (0.5, 1.79 / 10.79), (1.0, 0.25)])
def test_pictures_with_rare_classes_are_drawn_more_often(balance: float, share: float) -> None:
    """320 cars, one bicycle, counted as 100: weights 1 to (320 / 100) ^ balance."""
    config = SourceConfig("x", 1, 1.0, 1.0, balance=balance)
    plain = AugmentConfig(crop=64, light=0.0, invert=0.0)
    source = Source(config, plain, data=_CarsAndABicycle())
    rng = np.random.default_rng(0)

    drawn = [source.draw(rng).name for _ in range(3000)]

    assert drawn.count("8") / 3000 == pytest.approx(share, abs=0.025)
    assert (
        0 < drawn.count("9") / 3000 < 0.13
    )  # a picture of nothing counts like the commonest class
