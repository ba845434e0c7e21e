# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A sink that records ROS messages in an MCAP bag, which Foxglove and `ros2 bag` open."""

import shutil
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from sc2_ros.errors import InputError
from sc2_ros.media.closing import Closing
from sc2_ros.runtime.messages import STORE
from sc2_ros.runtime.serialization import type_and_cdr


class BagWriter(Closing):
    """Messages as CDR bytes -> `path`/, a rosbag2 folder with one .mcap file.

    A bag that is already at `path` is replaced; anything else there is left alone (InputError).
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if self.path.exists():
            if not _holds_only_a_bag(self.path):
                raise InputError(f"{self.path} exists and is not a bag; give another place")
            shutil.rmtree(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = Writer(
            self.path, version=Writer.VERSION_LATEST, storage_plugin=StoragePlugin.MCAP
        )
        # Chunks of the .mcap itself: masks shrink to a hundredth, and Foxglove reads it.
        self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._writer.open()
        self._connections: dict[str, Connection] = {}
        self.messages = 0

    @property
    def file(self) -> Path:
        """The .mcap file itself, which is what Foxglove opens."""
        return self.path / f"{self.path.name}.mcap"

    def write(self, topic: str, type_name: str, cdr: bytes, time_ns: int) -> None:
        """Record one message.

        Args:
            topic: its name, with or without the leading slash.
            type_name: such as `sensor_msgs/msg/Image`.
            cdr: the serialised message with its 4-byte header.
            time_ns: when it was received, nanoseconds.
        """
        topic = topic if topic.startswith("/") else f"/{topic}"
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, type_name, typestore=STORE
            )
        self._writer.write(self._connections[topic], max(time_ns, 0), cdr)
        self.messages += 1

    def write_message(self, topic: str, message: Any, time_ns: int) -> None:
        """Record a message of rclpy or of the embedded runtime."""
        self.write(topic, *type_and_cdr(message), time_ns)

    def close(self) -> None:
        """Write the index and metadata.yaml; the bag is whole only after this."""
        if self._writer.storage is not None:
            self._writer.close()


def _holds_only_a_bag(path: Path) -> bool:
    """Whether a folder may be replaced: all that is in it is a bag, whole or broken off."""
    names = (".mcap", ".yaml", ".tmp")
    return path.is_dir() and all(entry.suffix in names for entry in path.iterdir())
