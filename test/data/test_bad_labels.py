# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as tools export them are read right; what is no label ends in a sentence that names it."""

import json
import re

import cv2
import numpy as np
import pytest

from sc2_ros.cli.main import main
from sc2_ros.data import open_dataset
from sc2_ros.errors import InputError
from sc2_ros.media import folder_source

CAR = "0 .5 .5 .2 .2"
FUSS = "Fu\u00df".encode("latin-1")


def picture(path, level=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((100, 200, 3), level, np.uint8))


def yolo(folder, lines, *, names=b"car\nperson\n"):
    """A YOLO set with one image of 200 x 100 px and these lines, as a text or bytes."""
    picture(folder / "images" / "train" / "a.png")
    label = folder / "labels" / "train" / "a.txt"
    label.parent.mkdir(parents=True)
    label.write_bytes(lines if isinstance(lines, bytes) else lines.encode())
    (folder / "classes.txt").write_bytes(names)
    return open_dataset(folder, "train")


def coco(folder, annotation, *, images=({"id": 0, "file_name": "a.png"},), name="car"):
    """A COCO set with two images and one annotation, a good one where nothing else is said."""
    for stem in "ab":
        picture(folder / "train" / f"{stem}.png")
    annotation = {"image_id": 0, "category_id": 1, "bbox": [10, 20, 30, 40]} | annotation
    content = {
        "images": images,
        "categories": [{"id": 1, "name": name}, {"id": 2, "name": "person"}],
        "annotations": [annotation],
    }
    (folder / "annotations").mkdir()
    (folder / "annotations" / "train.json").write_text(json.dumps(content))
    return open_dataset(folder, "train")


@pytest.mark.parametrize(
    ("line", "box"),
    [
        (CAR, [80, 40, 120, 60]),
        (f"{CAR} .93", [80, 40, 120, 60]),
        ("0 .1 .1 .4 .2 .3 .6", [20, 10, 80, 60]),
        ("0 .1 .1 .4 .1 .4 .4 .1 .4", [20, 10, 80, 40]),
        ("0 .005 .5 1.004 .2", [0, 40, 101.4, 60]),
    ],
)
def test_yolo_lines_are_boxes_scored_boxes_or_outlines(tmp_path, line, box):
    (sample,) = yolo(tmp_path, line)

    assert sample.boxes.tolist() == [pytest.approx(box)]


@pytest.mark.parametrize("number", ["1", "1.0", "1.000000e+00"])
def test_yolo_classes_may_be_written_as_numpy_does(tmp_path, number):
    data = yolo(tmp_path, f"{number} .5 .5 .2 .2\n")

    assert data.detection_classes == ("person",)
    assert data[0].labels.tolist() == [0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 .5 .5 .2", "is neither 'class x y width height'"),
        ("0 .5 .5 .2 .2 .9 .1 .1", "is neither"),
        ("0 .5 .5 .2 .2 # car", "is neither"),
        ("1e400 .5 .5 .2 .2", "class below 2"),
        ("nan .5 .5 .2 .2", "class below 2"),
        ("0.5 .5 .5 .2 .2", "class below 2"),
        ("0 nan .5 .2 .2", "not finite"),
        ("0 .5 .5 inf .2", "not finite"),
        ("0 80 60 20 20", "shares of the picture's width and height"),
        ("0 10 10 40 10 40 40", "shares of the picture"),
        ("0 .5 .5 -.2 .2", "negative size: YOLO coordinates are shares"),
    ],
)
def test_other_yolo_lines_are_named(tmp_path, line, words):
    with pytest.raises(InputError, match=f"a.txt, line 2: '{re.escape(line)}' .*{words}"):
        yolo(tmp_path, f"{CAR}\n{line}\n")


def test_objects_that_the_edge_cuts_are_kept(tmp_path):
    data = yolo(tmp_path, "0 1.02 0.5 0.2 0.2\n")
    assert len(data[0].boxes) == 1


def test_a_yolo_set_without_our_objects_says_what_it_has(tmp_path):
    with pytest.raises(InputError, match="none of our classes.*it has no objects"):
        yolo(tmp_path / "empty", "")
    with pytest.raises(InputError, match="none of our classes.*it has tree"):
        yolo(tmp_path / "trees", CAR, names=b"tree\ncar\n")


def test_text_is_utf_8_with_or_without_a_mark(tmp_path):
    assert len(yolo(tmp_path / "marked", b"\xef\xbb\xbf" + CAR.encode())[0].boxes) == 1
    with pytest.raises(InputError, match=r"a.txt, line 2: not UTF-8.*save the file as UTF-8"):
        yolo(tmp_path / "label", CAR.encode() + b"\n" + FUSS)
    with pytest.raises(InputError, match=r"classes.txt, line 1: not UTF-8"):
        yolo(tmp_path / "names", CAR, names=FUSS)


def test_mask_classes_are_utf_8(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "trainannot").mkdir()
    (tmp_path / "classes.txt").write_bytes(b"road\n" + FUSS)

    with pytest.raises(InputError, match=r"classes.txt, line 2: not UTF-8"):
        open_dataset(tmp_path, "train")


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_voc_corners_are_finite(tmp_path, number):
    picture(tmp_path / "JPEGImages" / "a.png")
    corners = f"<xmin>{number}</xmin><ymin>1</ymin><xmax>40</xmax><ymax>30</ymax>"
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations" / "a.xml").write_text(
        f"<a><object><name>car</name><bndbox>{corners}</bndbox></object></a>"
    )

    with pytest.raises(InputError, match=r"a.xml .*object 1 has a number that is not finite"):
        open_dataset(tmp_path, "train")


