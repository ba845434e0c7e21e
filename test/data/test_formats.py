# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""VOC, Cityscapes, named masks, ImageFolder, chips and footage: found by themselves, read right."""

import json
import os
import weakref
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from recordings import COUNT, make_bag

from sc2_ros.data import DETECTION_CLASSES, MASK_CLASSES, VOID, open_dataset
from sc2_ros.data import frames as footage
from sc2_ros.data.frames import spread
from sc2_ros.data.registry import FORMATS, format_of, located
from sc2_ros.errors import InputError
from sc2_ros.media.frames import SourceFrame

DATA = Path(os.environ.get("SC2_DATA", Path(__file__).parents[3] / "shared" / "data"))


def _picture(path: Path, width: int = 40, height: int = 20, level: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((height, width, 3), level, np.uint8))


def _voc(folder: Path, objects: str, stem: str = "a1") -> None:
    _picture(folder / "JPEGImages" / f"{stem}.png")
    (folder / "Annotations").mkdir(exist_ok=True)
    (folder / "Annotations" / f"{stem}.xml").write_text(f"<annotation>{objects}</annotation>")


def _object(name: str, box: tuple[int, int, int, int], difficult: int = 0) -> str:
    corners = "".join(
        f"<{k}>{v}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    return (
        f"<object><name>{name}</name><difficult>{difficult}</difficult>"
        f"<bndbox>{corners}</bndbox></object>"
    )


def test_voc_counts_from_one_and_ignores_what_is_difficult(tmp_path):
    objects = _object("bus", (1, 1, 10, 20)) + _object("person", (5, 5, 8, 8), difficult=1)
    _voc(tmp_path, objects + _object("sofa", (1, 1, 5, 5)))
    _voc(tmp_path, "", stem="b1")
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Main" / "train.txt").write_text("a1\nb1\n")

    data = open_dataset(tmp_path, "train")

    assert [s.name for s in data] == ["a1.png", "b1.png"]
    assert data.detection_classes == ("person", "other_vehicle")
    assert data[0].boxes.tolist() == [[0, 0, 10, 20]]
    assert data[0].labels.tolist() == [DETECTION_CLASSES.index("other_vehicle")]
    assert data[0].ignore.tolist() == [[4, 4, 8, 8]]
    with pytest.raises(InputError, match="no split 'val'.*has train"):
        open_dataset(tmp_path, "val")


def test_voc_without_lists_splits_by_sequence(tmp_path):
    for stem in ("a1", "a2", "b1"):
        _voc(tmp_path, _object("car", (1, 1, 9, 9)), stem)

    assert [s.name for s in open_dataset(tmp_path, "train")] == ["a1.png", "a2.png"]
    assert [s.name for s in open_dataset(tmp_path, "val")] == ["b1.png"]


def test_a_damaged_xml_is_named(tmp_path):
    _voc(tmp_path, "<object><name>car</name></object>")

    with pytest.raises(InputError, match="a1.xml is not VOC XML"):
        open_dataset(tmp_path, "train")


@pytest.mark.parametrize(("kind", "car"), [("labelIds", 26), ("labelTrainIds", 13)])
def test_cityscapes_masks_are_in_train_ids(tmp_path, kind, car):
    _picture(tmp_path / "leftImg8bit" / "val" / "ulm" / "ulm_0_1_leftImg8bit.png")
    mask = np.full((20, 40), 255 if kind == "labelTrainIds" else 0, np.uint8)
    mask[:5] = car
    place = tmp_path / "gtFine" / "val" / "ulm"
    place.mkdir(parents=True)
    cv2.imwrite(str(place / f"ulm_0_1_gtFine_{kind}.png"), mask)

    data = open_dataset(tmp_path, "val")

    assert np.unique(data[0].mask).tolist() == [13, VOID]
    assert data.mask_classes[13] == "car"
    with pytest.raises(InputError, match="no split 'train'.*has val"):
        open_dataset(tmp_path, "train")


def test_mask_folders_name_their_own_classes(tmp_path):
    _picture(tmp_path / "train" / "a.png")
    (tmp_path / "trainannot").mkdir()
    cv2.imwrite(str(tmp_path / "trainannot" / "a.png"), np.full((20, 40), 1, np.uint8))
    (tmp_path / "classes.txt").write_text("water\nland\n")

    data = open_dataset(tmp_path, "train")

    assert data.mask_classes == ("water", "land")
    assert np.unique(data[0].mask).tolist() == [1]


def test_image_folders_number_classes_by_name(tmp_path):
    for split, name in (("train", "dog"), ("train", "cat"), ("val", "dog"), ("val", "cow")):
        _picture(tmp_path / split / name / "1.png")

    train, val = open_dataset(tmp_path, "train"), open_dataset(tmp_path, "val")

    assert train.image_classes == val.image_classes == ("cat", "cow", "dog")
    assert [s.category for s in train] == [0, 2]
    assert [s.category for s in val] == [1, 2]


