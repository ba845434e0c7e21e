# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""COCO and YOLO sets in the folders that CVAT and Ultralytics write."""

import json

import cv2
import numpy as np
import pytest

from sc2_ros.data import open_dataset
from sc2_ros.errors import InputError

CAR = "0 .5 .5 .5 .5\n"


def picture(path, level=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((20, 40, 3), level, np.uint8))


def cvat(folder, subset, count, level=0):
    """A subset as CVAT exports it: COCO 1.0 with pictures, all subsets counting from 0."""
    content = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "car"}]}
    for number in range(count):
        name = f"frame_{number:06d}.PNG"
        picture(folder / "images" / subset / name, level + number)
        content["images"].append({"id": number, "file_name": name})
        box = {"image_id": number, "category_id": 1, "bbox": [1, 2, 10, 10]}
        content["annotations"].append(box)
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "annotations" / f"instances_{subset}.json").write_text(json.dumps(content))


def levels(data):
    return [int(sample.image[0, 0, 0]) for sample in data]


def test_cvat_tasks_are_split_and_their_pictures_found(tmp_path):
    cvat(tmp_path, "default", 10)

    assert levels(open_dataset(tmp_path, "train")) == list(range(8))
    assert levels(open_dataset(tmp_path, "val")) == [8, 9]


def test_cvat_subsets_are_the_splits_that_they_are_called(tmp_path):
    cvat(tmp_path, "Train", 3)
    cvat(tmp_path, "Validation", 2, level=100)

    train, val = (open_dataset(tmp_path, split) for split in ("train", "val"))

    assert levels(train) == [0, 1, 2]
    assert levels(val) == [100, 101]
    assert val[0].boxes.tolist() == [[1, 2, 11, 12]]
    with pytest.raises(InputError, match="no split 'test'.*instances_test.json"):
        open_dataset(tmp_path, "test")


def yolo(folder, images, labels, stems):
    for number, stem in enumerate(stems):
        picture(folder / images / f"{stem}.png", number)
        label = folder / labels / f"{stem}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text(CAR)
    (folder / "data.yaml").write_text("names: {0: car}\n")


@pytest.mark.parametrize("layout", ["{kind}/Train", "train/{kind}"])
def test_yolo_pictures_in_subfolders_have_labels_in_subfolders(tmp_path, layout):
    images, labels = (layout.format(kind=kind) for kind in ("images", "labels"))
    yolo(tmp_path, images, labels, ["b", "cam1/a", "cam1/day2/1.5", "cam2/a"])

    data = open_dataset(tmp_path, "train")

    names = ["b.png", "cam1/a.png", "cam1/day2/1.5.png", "cam2/a.png"]
    assert [sample.name for sample in data] == names
    assert levels(data) == [0, 1, 2, 3]
    assert [sample.boxes.tolist() for sample in data] == [[[10, 5, 30, 15]]] * 4


def test_yolo_subfolders_without_splits_are_cut_in_time(tmp_path):
    yolo(tmp_path, "images", "labels", [f"cam{cam}/{n}" for cam in (1, 2) for n in range(10)])

    val = [sample.name for sample in open_dataset(tmp_path, "val")]

    assert len(open_dataset(tmp_path, "train")) == 16
    assert val == ["cam1/8.png", "cam2/8.png", "cam1/9.png", "cam2/9.png"]


def test_yolo_pictures_of_one_split_are_not_taken_for_another(tmp_path):
    yolo(tmp_path, "images/train", "labels/train", ["a", "sub/b"])

    with pytest.raises(InputError, match="'val' .*holds no images"):
        open_dataset(tmp_path, "val")


@pytest.mark.parametrize("names", [("Train", "Validation"), ("train2017", "val2017")])
def test_yolo_splits_may_have_other_names(tmp_path, names):
    for name, stem in zip(names, "ab", strict=True):
        yolo(tmp_path, f"images/{name}", f"labels/{name}", [stem])

    for split, stem in zip(("train", "val"), "ab", strict=True):
        (sample,) = open_dataset(tmp_path, split)
        assert (sample.name, len(sample.boxes)) == (f"{stem}.png", 1)


def test_copies_in_hidden_folders_are_left_alone(tmp_path):
    yolo(tmp_path, "images/train", "labels/train", ["a", ".ipynb_checkpoints/a-checkpoint"])

    assert [sample.name for sample in open_dataset(tmp_path, "train")] == ["a.png"]
