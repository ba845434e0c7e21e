# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every format is found by itself and read right; bad folders end in one sentence."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from sc2_ros.data import DETECTION_CLASSES, VOID, open_dataset
from sc2_ros.data.base import IGNORE, label_of
from sc2_ros.data.splits import sequences, split_stems
from sc2_ros.errors import InputError

DATA = Path(os.environ.get("SC2_DATA", Path(__file__).parents[3] / "shared" / "data"))


def _write_image(path: Path, width: int = 40, height: int = 20, grey: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.zeros((height, width) if grey else (height, width, 3), np.uint8)
    if not grey:
        image[..., 2] = 200  # red, as OpenCV orders it
    assert cv2.imwrite(str(path), image)


def _write_coco(folder: Path, annotations: list, key: str = "annotations") -> None:
    _write_image(folder / "val" / "b.png")
    _write_image(folder / "val" / "a.png", grey=True)
    content = {
        "images": [{"id": 1, "file_name": "b.png"}, {"id": 2, "file_name": "a.png"}],
        "categories": [
            {"id": 7, "name": "Truck"},
            {"id": 8, "name": "DontCare"},
            {"id": 9, "name": "kite"},
            {"id": 10, "name": "Person"},
        ],
        key: annotations,
    }
    (folder / "annotations").mkdir()
    (folder / "annotations" / "val.json").write_text(json.dumps(content))


@pytest.mark.parametrize("key", ["annotations", "annotation"])
def test_coco_maps_classes_corners_and_ignore_boxes(tmp_path, key):
    _write_coco(
        tmp_path,
        [
            {"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]},
            {"image_id": 1, "category_id": 8, "bbox": [30, 10, 30, 30]},
            {"image_id": 1, "category_id": 9, "bbox": [0, 0, 5, 5]},
            {"image_id": 1, "category_id": 10, "bbox": [0, 0, 5, 0]},
            {"image_id": 1, "category_id": 10, "bbox": [5, 5, 5, 5], "iscrowd": 1},
        ],
        key,
    )

    dataset = open_dataset(tmp_path, "val")
    grey, colour = list(dataset)

    assert dataset.detection_classes == ("person", "other_vehicle")
    assert (grey.name, colour.name) == ("a.png", "b.png")
    assert grey.image.shape == (20, 40)
    assert len(grey.boxes) == 0
    assert colour.image[0, 0].tolist() == [200, 0, 0]
    assert colour.labels.tolist() == [DETECTION_CLASSES.index("other_vehicle")]
    assert colour.boxes.tolist() == [[1, 2, 4, 6]]
    assert colour.ignore.tolist() == [[30, 10, 40, 20], [5, 5, 10, 10]]


def test_yolo_maps_classes_and_pixels(tmp_path):
    for stem in ("a1", "b1"):
        _write_image(tmp_path / "images" / f"{stem}.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a1.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    (tmp_path / "x.names").write_text("cyclist\nminibus\n")

    train, val = open_dataset(tmp_path, "train"), open_dataset(tmp_path, "val")

    assert train.detection_classes == val.detection_classes == ("other_vehicle",)
    assert [s.name for s in train] == ["a1.png"]
    assert [s.name for s in val] == ["b1.png"]
    assert train[0].boxes.tolist() == [[10, 5, 30, 15]]
    assert train[0].labels.tolist() == [3]
    assert val[0].boxes.shape == (0, 4)


def test_yolo_damaged_label_is_an_input_error(tmp_path):
    for stem in ("a1", "b1"):
        _write_image(tmp_path / "images" / f"{stem}.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a1.txt").write_text("5 0.5 0.5 0.5 0.5\n")
    (tmp_path / "x.names").write_text("car\n")

    with pytest.raises(InputError, match="class below 1"):
        open_dataset(tmp_path, "train")


def test_consecutive_frames_stay_together():
    stems = [f"MOS{n}" for n in [*range(74, 94), *range(155, 180)]] + ["DJI_1-003", "x"]

    groups = sequences(stems)
    train, val = split_stems(stems, "train"), split_stems(stems, "val")

    assert sorted(len(g) for g in groups) == [1, 1, 20, 25]
    assert sorted(train + val) == sorted(stems)
    assert all(set(g) <= set(train) or set(g) <= set(val) for g in groups)
    assert val
    assert len(val) < len(train)


def test_one_sequence_is_cut_in_time():
    stems = [f"f{n}" for n in range(100, 110)]

    assert split_stems(stems, "train") == stems[:8]
    assert split_stems(stems, "val") == stems[8:]


def test_camvid_masks_keep_their_numbers_and_void(tmp_path):
    _write_image(tmp_path / "val" / "a.png")
    (tmp_path / "valannot").mkdir()
    mask = np.full((20, 40), 11, np.uint8)
    mask[:5] = 8
    cv2.imwrite(str(tmp_path / "valannot" / "a.png"), mask)

    dataset = open_dataset(tmp_path, "val")

    assert dataset.mask_classes[8] == "car"
    assert dataset.detection_classes == ()
    assert np.unique(dataset[0].mask).tolist() == [8, VOID]
    with pytest.raises(InputError, match="no split 'train'"):
        open_dataset(tmp_path, "train")


def test_unknown_folders_and_specs_say_what_was_expected(tmp_path):
    with pytest.raises(InputError, match="no data folder"):
        open_dataset(tmp_path / "absent", "val")
    with pytest.raises(InputError, match="COCO"):
        open_dataset(tmp_path, "val")
    with pytest.raises(InputError, match="synthetic:20"):
        open_dataset("synthetic:many", "val")


def test_synthetic_flights_are_exact_and_their_splits_apart():
    train, val = open_dataset("synthetic:2", "train"), open_dataset("synthetic:2", "val")

    sample = val[9]

    assert len(train) == len(val) == 16
    assert sample.name == "synthetic-1000001-45"
    assert train[9].name == "synthetic-1-45"
    assert sample.mask.shape == sample.image.shape[:2]
    assert len(sample.boxes) == len(sample.labels) > 0
    assert np.array_equal(sample.image, open_dataset("synthetic:2", "val")[9].image)
    with pytest.raises(IndexError):
        val[16]


def test_damaged_json_is_an_input_error(tmp_path):
    _write_coco(tmp_path, [])
    (tmp_path / "annotations" / "val.json").write_text('{"images": 3}')

    with pytest.raises(InputError, match="not COCO JSON"):
        open_dataset(tmp_path, "val")


@pytest.mark.parametrize(
    ("name", "label"),
    [("OtherVehicle", 3), ("other_vehicle", 3), ("Dont Care", IGNORE), ("kite", None)],
)
def test_class_names_are_matched_loosely(name, label):
    assert label_of(name) == label


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no shared data at {DATA}; set SC2_DATA")
@pytest.mark.parametrize(
    ("folder", "counts", "classes"),
    [
        ("hituav", (2029, 290), ("person", "car", "bicycle", "other_vehicle")),
        ("aerial_cars", (94, 28), ("car", "other_vehicle")),
        ("camvid", (367, 101), ()),
    ],
)
def test_shared_data_reads(folder, counts, classes):
    train, val = (open_dataset(DATA / folder, split) for split in ("train", "val"))
    sample = val[len(val) // 2]

    assert (len(train), len(val)) == counts
    assert val.detection_classes == classes
    assert sample.mask is None or sample.mask.shape == sample.image.shape[:2]
    assert (sample.boxes[:, 2:] > sample.boxes[:, :2]).all()
    assert not {s for s, _ in train._items} & {s for s, _ in val._items}