def test_image_folders_without_splits_cut_each_class_in_time(tmp_path):
    for name in ("cat", "dog"):
        for number in range(10):
            _picture(tmp_path / name / f"{number}.png")

    train, val = open_dataset(tmp_path, "train"), open_dataset(tmp_path, "val")

    assert [s.name for s in val] == ["cat/8.png", "cat/9.png", "dog/8.png", "dog/9.png"]
    assert len(train) == 16
    assert not {s.name for s in train} & {s.name for s in val}


def _semantic_drone(folder: Path, number: int, mask: np.ndarray) -> None:
    _picture(folder / "images" / f"{number:03}.png", mask.shape[1], mask.shape[0])
    (folder / "masks").mkdir(exist_ok=True)
    assert cv2.imwrite(str(folder / "masks" / f"{number:03}.png"), mask)
    (folder / "classes.txt").write_text("\n".join(_DRONE_CLASSES))
    person = {"image_id": number, "bbox": [1.0, 2.0, 3.0, 4.0]}
    content = {"images": [{"id": number, "file_name": f"{number:03}.png"}], "annotations": [person]}
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "annotations" / "person_train.json").write_text(json.dumps(content))


_DRONE_CLASSES = ("unlabeled", "paved-area", "roof", "tree", "car", "bicycle", "conflicting")


def test_semantic_drone_finds_single_cars_in_its_masks(tmp_path):
    mask = np.ones((80, 120), np.uint8)
    mask[0] = 0
    mask[10:30, 10:50] = 4  # a car
    mask[50:75, 10:20] = mask[65:75, 10:60] = 4  # two that touch: an L fills half its rectangle
    mask[10:13, 100:103] = 4  # a speck
    mask[40:50, 80:100] = 5
    mask[60:70, 80:90] = 6
    _semantic_drone(tmp_path, 3, mask)

    sample = open_dataset(tmp_path, "train")[0]

    assert sample.boxes.tolist() == [[1, 2, 4, 6], [10, 10, 50, 30], [80, 40, 100, 50]]
    assert [DETECTION_CLASSES[n] for n in sample.labels] == ["person", "car", "bicycle"]
    assert sorted(sample.ignore.tolist()) == [
        *([10, 50, 60, 75], [80, 60, 90, 70], [100, 10, 103, 13])
    ]
    assert sample.mask is not None
    assert set(sample.mask[0]) == {VOID}  # unlabeled
    assert sample.mask[65, 85] == VOID  # conflicting
    assert MASK_CLASSES[sample.mask[20, 20]] == "vehicle"
    assert MASK_CLASSES[sample.mask[5, 5]] == "road"


def test_semantic_drone_holds_out_whole_runs_of_ids(tmp_path):
    for number in (0, 59, 60, 89, 90, 220):
        _semantic_drone(tmp_path, number, np.ones((16, 16), np.uint8))

    assert [s.name for s in open_dataset(tmp_path, "val")] == ["060.png", "089.png", "220.png"]
    assert [s.name for s in open_dataset(tmp_path, "train")] == ["000.png", "059.png", "090.png"]
    with pytest.raises(InputError, match="no split 'test'"):
        open_dataset(tmp_path, "test")


def test_semantic_drone_names_a_damaged_mask(tmp_path):
    _semantic_drone(tmp_path, 0, np.ones((16, 16), np.uint8))
    (tmp_path / "masks" / "000.png").write_bytes(b"")

    with pytest.raises(InputError, match=r"000.png is damaged"):
        open_dataset(tmp_path, "train")[0]


def test_chips_are_the_objects_of_a_detection_set(tmp_path):
    ramp = np.arange(200, dtype=np.uint8)[None].repeat(300, 0)  # a pixel tells its column
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "x.names").write_text("car\nperson\n")
    for stem in ("a1", "b1"):
        cv2.imwrite(str(tmp_path / "images" / f"{stem}.png"), ramp)
    # A car in the middle, a person at the left edge, a speck, and a car as large as the picture.
    boxes = ["0 0.5 0.5 0.2 0.1", "1 0.01 0.5 0.02 0.04", "1 0.5 0.5 0.01 0.01", "0 0.5 0.5 1 1"]
    (tmp_path / "labels" / "a1.txt").write_text("\n".join(boxes))

    chips = open_dataset(f"chips:{tmp_path}", "train")

    assert chips.image_classes == ("person", "car")
    assert [chip.category for chip in chips] == [1, 0, 1]
    assert [chip.image.shape for chip in chips] == [(60, 60), (18, 18), (128, 128)]
    assert chips[0].image[0, [0, -1]].tolist() == [70, 129]
    assert chips[1].image[0, [0, -1]].tolist() == [0, 17]


