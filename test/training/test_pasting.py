# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Objects pasted into other images bring their boxes and masks with them."""

import numpy as np
import pytest

from sc2_ros.data import MASK_CLASSES, Dataset, Sample
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.sources import Source, SourceConfig

PERSON = 0
SKIN, PAVEMENT = 200, 40
_PERSON, _ROAD = MASK_CLASSES.index("person"), MASK_CLASSES.index("road")


class _OnePersonInTwoPictures(Dataset):
    """A bright person on dark pavement, and a pavement that nobody stands on."""

    name, split, detection_classes, mask_classes = "x", "train", ("person",), MASK_CLASSES
    people = ((20, 20, 50, 40),)

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        image = np.full((160, 160, 3), PAVEMENT, np.uint8)
        mask = np.full((160, 160), _ROAD, np.uint8)
        people = self.people if index == 0 else ()
        for x1, y1, x2, y2 in people:
            image[y1:y2, x1:x2], mask[y1:y2, x1:x2] = SKIN, _PERSON
        boxes = np.array(people, np.float32).reshape(-1, 4)
        labels = np.full(len(people), PERSON, np.int64)
        return Sample(image, str(index), boxes, labels, mask=mask)


class _TwoWhoEmbrace(_OnePersonInTwoPictures):
    people = ((20, 20, 50, 40), (40, 20, 70, 40))


def _drawn(data: Dataset, paste: float) -> list[Sample]:
    plain = AugmentConfig(crop=160, light=0.0, invert=0.0, object_centred=0.0)
    source = Source(SourceConfig("x", 1, 1.0, 1.0, paste=paste), plain, data=data)
    rng = np.random.default_rng(0)
    return [source.draw(rng) for _ in range(40)]


def test_pictures_get_objects_of_others_with_box_and_mask() -> None:
    """Each box, and no other place, holds a person in the image and in the mask."""
    samples = _drawn(_OnePersonInTwoPictures(), paste=3.0)

    assert np.mean([len(sample.boxes) for sample in samples]) > 2
    for sample in samples:
        outside = np.ones((160, 160), bool)
        for x1, y1, x2, y2 in sample.boxes.round().astype(int):
            part = np.s_[y1:y2, x1:x2]
            outside[part] = False
            person = sample.mask[part] == _PERSON
            assert person.any(0).all()  # the box is tight
            assert person.any(1).all()
            assert sample.image[part][person].mean() > 120
        assert (sample.mask[outside] == _ROAD).all()
        assert sample.labels.tolist() == [PERSON] * len(sample.boxes)


def test_no_object_hides_another() -> None:
    """Pasted boxes overlap neither each other nor who was there before."""
    for sample in _drawn(_OnePersonInTwoPictures(), paste=6.0):
        for number, box in enumerate(sample.boxes):
            others = np.delete(sample.boxes, number, 0)
            sides = np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2])
            area = min((box[2:] - box[:2]).prod(), np.inf)
            assert (sides.clip(min=0).prod(1) <= 0.05 * area + 1).all()


@pytest.mark.parametrize(
    ("data", "paste"), [(_OnePersonInTwoPictures(), 0.0), (_TwoWhoEmbrace(), 3.0)]
)
def test_nothing_is_pasted_unasked_or_of_people_whose_masks_are_one(
    data: _OnePersonInTwoPictures, paste: float
) -> None:
    """Two who touch cannot be told apart by their mask, so neither is cut out."""
    assert {len(sample.boxes) for sample in _drawn(data, paste)} <= {0, len(data.people)}
