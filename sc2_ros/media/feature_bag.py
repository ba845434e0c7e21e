# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag of packets: a flight to be decoded again, perhaps by a newer ground network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection

from sc2_ros.codec.packet import PacketType, parse
from sc2_ros.errors import InputError, PacketError
from sc2_ros.media.bag import is_bag, open_bag, read_messages
from sc2_ros.media.bag_source import COMPRESSED, IMAGE
from sc2_ros.media.source import path_of

PACKETS = "std_msgs/msg/UInt8MultiArray"


def open_features(spec: str, topic: str | None = None) -> FeatureBag | None:
    """The packets of an input; None unless it is a bag with features and without images.

    Args:
        spec: what the command line gives as input.
        topic: the topic to take, also from a bag that has images.

    Raises:
        InputError: the bag cannot be read, or has several topics with packets to choose from.
    """
    path = path_of(spec)
    if path is None or not path.exists() or not is_bag(path):
        return None
    with open_bag(path) as reader:
        found = [entry for entry in reader.connections if _has_features(reader, path, entry)]
        names = {entry.topic for entry in found}
        if topic is not None:
            names &= {topic, f"/{topic}"}
        elif any(entry.msgtype in (IMAGE, COMPRESSED) for entry in reader.connections):
            return None
    if len(names) > 1:
        raise InputError(f"{path} has packets on {', '.join(sorted(names))}: choose with --topic")
    return FeatureBag(path, names.pop()) if names else None


def _has_features(reader: AnyReader, path: Path, connection: Connection) -> bool:
    """Whether a topic begins with packets of ours that go to the ground."""
    if connection.msgtype != PACKETS:
        return False
    for _, _, message in read_messages(reader, path, [connection]):
        try:
            return parse(bytes(message.data)).header.type is not PacketType.FEEDBACK
        except PacketError:
            return False
    return False


class FeatureBag:
    """The packets of one topic, each with the time of its recording in nanoseconds."""

    def __init__(self, path: Path, topic: str) -> None:
        self.name = path.name
        self.topic = topic
        self._path = path

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        with open_bag(self._path) as reader:
            connections = [entry for entry in reader.connections if entry.topic == self.topic]
            for _, recorded_ns, message in read_messages(reader, self._path, connections):
                yield recorded_ns, bytes(message.data)