def test_chips_want_boxes(tmp_path):
    for name in ("cat", "dog"):
        _picture(tmp_path / name / "1.png")
        _picture(tmp_path / name / "2.png")

    with pytest.raises(InputError, match="need a data set with boxes"):
        open_dataset(f"chips:{tmp_path}", "train")


def _write_video(path: Path, frames: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            image = np.full((48, 64, 3), 10 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def test_the_last_quarter_of_a_video_is_kept_aside(tmp_path):
    _write_video(tmp_path / "flight.mp4", 12)

    train, val = (open_dataset(tmp_path / "flight.mp4", split) for split in ("train", "val"))

    levels = [round(float(s.image.mean()) / 10) for s in (*train, *val)]
    assert (len(train), len(val)) == (9, 3)
    assert levels == list(range(12))
    assert train[3].name == "flight-0.300s"
    assert train.detection_classes == train.mask_classes == train.image_classes == ()


def test_a_bag_is_footage(tmp_path):
    make_bag(tmp_path / "bag")

    train, val = (open_dataset(tmp_path / "bag", split) for split in ("train", "val"))

    assert [s.image[0, 0, 2] // 40 for s in (*train, *val)] == list(range(COUNT))
    assert len(val) == 2


def test_a_folder_of_pictures_is_footage(tmp_path):
    for number in range(10):
        _picture(tmp_path / f"frame{number}.png", level=number)

    train, val = open_dataset(tmp_path, "train"), open_dataset(tmp_path, "val")

    assert [s.name for s in val] == ["frame8.png", "frame9.png"]
    assert len(train) == 8


FRAME_BYTES = 6


def _frames(count):
    for number in range(count):
        yield SourceFrame(np.zeros((2, 3), np.uint8), number, "camera")


@pytest.mark.parametrize("count", [3, 8, 9, 100, 1000])
@pytest.mark.parametrize("limits", [(8, 8 * FRAME_BYTES), (8, 1000), (1000, 8 * FRAME_BYTES)])
def test_frames_are_spread_evenly_over_a_source_of_unknown_length(count, limits):
    kept = [frame.stamp_ns for frame in spread(_frames(count), *limits)]

    steps = set(np.diff(kept).tolist())
    assert len(kept) <= 8
    assert kept[0] == 0
    assert len(steps) == 1
    assert kept[-1] + steps.pop() >= count


def test_no_more_bytes_of_a_recording_are_held_at_any_time():
    seen = []
    most = 0

    def frames():
        nonlocal most
        for frame in _frames(200):
            seen.append(weakref.ref(frame.image))
            most = max(most, sum(image() is not None for image in seen))
            yield frame

    assert len(spread(frames(), 100, 10 * FRAME_BYTES)) == 7
    assert most <= 10 + 2  # the one that is looked at, and the one that comes


def test_frames_larger_than_the_limit_still_make_a_split():
    assert [frame.stamp_ns for frame in spread(_frames(9), 400, 1)] == [0, 8]


def test_large_frames_of_a_video_are_fewer(tmp_path, monkeypatch):
    _write_video(tmp_path / "flight.mp4", 12)
    monkeypatch.setattr(footage, "MAX_BYTES", 6 * 48 * 64 * 3)

    train, val = (open_dataset(tmp_path / "flight.mp4", split) for split in ("train", "val"))

    names = [s.name for s in (*train, *val)]
    assert names == [f"flight-{second:.3f}s" for second in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]


def test_what_is_not_known_is_answered_with_all_that_is(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "notes.txt").write_text("")

    with pytest.raises(InputError) as caught:
        open_dataset(tmp_path, "train")

    words = str(caught.value)
    assert "holds notes.txt, sub/" in words
    assert all(kind.name in words and kind.layout in words for kind in FORMATS)
    assert "\n" not in words


def test_paths_of_a_configuration_are_relative_to_the_data(tmp_path):
    assert located("hituav", Path("/d")) == "/d/hituav"
    assert located("chips:hituav", Path("/d")) == "chips:/d/hituav"
    assert located("/x/y", Path("/d")) == "/x/y"
    assert located("synthetic:3", Path("/d")) == "synthetic:3"


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no shared data at {DATA}; set SC2_DATA")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("hituav", "COCO, HIT-UAV"),
        ("aerial_cars", "YOLO"),
        ("semantic_drone", "Semantic Drone"),
        ("rgb_oblique", "COCO, HIT-UAV"),
        ("camvid", "CamVid"),
        ("aerial_cars/images", "unlabelled"),
        ("video/car-detection.mp4", "unlabelled"),
    ],
)
def test_shared_data_is_recognised(name, kind):
    assert format_of(DATA / name).name == kind
