# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of every kind, whole and cut off, give the frames that are in them, and say what is not."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from recordings import BagMessage, picture, write_bag

from sc2_ros.errors import InputError
from sc2_ros.media.bag import open_bag
from sc2_ros.media.source import open_source

COUNT, FPS = 20, 6
START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
CAMERA = "/cam/image_raw"
STORAGES = ("mcap", "sqlite3")


NOISE = np.random.default_rng(0).integers(0, 256, (COUNT, 128, 192, 3), np.uint8)
"""What does not become small: a file of such images has blocks to lose."""


def flight(
    topic=CAMERA, count=COUNT, fps=FPS, first=0, late_ns=0, kind="raw", stamp_ns=None, noise=False
):
    """Images at a rate, recorded as they were taken or later."""
    for number in range(first, first + count):
        time_ns = START_NS + number * SECOND_NS // fps
        stamp = time_ns if stamp_ns is None else stamp_ns(number)
        image = NOISE[number] if noise else picture(number % 6)
        yield BagMessage(topic, image, stamp, time_ns + late_ns, kind)


def storage_file(bag: Path) -> Path:
    (file,) = [p for p in bag.iterdir() if p.name != "metadata.yaml"]
    return file


def cut(file: Path, share: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])


def stamps(path, **options):
    return [frame.stamp_ns for frame in open_source(str(path), **options)]


