# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag of packets: a flight to be decoded again, perhaps by a newer ground network."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection

from sc2_ros.codec.wire import PacketType, parse
from sc2_ros.errors import InputError, PacketError
from sc2_ros.link.air import wire
from sc2_ros.link.air.key import AirKey, load_key_file
from sc2_ros.link.air.recording import Reader, is_sealed
from sc2_ros.media.bag import is_bag, open_bag, read_messages
from sc2_ros.media.bag_source import has_camera
from sc2_ros.media.camera_info import CALIBRATION
from sc2_ros.media.source import path_of

PACKETS = "std_msgs/msg/UInt8MultiArray"
LOOKED_AT = 200
"""Messages of a topic of which one should tell what it carries."""
SEALED_BEFORE = [
    bytes([wire.SEALED | kind])
    for kind in (wire.HELLO, wire.WELCOME, wire.FINISH, wire.CONTROL, wire.KEY)
]
"""First bytes of what the ends of a sealed link say before any packet."""
OPEN, SEALED = "open", "sealed"


def open_features(
    spec: str,
    topic: str | None = None,
    key_file: Path | None = None,
    *,
    despite_camera: bool = False,
) -> FeatureBag | None:
    """The packets of an input; None unless it is a bag with features and without camera images.

    Args:
        spec: what the command line gives as input.
        topic: the topic to take, also from a bag that has images.
        key_file: what opens sealed packets.
        despite_camera: take them also from a bag that has a camera's images, without a `topic`.

    Raises:
        InputError: the bag cannot be read, has several topics with packets to choose from, or its
            packets are sealed and there is no key for them.
        KeyFileError: the key file cannot be used.
    """
    path = path_of(spec)
    if path is None or not path.exists() or not is_bag(path):
        return None
    with open_bag(path) as reader:
        carriers: dict[str, list[Connection]] = {}  # a split bag has a connection for every file
        for entry in reader.connections:
            if entry.msgtype == PACKETS:
                carriers.setdefault(entry.topic, []).append(entry)
        kinds = {name: _kind(reader, path, entries) for name, entries in carriers.items()}
        names = {name for name, kind in kinds.items() if kind}
        if topic is not None:
            names &= {topic, f"/{topic}"}
        elif has_camera(reader) and not despite_camera:
            return None
        note = reader.note
    if len(names) > 1:
        raise InputError(f"{path} has packets on {', '.join(sorted(names))}: choose with --topic")
    if not names:
        return None
    (name,) = names
    if note:
        logging.getLogger(__name__).warning("%s: %s", path, note)
    if kinds[name] != SEALED:
        return FeatureBag(path, name)
    if key_file is None:
        raise InputError(
            f"the packets on {name} of {path} are sealed; give the key file of the flight with "
            "--key"
        )
    return SealedFeatureBag(path, name, load_key_file(key_file.expanduser()))


def _kind(reader: AnyReader, path: Path, connections: Sequence[Connection]) -> str:
    """Whether a topic has packets that go to the ground: OPEN, SEALED, or "" for neither."""
    for _, _, message in islice(read_messages(reader, path, connections), LOOKED_AT):
        packet = bytes(message.data)
        if is_sealed(packet):
            return SEALED
        try:
            return "" if parse(packet).header.type is PacketType.FEEDBACK else OPEN
        except PacketError:
            if packet[:1] not in SEALED_BEFORE:
                return ""
    return ""


class FeatureBag:
    """The packets of one topic, each with the time of its recording in nanoseconds."""

    def __init__(self, path: Path, topic: str) -> None:
        self.name = path.name
        self.topic = topic
        self._path = path

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return self._recorded()

    def _recorded(self) -> Iterator[tuple[int, bytes]]:
        with open_bag(self._path) as reader:
            connections = [entry for entry in reader.connections if entry.topic == self.topic]
            for _, recorded_ns, message in read_messages(reader, self._path, connections):
                yield recorded_ns, bytes(message.data)


class SealedFeatureBag(FeatureBag):
    """The same, of packets that were sealed when they were recorded."""

    def __init__(self, path: Path, topic: str, key: AirKey) -> None:
        super().__init__(path, topic)
        self._reader = Reader(key, (packet for _, packet in self._recorded()))
        if not self._reader.keys:
            raise InputError(
                f"the key {key.fingerprint} does not open the packets on {topic} of {path}; "
                "compare `sc2 key id` with the drone's"
            )

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        for recorded_ns, datagram in self._recorded():
            packet = self._reader.open(datagram)
            if packet is not None and packet[:1] != CALIBRATION:
                yield recorded_ns, packet
