# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ROS 2 bag as a frame source: sqlite3 or MCAP, Image or CompressedImage, no ROS needed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from sc2_ros.errors import InputError
from sc2_ros.media.encodings import image_array
from sc2_ros.media.frames import FrameSource, SourceFrame, Thinner

FILE_SUFFIXES = {".mcap", ".db3", ".bag"}
IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
# Images that are about a picture and not a camera's picture; taken only when asked for by name.
SECOND_CHOICE = ("mask", "depth", "preview", "annotated", "disparity")


def is_bag(path: Path) -> bool:
    """Whether `path` is a bag's folder or one of its files."""
    if path.is_dir():
        return (path / "metadata.yaml").exists() or bool(_storage_files(path))
    return path.suffix.lower() in FILE_SUFFIXES


@contextmanager
def open_bag(path: Path) -> Iterator[AnyReader]:
    """An open reader of a bag; a folder whose metadata.yaml was lost is read file by file.

    Raises:
        InputError: it is damaged, or not a bag.
    """
    whole = not path.is_dir() or (path / "metadata.yaml").exists()
    try:
        reader = AnyReader(
            [path] if whole else _storage_files(path),
            default_typestore=get_typestore(Stores.ROS2_JAZZY),
        )
        reader.open()
    except Exception as error:  # the storage libraries behind rosbags raise classes of their own
        raise InputError(f"{path} is not a ROS bag that can be read: {error}") from error
    try:
        yield reader
    finally:
        reader.close()


def read_messages(
    reader: AnyReader, path: Path, connections: Sequence[Connection]
) -> Iterator[tuple[Connection, int, Any]]:
    """Connection, time of recording in nanoseconds and message, of an open bag in its order.

    Raises:
        InputError: it is damaged.
    """
    found = reader.messages(connections=connections) if connections else iter(())
    while True:
        try:
            connection, recorded_ns, data = next(found)
            message = reader.deserialize(data, connection.msgtype)
        except StopIteration:
            return
        except Exception as error:  # what rosbags and the storage raise is many-fold
            raise InputError(f"{path} is damaged: {error}") from error
        yield connection, recorded_ns, message


def _storage_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in FILE_SUFFIXES)


class BagSource(FrameSource):
    """The frames of one image topic, with the stamps and frame_ids that the bag has."""

    def __init__(self, path: Path, *, topic: str | None = None, fps: float | None = None) -> None:
        self._path, self._limit_fps = path, fps
        self.name = path.name
        with open_bag(path) as reader:
            connection = choose_topic(reader, path, topic)
            self.topic = connection.topic
            count = connection.msgcount
            seconds = (reader.end_time - reader.start_time) / 1e9
        recorded_fps = (count - 1) / seconds if count > 1 and seconds > 0 else 30.0
        self.fps = min(recorded_fps, fps) if fps else recorded_fps

    def __iter__(self) -> Iterator[SourceFrame]:
        thinner = Thinner(self._limit_fps)
        last_ns = -1
        with open_bag(self._path) as reader:
            connections = [c for c in reader.connections if c.topic == self.topic]
            for _, recorded_ns, message in read_messages(reader, self._path, connections):
                stamp = message.header.stamp
                stamp_ns = stamp.sec * 1_000_000_000 + stamp.nanosec or recorded_ns
                stamp_ns = last_ns = max(stamp_ns, last_ns + 1)
                if thinner.keep(stamp_ns):
                    yield SourceFrame(image_array(message), stamp_ns, message.header.frame_id)


def choose_topic(reader: AnyReader, path: Path, wanted: str | None) -> Connection:
    """The connection to take images from: `wanted`, else the camera topic with most messages.

    Raises:
        InputError: there is none; the message lists what the bag has.
    """
    images = [c for c in reader.connections if c.msgtype in (IMAGE, COMPRESSED) and c.msgcount]
    listing = ", ".join(sorted({f"{c.topic} ({c.msgtype})" for c in reader.connections}))
    listing = f"it has {listing}" if listing else "it is empty"
    if wanted is not None:
        name = wanted if wanted.startswith("/") else f"/{wanted}"
        for connection in images:
            if connection.topic in (wanted, name):
                return connection
        raise InputError(f"the bag {path} has no image topic {wanted}; {listing}")
    if not images:
        raise InputError(f"the bag {path} has no image topic with messages; {listing}")

    def preference(connection: Connection) -> tuple[bool, int, bool]:
        camera = not any(word in connection.topic.lower() for word in SECOND_CHOICE)
        return camera, connection.msgcount, connection.msgtype == IMAGE

    return max(images, key=preference)