EXPECTED = [START_NS + number * SECOND_NS // FPS for number in range(COUNT)]


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("compression", ["none", "message", "file", "storage"])
@pytest.mark.parametrize("metadata", [True, False])
def test_compressed_in_every_way_with_and_without_metadata(
    tmp_path, storage, compression, metadata
):
    if (storage, compression) == ("sqlite3", "storage"):
        pytest.skip("sqlite3 files are not compressed inside")
    bag = write_bag(tmp_path / "bag", flight(), storage, compression)
    if not metadata:
        (bag / "metadata.yaml").unlink()

    assert stamps(bag) == EXPECTED


# Of a sqlite3 file of 20 images the page that lists the rows comes only after the first eight.
@pytest.mark.parametrize(
    ("storage", "share"), [("mcap", 0.35), ("mcap", 0.95), ("sqlite3", 0.6), ("sqlite3", 0.95)]
)
@pytest.mark.parametrize("compression", ["none", "message", "file", "storage"])
@pytest.mark.parametrize("metadata", [True, False])
def test_a_bag_that_was_cut_gives_what_is_there_and_says_what_is_missing(
    tmp_path, storage, compression, metadata, share, caplog
):
    if (storage, compression) == ("sqlite3", "storage"):
        pytest.skip("sqlite3 files are not compressed inside")
    bag = write_bag(tmp_path / "bag", flight(noise=True), storage, compression)
    if not metadata:
        (bag / "metadata.yaml").unlink()
    cut(storage_file(bag), share)

    found = stamps(bag)

    assert found == EXPECTED[: len(found)]
    # Uncompressed pages and records are lost one by one, compressed blocks of up to 128 KiB.
    assert len(found) >= share * COUNT - 4
    assert len(found) < COUNT
    assert "cut off" in caplog.text


@pytest.fixture
def unmerged(tmp_path):
    """A bag whose last twelve images are still in sqlite's write-ahead log, as power fails."""
    bag, lost = write_bag(tmp_path / "whole", flight(), "sqlite3"), tmp_path / "bag"
    lost.mkdir()
    file = storage_file(bag)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("CREATE TEMP TABLE late AS SELECT * FROM messages WHERE id > 8")
        database.execute("DELETE FROM messages WHERE id > 8")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA wal_autocheckpoint=0")
        database.execute("INSERT INTO messages SELECT * FROM late")
        for name in (file.name, f"{file.name}-wal"):
            shutil.copy(bag / name, lost)
    return lost


def test_images_in_a_write_ahead_log_are_read_and_the_recording_stays_as_it_was(unmerged, caplog):
    before = {file.name: file.read_bytes() for file in unmerged.iterdir()}

    assert stamps(unmerged) == EXPECTED
    assert stamps(unmerged / "whole.db3") == EXPECTED

    assert caplog.text == ""
    assert {file.name: file.read_bytes() for file in unmerged.iterdir()} == before


@pytest.mark.parametrize("metadata", [True, False])
def test_damaged_pages_of_a_sqlite3_file_are_told(tmp_path, metadata, caplog):
    words = [BagMessage("/chatter", None, 0, START_NS + n) for n in range(2000)]
    bag = write_bag(tmp_path / "bag", [*flight(count=4), *words], "sqlite3")
    if not metadata:
        (bag / "metadata.yaml").unlink()
    file = storage_file(bag)
    data = bytearray(file.read_bytes())
    at = data.rindex(b"hello") // 4096 * 4096  # a page of messages, not of the index
    data[at : at + 4096] = bytes(4096)
    file.write_bytes(data)

    assert stamps(bag) == EXPECTED[:4]

    assert "bag.db3 is damaged (database disk image is malformed)" in caplog.text
    assert ("of 2004 messages are left" in caplog.text) == metadata


def test_a_cut_file_by_itself(tmp_path):
    file = storage_file(write_bag(tmp_path / "bag", flight()))
    cut(file, 0.5)
    assert len(stamps(file)) >= COUNT // 2 - 2


def test_a_recorder_that_was_killed_before_it_wrote_the_index(tmp_path):
    bag = write_bag(tmp_path / "bag", flight())
    file = storage_file(bag)
    data = file.read_bytes()
    file.write_bytes(data[: data.rindex(b"\x0f\x04\0\0\0\0\0\0\0")])  # at the record DataEnd

    assert stamps(bag) == EXPECTED


def test_what_is_cut_off_before_the_first_image_is_one_sentence(tmp_path):
    bag = write_bag(tmp_path / "bag", flight())
    cut(storage_file(bag), 0.02)
    with pytest.raises(InputError, match="no image topic with messages.*cut off"):
        open_source(str(bag))


@pytest.mark.parametrize("storage", STORAGES)
def test_a_whole_bag_says_nothing(tmp_path, storage, caplog):
    stamps(write_bag(tmp_path / "bag", flight(), storage))
    assert caplog.text == ""


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("lost", [None, "metadata.yaml", "end", "first"])
def test_a_split_bag(tmp_path, storage, lost, caplog):
    bag = tmp_path / "bag"
    parts = [
        write_bag(tmp_path / f"part{n}", flight(count=10, first=10 * n), storage) for n in (0, 1)
    ]
    bag.mkdir()
    files = [
        shutil.copy(storage_file(part), bag / f"bag_{n}{storage_file(part).suffix}")
        for n, part in enumerate(parts)
    ]
    text = (parts[0] / "metadata.yaml").read_text()
    name = storage_file(parts[0]).name
    text = text.replace(
        f"- {name}\n", f"- bag_0{files[0].suffix}\n    - bag_1{files[0].suffix}\n", 1
    )
    (bag / "metadata.yaml").write_text(text)
    if lost == "metadata.yaml":
        (bag / "metadata.yaml").unlink()
    elif lost == "end":
        cut(files[1], 0.5)
    elif lost == "first":
        files[0].unlink()

    found = stamps(bag)

    if lost == "end":
        assert found[:13] == EXPECTED[:13]
        assert "bag_1" in caplog.text
    elif lost == "first":
        assert found == EXPECTED[10:]
        assert "bag_0" in caplog.text
    else:
        assert found == EXPECTED


def test_several_image_topics(tmp_path, caplog):
    other = flight("/rear/image_raw/compressed", count=5, kind="compressed")
    messages = [*flight(), *other, *flight("/depth/image_raw", count=40)]
    bag = write_bag(tmp_path / "bag", sorted(messages, key=lambda message: message.time_ns))

    assert stamps(bag) == EXPECTED
    assert f"of {CAMERA}; choose /rear/image_raw/compressed with --topic" in caplog.text
    caplog.clear()
    assert len(stamps(bag, topic="/rear/image_raw/compressed")) == 5
    assert caplog.text == ""
    assert len(stamps(bag, topic="depth/image_raw")) == 40
    with pytest.raises(InputError, match=r"no topic /front; .*/compressed \(sensor_msgs"):
        open_source(str(bag), topic="/front")


def test_images_that_are_no_cameras_are_taken_only_by_name(tmp_path):
    preview = flight("/drone1/preview/compressed", kind="compressed")
    bag = write_bag(tmp_path / "bag", preview)

    with pytest.raises(InputError, match="choose /drone1/preview/compressed with --topic"):
        open_source(str(bag))
    assert stamps(bag, topic="/drone1/preview/compressed") == EXPECTED


def test_an_unreadable_image_is_left_out_and_told(tmp_path, caplog):
    messages = list(flight())
    messages[3] = replace(messages[3], image=np.zeros((0, 0, 3), np.uint8))
    found = stamps(write_bag(tmp_path / "bag", messages))
    assert found == EXPECTED[:3] + EXPECTED[4:]
    (said,) = caplog.messages
    assert f"1 of {COUNT} images cannot be read" in said
    assert f"image 4 of {CAMERA}, recorded at 1700000000.500 s: " in said
    assert "no pixels" in said


def test_a_bag_of_which_no_image_can_be_read_is_refused(tmp_path, caplog):
    messages = [replace(message, image=np.zeros((0, 0, 3), np.uint8)) for message in flight()]
    bag = write_bag(tmp_path / "bag", messages)
    with pytest.raises(InputError, match=f"image 1 of {CAMERA}, .* no pixels"):
        stamps(bag)
    assert caplog.text == ""


def test_a_topic_without_images_is_told_from_one_that_is_not_there(tmp_path):
    bag = write_bag(tmp_path / "bag", [BagMessage("/chatter", None, 0, START_NS), *flight()])
    with pytest.raises(InputError, match="no images on the topic chatter; it has"):
        open_source(str(bag), topic="chatter")


@pytest.mark.parametrize("fps", [1, 6, 30])
def test_the_rate_is_that_of_the_camera_and_not_of_the_bag(tmp_path, fps):
    # Other topics last longer, and the camera paused once.
    late = [BagMessage("/chatter", None, 0, START_NS + 90 * SECOND_NS)]
    images = [*flight(count=10, fps=fps), *flight(count=10, fps=fps, first=40 * fps)]
    source = open_source(str(write_bag(tmp_path / "bag", [*images, *late])))

    assert source.fps == pytest.approx(fps, rel=0.01)
    assert open_source(str(tmp_path / "bag"), fps=0.5).fps == 0.5


def test_the_rate_where_the_camera_has_no_stamps(tmp_path):
    source = open_source(str(write_bag(tmp_path / "bag", flight(stamp_ns=lambda _: 0))))

    assert source.fps == pytest.approx(FPS, rel=0.01)
    assert [frame.stamp_ns for frame in source] == EXPECTED


def test_stamps_out_of_order_are_kept_as_a_live_node_gets_them(tmp_path):
    order = [0, 1, 3, 2, 4, 4, 5]
    images = flight(count=7, stamp_ns=lambda number: START_NS + order[number] * SECOND_NS)
    frames = list(open_source(str(write_bag(tmp_path / "bag", images))))

    assert [(frame.stamp_ns - START_NS) // SECOND_NS for frame in frames] == order
    assert all(one.time_ns < other.time_ns for one, other in pairwise(frames))


def test_stamps_since_boot_are_kept_too(tmp_path):
    images = flight(count=5, stamp_ns=lambda number: 7 * SECOND_NS + number)
    frames = list(open_source(str(write_bag(tmp_path / "bag", images))))

    assert [frame.stamp_ns for frame in frames] == [7 * SECOND_NS + number for number in range(5)]
    assert [frame.time_ns for frame in frames] == EXPECTED[:5]


def test_frames_are_played_at_the_times_of_their_recording(tmp_path):
    images = flight(count=5, late_ns=30_000_000)
    frames = list(open_source(str(write_bag(tmp_path / "bag", images))))

    assert [frame.time_ns - frame.stamp_ns for frame in frames] == [30_000_000] * 5


def test_what_a_bag_lacks_is_in_its_note(tmp_path):
    bag = write_bag(tmp_path / "bag", flight())
    with open_bag(bag) as reader:
        assert reader.note == ""
    cut(storage_file(bag), 0.6)
    with open_bag(bag) as reader:
        left = reader.message_count
        assert left < COUNT
        assert "its last record lacks" in reader.note
        assert f"{left} of {COUNT} messages are left" in reader.note
        np.testing.assert_equal(reader.start_time, START_NS)
