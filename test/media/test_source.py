# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every kind of input gives the frames that went in; everything else gives one sentence."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from recordings import (
    COUNT,
    FPS,
    HEIGHT,
    START_NS,
    WIDTH,
    make_bag,
    make_folder,
    make_video,
    picture,
)

from sc2_ros.errors import InputError
from sc2_ros.media.frames import FrameSource, SourceFrame, Truth, resized
from sc2_ros.media.source import open_source


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "flight.mp4")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "images")


def check_frames(source: FrameSource, tolerance: float, first_ns: int) -> None:
    frames = list(source)
    assert len(frames) == COUNT
    for number, frame in enumerate(frames):
        assert frame.image.dtype == np.uint8
        assert frame.image.shape == (HEIGHT, WIDTH, 3)
        assert np.abs(frame.image.astype(int) - picture(number)).mean() <= tolerance
        assert frame.stamp_ns == pytest.approx(first_ns + number * 1e9 / FPS, abs=1e6)


def test_video(video: Path) -> None:
    source = open_source(str(video))
    assert source.fps == FPS
    check_frames(source, 3, 0)


def test_video_can_be_read_twice(video: Path) -> None:
    source = open_source(str(video))
    assert len(list(source)) == len(list(source)) == COUNT


def test_folder_is_in_the_order_of_numbers(folder: Path) -> None:
    check_frames(open_source(str(folder), fps=FPS), 0, 0)


def test_folder_with_grey_and_16_bit_images(tmp_path: Path) -> None:
    ramp = np.linspace(20_000, 30_000, 64 * 48).reshape(48, 64).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), ramp)
    cv2.imwrite(str(tmp_path / "b.png"), np.full((48, 64), 77, np.uint8))
    thermal, grey = open_source(str(tmp_path))
    assert thermal.image.shape == (48, 64)
    assert thermal.image.dtype == np.uint8
    assert int(thermal.image.max()) - int(thermal.image.min()) > 70
    assert (grey.image == 77).all()


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("kind", ["raw", "compressed"])
def test_bag(tmp_path: Path, storage: str, kind: str) -> None:
    source = open_source(str(make_bag(tmp_path / "bag", storage, kind)))
    assert source.fps == pytest.approx(FPS, rel=0.5)
    check_frames(source, 0, START_NS)
    assert next(iter(source)).frame_id == "gimbal"


@pytest.mark.parametrize(("storage", "suffix"), [("mcap", "mcap"), ("sqlite3", "db3")])
def test_bag_file_without_its_folder(tmp_path: Path, storage: str, suffix: str) -> None:
    bag = make_bag(tmp_path / "bag", storage)
    (file,) = bag.glob(f"*.{suffix}")
    check_frames(open_source(str(file)), 0, START_NS)
    (bag / "metadata.yaml").unlink()
    check_frames(open_source(str(bag)), 0, START_NS)


def test_bag_without_images_lists_its_topics(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no image topic.*/chatter \(std_msgs/msg/String\)"):
        open_source(str(make_bag(tmp_path / "bag", kind="none")))


def test_bag_with_a_topic_by_name(tmp_path: Path) -> None:
    bag = str(make_bag(tmp_path / "bag"))
    assert len(list(open_source(bag, topic="cam/image_raw"))) == COUNT
    with pytest.raises(InputError, match=r"no topic /other; it has .*/cam/image_raw"):
        open_source(bag, topic="/other")


def test_synthetic_has_truth() -> None:
    source = open_source("synthetic:3", size=(160, 128), fps=20)
    first, second = islice(source, 2)
    assert first.image.shape == (128, 160, 3)
    assert second.stamp_ns - first.stamp_ns == 50_000_000
    assert first.truth is not None
    assert first.truth.mask is not None
    assert first.truth.mask.shape == (128, 160)
    assert len(first.truth.boxes) == len(first.truth.labels)


@pytest.mark.parametrize(
    "spec", ["", "missing.mp4", "synthetic:x", "synthetic:1:purple", "synthetic:1:rgb:pan:9", "97"]
)
def test_what_is_not_there_is_one_sentence(spec: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["noise.mp4", "noise.mcap", "noise.db3", "noise.txt"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(InputError, match=name):
        list(open_source(str(path)))


def test_empty_folder_and_broken_image(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image"):
        open_source(str(tmp_path))
    (tmp_path / "a.jpg").write_bytes(b"no jpeg")
    with pytest.raises(InputError, match=r"a\.jpg"):
        list(open_source(str(tmp_path)))


def test_an_unreadable_image_in_a_folder_is_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_folder(tmp_path / "images")
    for number in (5, 15):
        (folder / f"frame{number}.png").write_bytes(b"no png")
    stamps = [frame.stamp_ns for frame in open_source(str(folder), fps=FPS)]
    assert stamps == [number * 10**9 // FPS for number in (0, 2, 4, 5)]
    (said,) = caplog.messages
    assert f"2 of {COUNT} images cannot be read" in said
    assert "frame5.png is not an image" in said
    assert "frame15.png" not in said


def test_a_recording_is_thinned_to_a_rate(video: Path) -> None:
    source = open_source(str(video), fps=5)
    assert source.fps == 5
    assert [frame.stamp_ns // 10**8 for frame in source] == [0, 2, 4]


def test_loop_goes_on_with_growing_stamps(folder: Path) -> None:
    frames = list(islice(open_source(str(folder), fps=FPS, loop=True), 2 * COUNT))
    stamps = np.array([frame.stamp_ns for frame in frames])
    assert (np.diff(stamps) == 10**9 // FPS).all()
    assert (frames[0].image == frames[COUNT].image).all()


def test_size_brings_image_and_truth_along() -> None:
    boxes, labels = np.array([[10, 20, 30, 40]], np.float32), np.array([1])
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:40, 10:30] = 4
    frame = SourceFrame(picture(0), 0, "camera", Truth(boxes, labels, mask))
    small = resized(frame, (WIDTH // 2, HEIGHT // 2))
    assert small.image.shape == (HEIGHT // 2, WIDTH // 2, 3)
    assert small.truth is not None
    assert small.truth.boxes.tolist() == [[5, 10, 15, 20]]
    assert small.truth.mask is not None
    assert (small.truth.mask[10:20, 5:15] == 4).all()
    assert (small.truth.mask == 4).sum() == 100


@pytest.mark.parametrize(("size", "fps"), [((0, 10), None), (None, 0.0), (None, -1.0)])
def test_impossible_wishes(video: Path, size: tuple[int, int] | None, fps: float | None) -> None:
    with pytest.raises(InputError, match="not possible"):
        open_source(str(video), size=size, fps=fps)


def test_a_source_says_whether_it_ends(video: Path, folder: Path) -> None:
    assert not open_source(str(video)).endless
    assert not open_source(str(folder), size=(32, 32)).endless
    assert open_source(str(folder), loop=True).endless
    assert open_source("synthetic", size=(32, 32)).endless
