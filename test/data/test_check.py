# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`sc2 train --check`: what is wrong with a data set is said before a training is begun on it."""

import json

import cv2
import numpy as np
import pytest

from sc2_ros.cli.main import main
from sc2_ros.data import Dataset, Sample, open_dataset
from sc2_ros.data.base import VOID
from sc2_ros.data.check import TILE_PX, examine, shared_images


def coco(folder, boxes, *, names=("person", "sofa"), images=4, split="train", level=0):
    """A COCO split of grey images 64 x 48, of levels from `level`; boxes: (image, class, bbox)."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    (folder / split).mkdir(exist_ok=True)
    for number in range(images):
        picture = np.full((48, 64, 3), level + number, np.uint8)
        assert cv2.imwrite(str(folder / split / f"{number}.png"), picture)
    content = {
        "images": [{"id": n, "file_name": f"{n}.png"} for n in range(images)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(names)],
        "annotations": [
            {"image_id": image, "category_id": kind, "bbox": box} for image, kind, box in boxes
        ],
    }
    (folder / "annotations" / f"{split}.json").write_text(json.dumps(content))


def test_it_counts_and_says_what_is_wrong(tmp_path):
    boxes = [
        (0, 0, [1, 1, 5, 9]),
        (1, 0, [1, 1, 6, 9]),
        (1, 0, [70, 1, 9, 9]),
        (2, 1, [1, 1, 9, 9]),
    ]
    coco(tmp_path, boxes, images=6)
    (tmp_path / "train" / "3.png").write_bytes(b"no picture")

    found, sheet = examine(open_dataset(tmp_path, "train"))

    assert (found.images, found.flat, found.empty) == (5, 1, 3)
    assert found.boxes["person"].tolist() == [[5, 9], [6, 9]]
    assert found.left_out == ("sofa",)
    assert sheet.shape == (2 * TILE_PX, 4 * TILE_PX, 3)
    said = "\n".join(found.warnings())
    for words in ("1 images cannot be used", "3.png", "sofa", "1 boxes have no width", "narrower"):
        assert words in said
    assert "3 of 5 images have no box" in said


def test_a_good_set_has_no_warnings(tmp_path):
    coco(tmp_path, [(n, 0, [5, 5, 20, 30]) for n in range(4)], names=("person",))

    found, _ = examine(open_dataset(tmp_path, "train"))

    assert found.warnings() == []


class Masked(Dataset):
    """Two images with a box and a mask whose left half is void, or all of it."""

    detection_classes, mask_classes = ("person",), ("road",)

    def __init__(self, right_half: int) -> None:
        self.mask = np.full((48, 64), VOID, np.uint8)
        self.mask[:, 32:] = right_half

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        image = np.full((48, 64, 3), index, np.uint8)
        box = np.array([[5, 5, 25, 35]], np.float32)
        return Sample(image, str(index), box, np.zeros(1, np.int64), mask=self.mask)


@pytest.mark.parametrize(("right_half", "warnings"), [(0, 0), (VOID, 1)])
def test_masks_that_are_void_everywhere_are_said(right_half, warnings):
    found, _ = examine(Masked(right_half))

    assert len(found.warnings()) == warnings
    assert all("2 images have a mask that is void" in text for text in found.warnings())


def test_pictures_of_train_in_val_are_found(tmp_path):
    coco(tmp_path, [(0, 0, [5, 5, 20, 30])], images=4)
    coco(tmp_path, [(0, 0, [5, 5, 20, 30])], images=2, split="val", level=3)
    train, val = (examine(open_dataset(tmp_path, split))[0] for split in ("train", "val"))

    assert shared_images(train, val) == ["3.png"]


def check(tmp_path, *folders, settings="{}"):
    """`sc2 train --check` of these data sets; its exit code."""
    sources = "".join(f"  - {{path: {folder}, per_batch: 1}}\n" for folder in folders)
    config = tmp_path / "mine.yaml"
    config.write_text(f"out: {tmp_path}/out\nsources:\n{sources}settings: {settings}\n")
    return main(["train", "--check", "--config", str(config)])


@pytest.mark.parametrize(("damaged", "status"), [(False, 0), (True, 1)])
def test_the_verb_reads_a_configuration_and_writes_a_sheet(tmp_path, capsys, damaged, status):
    coco(tmp_path / "mine", [(0, 0, [5, 5, 20, 30])])
    if damaged:
        (tmp_path / "mine" / "train" / "2.png").write_bytes(b"")
    assert check(tmp_path, tmp_path / "mine") == status
    assert cv2.imread(str(tmp_path / "out" / "check" / "mine_train.png")) is not None
    assert "person" in capsys.readouterr().out


def test_data_without_a_label_fails_the_check_and_the_next_set_is_shown(tmp_path, capsys):
    (tmp_path / "bare").mkdir()
    for number in range(12):
        assert cv2.imwrite(str(tmp_path / "bare" / f"{number}.png"), np.full((40, 40), 9, np.uint8))
    coco(tmp_path / "mine", [(0, 0, [5, 5, 20, 30])])
    assert check(tmp_path, tmp_path / "bare", tmp_path / "mine") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "has a box, mask or category: only `sc2 train adapt` learns from it" in out
    assert "person" in out


def test_sources_of_one_name_have_a_sheet_each(tmp_path):
    folders = [tmp_path / site / "crops" for site in ("north", "south", "east")]
    for level, folder in enumerate(folders):
        for split in ("train", "val"):
            coco(folder, [(0, 0, [5, 5, 20, 30])], images=1, split=split, level=100 * level)

    assert check(tmp_path, *folders) == 0

    names = ("crops", "crops_2", "crops_3")
    for split in ("train", "val"):
        sheets = [cv2.imread(str(tmp_path / "out/check" / f"{n}_{split}.png")) for n in names]
        assert [int(sheet[2, 2, 0]) for sheet in sheets] == [0, 100, 200]
    assert len(list((tmp_path / "out/check").iterdir())) == 6


@pytest.mark.parametrize(
    ("classes", "settings", "said"),
    [
        ("background, crack", "{}", "is one of road, building,"),
        ("background, road", "{}", ""),
        ("background, crack", "{mask_classes: own}", ""),
        ("background, crack", "{mask_classes: [crack, other]}", ""),
        ("background, road", "{mask_classes: [crack, other]}", "is one of crack, other, so"),
    ],
)
def test_masks_of_which_no_class_is_learned_are_said(tmp_path, capsys, classes, settings, said):
    for half in ("train", "trainannot"):
        (tmp_path / "mine" / half).mkdir(parents=True)
        assert cv2.imwrite(str(tmp_path / "mine" / half / "a.png"), np.ones((40, 40), np.uint8))
    (tmp_path / "mine" / "classes.txt").write_text(classes.replace(", ", "\n"))

    assert check(tmp_path, tmp_path / "mine", settings=settings) == 0

    out = " ".join(capsys.readouterr().out.split())
    assert (f"none of the mask classes {classes} {said}" in out) == bool(said)
    assert ("learns nothing from these masks" in out) == bool(said)


def test_a_configuration_without_sources_is_named(tmp_path, capsys):
    config = tmp_path / "mine.yaml"
    config.write_text(f"out: {tmp_path}/out\nsources: []\n")
    assert main(["train", "--check", "--config", str(config)]) == 2
    assert "no source" in capsys.readouterr().err


def test_roboflow_and_cvat_exports_are_read(tmp_path):
    for split in ("train", "valid"):
        for kind in ("images", "labels"):
            (tmp_path / "robo" / split / kind).mkdir(parents=True)
        picture = np.zeros((40, 40, 3), np.uint8)
        assert cv2.imwrite(str(tmp_path / "robo" / split / "images" / "a.jpg"), picture)
        (tmp_path / "robo" / split / "labels" / "a.txt").write_text("0 0.5 0.5 0.5 0.25\n")
    (tmp_path / "robo" / "data.yaml").write_text("names: [car]\n")
    assert open_dataset(tmp_path / "robo", "val")[0].boxes.tolist() == [[10, 15, 30, 25]]

    coco(tmp_path / "cvat", [(n, 0, [1, 1, 9, 9]) for n in range(10)], images=10)
    annotations = tmp_path / "cvat" / "annotations"
    (annotations / "train.json").rename(annotations / "instances_default.json")
    (tmp_path / "cvat" / "train").rename(tmp_path / "cvat" / "images")
    parts = [open_dataset(tmp_path / "cvat", split) for split in ("train", "val")]
    assert [len(part) for part in parts] == [8, 2]
