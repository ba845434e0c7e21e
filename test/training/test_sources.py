# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which samples of a data set are drawn how often, and as what."""

import numpy as np
import pytest

from sc2_ros.data import Dataset, Sample
from sc2_ros.training import sources
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.sources import Source, SourceConfig, some_images

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


@pytest.mark.parametrize("memory", [sources.MEMORY_BYTES, 0])
@pytest.mark.parametrize(("balance", "share"), [(0.0, 0.1), (0.5, 1.79 / 10.79), (1.0, 0.25)])
def test_pictures_with_rare_classes_are_drawn_more_often(
    balance: float, share: float, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """320 cars, one bicycle, counted as 100: weights 1 to (320 / 100) ^ balance.

    It is the same where the set is read from disk.
    """
    monkeypatch.setattr(sources, "MEMORY_BYTES", memory)
    monkeypatch.setattr(sources, "_SAMPLES_FOR_COUNTS", 2)  # of a set on disk, without balance
    config = SourceConfig("x", 1, 1.0, 1.0, balance=balance)
    plain = AugmentConfig(crop=64, light=0.0, invert=0.0)
    source = Source(config, plain, data=_CarsAndABicycle())
    assert source.in_memory is bool(memory)
    rng = np.random.default_rng(0)

    drawn = [source.draw(rng).name for _ in range(3000)]

    assert drawn.count("8") / 3000 == pytest.approx(share, abs=0.025)
    assert (
        0 < drawn.count("9") / 3000 < 0.13
    )  # a picture of nothing counts like the commonest class


class _ARecordingAndTwoStills(Dataset):
    """Eight frames of one recording with a bicycle in each, two pictures of other places."""

    name, split, detection_classes = "x", "train", ("car", "bicycle")
    names = (*(f"flight_{index:04}.jpg" for index in range(8)), "garden_0001.jpg", "road_0001.jpg")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        labels = np.array([BICYCLE if index < 8 else CAR], np.int64)
        boxes = np.array([[10, 10, 20, 20]], np.float32)
        return Sample(np.zeros((64, 64), np.uint8), self.names[index], boxes, labels)


@pytest.mark.parametrize("memory", [sources.MEMORY_BYTES, 0])
@pytest.mark.parametrize(("by_sequence", "share"), [(False, 0.8), (True, 1 / 3)])
def test_a_long_recording_does_not_outweigh_stills(
    by_sequence: bool, share: float, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MEMORY_BYTES", memory)
    config = SourceConfig("x", 1, 1.0, 1.0, by_sequence=by_sequence)
    plain = AugmentConfig(crop=64, light=0.0, invert=0.0)
    source = Source(config, plain, data=_ARecordingAndTwoStills())
    rng = np.random.default_rng(0)

    drawn = [source.draw(rng).name for _ in range(3000)]

    assert sum(name.startswith("flight") for name in drawn) / 3000 == pytest.approx(share, abs=0.03)
    assert len(set(drawn)) == 10


class _Corner(Dataset):
    """One picture, white in its upper left quarter."""

    name, split, detection_classes = "x", "train", ("car",)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        image = np.zeros((64, 64), np.uint8)
        image[:32, :32] = 255
        return Sample(image, "corner")


@pytest.mark.parametrize(("own", "flips"), [({}, {0, 1}), ({"vertical_flip": 0.0}, {0})])
def test_what_all_sets_share_holds_where_a_set_says_nothing(own: dict, flips: set) -> None:
    shared = AugmentConfig(crop=32, scale_min=0.5, scale_max=0.5, vertical_flip=0.5, invert=0.0)
    source = Source(SourceConfig("x", 1, **own), shared, data=_Corner())
    rng = np.random.default_rng(0)

    views = [source.draw(rng).image[..., 0] for _ in range(40)]

    for view in views:  # a view at half the size is all of the picture
        assert np.mean(view > 128) == pytest.approx(0.25, abs=0.02)
    assert {int(np.argmax([v[:16].sum(), v[16:].sum()])) for v in views} == flips


class _Pictures(Dataset):
    """A picture of each size (height, width)."""

    name, split = "x", "train"

    def __init__(self, *sizes: tuple[int, int]) -> None:
        self.pictures = [
            np.random.default_rng(number).integers(0, 255, (*size, 3), np.uint8)
            for number, size in enumerate(sizes)
        ]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        return Sample(self.pictures[index], str(index))


def test_of_large_images_the_middle_is_kept_for_the_fits() -> None:
    """360 stills of 20 megapixels would take 22 GB; images up to full HD are as they are."""
    small = _Pictures((512, 640), (1080, 1920), (430, 1764))
    large = _Pictures((1600, 2400), (1200, 400))

    assert sorted(image.shape for image in some_images([(1, small)], 9, 0)) == sorted(
        picture.shape for picture in small.pictures
    )
    found = {image.shape: image for image in some_images([(1, large)], 9, 0)}
    middle = large.pictures[0][260:1340, 240:2160]
    assert np.array_equal(found[1080, 1920, 3], middle)
    assert np.array_equal(found[1080, 400, 3], large.pictures[1][60:1140])
    assert not any(
        np.shares_memory(image, picture) for image in found.values() for picture in large.pictures
    )