@pytest.mark.parametrize(
    "box", [None, [], [1, 2, 3], ["10", "10", "5", "5"], 7, [float("nan")] * 4, [1, 1, 1e999, 1]]
)
def test_a_coco_bbox_is_four_finite_numbers(tmp_path, box):
    with pytest.raises(InputError, match=r"train.json: annotations\[0\]: its bbox is .*draw it"):
        coco(tmp_path, {"bbox": box})


@pytest.mark.parametrize("box", [None, []])
def test_coco_polygons_without_a_bbox_are_boxes(tmp_path, box):
    outlines = [[10, 20, 40, 20, 40, 60], [5, 30, 10, 30, 10, 40]]

    (sample,) = coco(tmp_path, {"bbox": box, "segmentation": outlines})

    assert sample.boxes.tolist() == [[5, 20, 40, 60]]


def test_coco_ids_may_be_numbers_here_and_texts_there(tmp_path):
    (sample,) = coco(tmp_path, {"image_id": "0", "category_id": "1"})

    assert sample.boxes.tolist() == [[10, 20, 40, 60]]


@pytest.mark.parametrize(
    ("annotation", "rest", "words"),
    [
        ({"category_id": 99}, {}, r"annotations\[0\]: its category_id is 99"),
        ({"category_id": None}, {}, r"annotations\[0\]: its category_id is None"),
        ({"image_id": 5}, {}, "no image_id of its annotations"),
        ({}, {"name": None}, "categories: the name of 1 is None"),
        ({}, {"name": 7}, "categories: the name of 1 is 7"),
        ({}, {"images": [{"id": 0, "file_name": 5}]}, "images: the name of 0 is 5"),
        ({}, {"images": [{"id": 0}]}, "images: the name of 0 is None"),
        (
            *({}, {"images": [{"id": 0, "file_name": f"{stem}.png"} for stem in "ab"]}),
            r"images: a.png and b.png have one id, 0",
        ),
    ],
)
def test_coco_names_and_ids_fit_together(tmp_path, annotation, rest, words):
    with pytest.raises(InputError, match=rf"train.json: {words}"):
        coco(tmp_path, annotation, **rest)


def test_coco_objects_of_other_classes_need_no_box(tmp_path):
    data = coco(tmp_path, {"bbox": None}, name="kite")

    assert data.left_out_classes == ("kite",)
    assert len(data[0].boxes) == 0


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pictures_of_16_bits_are_read_as_they_are_in_flight(tmp_path, suffix):
    folder = tmp_path / "set"
    yolo(folder, CAR)
    place = folder / "images" / "train"
    (place / "a.png").unlink()
    ramp = np.linspace(3000, 4000, 200).astype(np.uint16)[None].repeat(100, 0)
    assert cv2.imwrite(str(place / f"a.{suffix}"), ramp)

    (sample,) = open_dataset(folder, "train")

    assert np.array_equal(sample.image, folder_source.read_image(place / f"a.{suffix}"))
    assert np.ptp(sample.image) > 100


@pytest.mark.parametrize(
    "place", ["", "train/car", "images"], ids=["footage", "image folder", "yolo"]
)
def test_pictures_of_one_stem_are_all_read(tmp_path, place):
    for number in range(5):
        picture(tmp_path / place / f"{number}.jpg", 10 * number)
        picture(tmp_path / place / f"{number}.png", 10 * number)
    if place == "images":
        (tmp_path / "labels").mkdir()
        (tmp_path / "labels" / "0.txt").write_text(CAR)
        (tmp_path / "classes.txt").write_text("car")
    if place == "train/car":
        picture(tmp_path / "train" / "bus" / "a.png")

    names = [sample.name.removeprefix("car/") for sample in open_dataset(tmp_path, "train")]

    assert {"0.jpg", "0.png", "3.jpg", "3.png"} <= set(names)
    if place != "train/car":
        val = [sample.name for sample in open_dataset(tmp_path, "val")]
        assert val == ["4.jpg", "4.png"]


@pytest.mark.parametrize("kind", ["footage", "void masks", "unlabelled split"])
def test_the_check_fails_where_nothing_is_labelled(tmp_path, capsys, kind):
    folder = tmp_path / "mine"
    if kind == "footage":
        for number in range(5):
            picture(folder / f"{number}.png")
    elif kind == "void masks":
        picture(folder / "train" / "a.png")
        (folder / "trainannot").mkdir()
        assert cv2.imwrite(str(folder / "trainannot" / "a.png"), np.full((100, 200), 255, np.uint8))
    else:
        yolo(folder, CAR)
        (folder / "labels" / "train" / "a.txt").rename(folder / "labels" / "a.txt")
    config = tmp_path / "mine.yaml"
    config.write_text(f"out: {tmp_path}/out\nsources:\n  - {{path: {folder}, per_batch: 1}}\n")

    assert main(["train", "--check", "--config", str(config)]) == 1
    assert re.search(r"none of \d images has a box", capsys.readouterr().out)
