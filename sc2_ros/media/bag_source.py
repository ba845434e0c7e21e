# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ROS 2 bag as a frame source: the images of one topic, as a live node would get them."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Connection

from sc2_ros.errors import InputError
from sc2_ros.media.bag import BagReader, open_bag, read_messages, read_raw
from sc2_ros.media.frames import FrameSource, SourceFrame, Thinner, readable
from sc2_ros.media.image_reader import ImageReader

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
# Images that are about a picture and not a camera's picture; taken only when asked for by name.
SECOND_CHOICE = ("mask", "depth", "preview", "annotated", "disparity")
RATE_FRAMES = 100
"""Images at the beginning of a bag from which its rate is estimated."""


class BagSource(FrameSource):
    """The frames of one image topic, with the stamps and frame_ids that the bag has.

    They come in the order and at the times of their recording, which is how `ros2 bag play` plays
    them; a stamp may well go back, or count from the start of the drone.
    """

    def __init__(self, path: Path, *, topic: str | None = None, fps: float | None = None) -> None:
        self._path, self._limit_fps = path, fps
        self.name = path.name
        with open_bag(path) as reader:
            self.topic = choose_topic(reader, path, topic)
            if reader.note:
                logging.getLogger(__name__).warning("%s: %s", path, reader.note)
            recorded_fps = self._recorded_fps(reader)
        self.fps = min(recorded_fps, fps) if fps else recorded_fps

    def __iter__(self) -> Iterator[SourceFrame]:
        return readable(self._path, self._frames())

    def _frames(self) -> Iterator[Callable[[], SourceFrame]]:
        thinner = Thinner(self._limit_fps)
        last_ns = -1
        images = ImageReader()
        with open_bag(self._path) as reader:
            found = read_messages(reader, self._path, self._connections(reader))
            for number, (_, recorded_ns, message) in enumerate(found, 1):
                time_ns = last_ns = max(recorded_ns, last_ns + 1)
                if thinner.keep(time_ns):
                    name = f"image {number} of {self.topic}, recorded at {recorded_ns / 1e9:.3f} s"
                    yield partial(_frame, images, message, recorded_ns, time_ns, name)

    def _connections(self, reader: BagReader) -> list[Connection]:
        return [entry for entry in reader.connections if entry.topic == self.topic]

    def _recorded_fps(self, reader: BagReader) -> float:
        """Images per second, by the stamps of the first ones, else by when they were recorded."""
        stamps, times = [], []
        found = read_raw(reader, self._path, self._connections(reader))
        for _, recorded_ns, data in islice(found, RATE_FRAMES):
            stamps.append(header_stamp_ns(data))
            times.append(recorded_ns)
        for series in (stamps, times):
            gaps = np.diff(np.array(series, np.int64))
            # The median: a camera that paused, or some images that were lost, are not its rate.
            if (
                len(gaps)
                and (gaps > 0).mean() > 0.5
                and (gap_ns := np.median(gaps[gaps > 0])) > 1e5
            ):
                return float(1e9 / gap_ns)
        return 30.0


def _frame(
    images: ImageReader, message: Any, recorded_ns: int, time_ns: int, name: str
) -> SourceFrame:
    try:
        image = images.read(message)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    head = message.header
    stamp_ns = head.stamp.sec * 1_000_000_000 + head.stamp.nanosec or recorded_ns
    return SourceFrame(image, stamp_ns, head.frame_id, played_ns=time_ns)


def header_stamp_ns(data: bytes) -> int:
    """The stamp of a message that begins with a std_msgs/Header, from its CDR; 0 if it is short."""
    if len(data) < 12:
        return 0
    seconds, nanoseconds = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def has_camera(reader: BagReader) -> bool:
    """Whether there are images that `choose_topic` takes without being told to."""
    return any(_is_camera(connection.topic) for connection in _images(reader))


def choose_topic(reader: BagReader, path: Path, wanted: str | None) -> str:
    """The topic to take images from: `wanted`, else the camera topic with most messages.

    Raises:
        InputError: there is none; the message lists what the bag has.
    """
    images = _images(reader)
    listing = ", ".join(sorted({f"{c.topic} ({c.msgtype})" for c in reader.connections}))
    listing = f"it has {listing}" if listing else "it is empty"
    if reader.note:
        listing += f"; {reader.note}"
    if wanted is not None:
        name = wanted if wanted.startswith("/") else f"/{wanted}"
        for connection in images:
            if connection.topic in (wanted, name):
                return str(connection.topic)
        there = any(connection.topic in (wanted, name) for connection in reader.connections)
        lacking = f"no images on the topic {wanted}" if there else f"no topic {wanted}"
        raise InputError(f"the bag {path} has {lacking}; {listing}")
    if not images:
        raise InputError(f"the bag {path} has no image topic with messages; {listing}")
    cameras = [connection for connection in images if _is_camera(connection.topic)]
    if not cameras:
        names = " or ".join(sorted({connection.topic for connection in images}))
        raise InputError(
            f"the images of the bag {path} are not a camera's by their names: choose {names} with "
            "--topic"
        )
    counts: dict[str, int] = {}
    for connection in cameras:  # a split bag has one for every file
        counts[connection.topic] = counts.get(connection.topic, 0) + connection.msgcount

    def preference(connection: Connection) -> tuple[int, bool]:
        return counts[connection.topic], connection.msgtype == IMAGE

    chosen = str(max(cameras, key=preference).topic)
    others = sorted(name for name in counts if name != chosen)
    if others:
        logging.getLogger(__name__).warning(
            "%s: the images are of %s; choose %s with --topic", path, chosen, " or ".join(others)
        )
    return chosen


def _images(reader: BagReader) -> list[Connection]:
    return [c for c in reader.connections if c.msgtype in (IMAGE, COMPRESSED) and c.msgcount]


def _is_camera(topic: str) -> bool:
    return not any(word in topic.lower() for word in SECOND_CHOICE)
