# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of another size, with everything that is said about them."""

import numpy as np
import pytest

from sc2_ros.data import Dataset, Sample
from sc2_ros.data.scaled import ScaledDataset
from sc2_ros.errors import ParameterError


class _One(Dataset):
    name, split, detection_classes, mask_classes = "x", "val", ("car",), ("road", "other")

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        image = np.zeros((40, 61, 3), np.uint8)
        image[10:30, 20:40] = 255
        mask = (image[..., 0] > 0).astype(np.uint8)
        box = np.array([[20, 10, 40, 30]], np.float32)
        return Sample(image, "a", box, np.array([1]), box.copy(), mask)


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.5, 2.0])
def test_boxes_and_masks_stay_on_their_objects(scale: float) -> None:
    data = ScaledDataset(_One(), scale)

    (sample,) = list(data)

    assert (data.name, data.split, data.detection_classes) == ("x", "val", ("car",))
    assert sample.image.shape[:2] == (round(40 * scale), round(61 * scale))
    assert sample.mask is not None
    for there in (sample.image[..., 0] > 127, sample.mask == 1):
        rows, columns = np.nonzero(there)
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(sample.boxes[0] - seen).max() <= 1
    assert sample.ignore.tolist() == sample.boxes.tolist()


@pytest.mark.parametrize("scale", [0.0, -1.0, 5.0, float("nan")])
def test_a_scale_that_makes_no_sense_is_refused(scale: float) -> None:
    with pytest.raises(ParameterError, match=r"out of range: use 0.1 to 4"):
        ScaledDataset(_One(), scale)
