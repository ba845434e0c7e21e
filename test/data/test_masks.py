# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Masks are class numbers, in grey files and in palette ones, in the folders that tools write."""

import json

import numpy as np
import pytest
from PIL import Image

from sc2_ros.data import VOID, open_dataset
from sc2_ros.data.registry import format_of
from sc2_ros.errors import InputError

NUMBERS = np.arange(4, dtype=np.uint8).repeat(50).reshape(10, 20)  # classes 0 to 3 in rows


def palette(numbers):
    image = Image.fromarray(numbers)
    image.putpalette([90, 0, 0, 0, 90, 0, 0, 0, 90, 90, 90, 0])
    assert image.mode == "P"
    return image


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def picture(path, width=20, height=10):
    save(path, Image.new("RGB", (width, height)))


def camvid(folder, mask):
    picture(folder / "train" / "a.png")
    save(folder / "trainannot" / "a.png", mask)
    (folder / "classes.txt").write_text("sky\nroad\ncar\n")
    return folder


def cityscapes(folder, mask):
    picture(folder / "leftImg8bit" / "train" / "ulm" / "ulm_0_1_leftImg8bit.png")
    save(folder / "gtFine" / "train" / "ulm" / "ulm_0_1_gtFine_labelTrainIds.png", mask)
    return folder


def semantic_drone(folder, mask):
    picture(folder / "images" / "000.png")
    save(folder / "masks" / "000.png", mask)
    (folder / "classes.txt").write_text("paved-area\ncar\nbicycle\nconflicting\n")
    (folder / "annotations").mkdir()
    people = json.dumps({"images": [], "annotations": []})
    (folder / "annotations" / "person_train.json").write_text(people)
    return folder


READERS = [camvid, cityscapes, semantic_drone]


@pytest.mark.parametrize("make", READERS)
def test_palette_masks_are_read_as_grey_ones(tmp_path, make):
    grey = open_dataset(make(tmp_path / "grey", Image.fromarray(NUMBERS)), "train")[0]
    indexed = open_dataset(make(tmp_path / "indexed", palette(NUMBERS)), "train")[0]

    assert len(np.unique(grey.mask)) > 1
    assert np.array_equal(indexed.mask, grey.mask)


@pytest.mark.parametrize("make", READERS)
@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (Image.new("RGB", (20, 10)), r"has colours \(RGB\) in place of class numbers"),
        (Image.new("L", (21, 10)), r"is 21 x 10 px and its picture .*png 20 x 10"),
    ],
    ids=["colours", "size"],
)
def test_the_error_names_what_is_wrong_with_a_mask(tmp_path, make, mask, words):
    data = open_dataset(make(tmp_path, mask), "train")

    with pytest.raises(InputError, match=f"the mask .*png {words}"):
        data[0]


def test_numbers_of_16_bits_and_of_one_bit_are_class_numbers(tmp_path):
    wide = NUMBERS.astype(np.uint16) * 256 + 1  # 1, 257, ...
    ours = open_dataset(camvid(tmp_path / "wide", Image.fromarray(wide)), "train")[0]
    assert np.unique(ours.mask).tolist() == [1, VOID]

    binary = open_dataset(camvid(tmp_path / "binary", Image.fromarray(NUMBERS > 0)), "train")[0]
    assert np.unique(binary.mask).tolist() == [0, 1]


def halves(folder, stems, place=""):
    for stem in stems:
        picture(folder / "images" / place / f"{stem}.jpg")
        save(folder / "masks" / place / f"{stem}.png", Image.fromarray(NUMBERS))


def test_images_beside_masks_are_masks_and_not_classes_of_pictures(tmp_path):
    halves(tmp_path, [f"f{n}" for n in range(10)])
    (tmp_path / "classes.txt").write_text("background\ncrack\n")

    train, val = (open_dataset(tmp_path, split) for split in ("train", "val"))

    assert train.mask_classes == ("background", "crack")
    assert train.image_classes == ()
    assert [sample.name for sample in val] == ["f8.jpg", "f9.jpg"]
    assert len(train) == 8
    assert np.unique(train[0].mask).tolist() == [0, 1, VOID]
    with pytest.raises(InputError, match="no split 'test'.*it has train, val"):
        open_dataset(tmp_path, "test")


def test_images_beside_masks_may_have_folders_of_splits(tmp_path):
    halves(tmp_path, ["a", "b"], "train")
    halves(tmp_path, ["c"], "valid")
    (tmp_path / "classes.txt").write_text("background\ncrack\n")

    assert [sample.name for sample in open_dataset(tmp_path, "train")] == ["a.jpg", "b.jpg"]
    assert [sample.name for sample in open_dataset(tmp_path, "val")] == ["c.jpg"]
    with pytest.raises(InputError, match="no split 'test'.*it has train, valid"):
        open_dataset(tmp_path, "test")


@pytest.mark.parametrize("place", ["", "train"])
def test_masks_without_class_names_are_refused_and_the_layout_is_said(tmp_path, place):
    for half in ("images", "masks"):
        picture(tmp_path / place / half / "a.png")

    with pytest.raises(InputError, match=r"images/ \+ masks/ \+ classes.txt \(CamVid\)"):
        format_of(tmp_path)
