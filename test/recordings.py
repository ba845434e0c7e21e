# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small recordings of every kind, made on the spot."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

WIDTH, HEIGHT, COUNT, FPS = 96, 64, 6, 10
START_NS = 1_700_000_000_000_000_000


def picture(number: int) -> np.ndarray:
    """A colour gradient (red to the right, green down) whose blue tells the frame's number."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, WIDTH, dtype=np.uint8)[None, :]
    image[..., 1] = np.linspace(0, 255, HEIGHT, dtype=np.uint8)[:, None]
    image[..., 2] = 40 * number
    return image


def make_video(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv444p"
        for number in range(COUNT):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_folder(path: Path) -> Path:
    path.mkdir()
    for number in range(COUNT):
        # Without leading zeros: the order must be that of the numbers.
        cv2.imwrite(str(path / f"frame{number * 5}.png"), picture(number)[..., ::-1])
    (path / "notes.txt").write_text("not an image")
    return path


@dataclass(frozen=True)
class BagMessage:
    """An image, or a word if there is none: topic, stamp and time of recording in nanoseconds."""

    topic: str
    image: np.ndarray | None
    stamp_ns: int
    time_ns: int
    kind: str = "raw"


def write_bag(
    path: Path, messages: Iterable[BagMessage], storage: str = "mcap", compression: str = "none"
) -> Path:
    """A bag; compression: "none", "message", "file" or "storage" (the chunks of MCAP)."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
    writer = Writer(path, version=9, storage_plugin=plugin)
    writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
    connections = {}
    with writer:
        for message in messages:
            content = _content(store, message)
            kind = content.__msgtype__
            if message.topic not in connections:
                connections[message.topic] = writer.add_connection(
                    message.topic, kind, typestore=store
                )
            data = store.serialize_cdr(content, kind)
            writer.write(connections[message.topic], message.time_ns, data)
    return path


def _content(store: Typestore, message: BagMessage) -> Any:
    if message.image is None:
        return store.types["std_msgs/msg/String"]("hello")
    time = store.types["builtin_interfaces/msg/Time"](*divmod(message.stamp_ns, 10**9))
    head = store.types["std_msgs/msg/Header"](time, "gimbal")
    bgr = np.ascontiguousarray(message.image[..., ::-1])
    if message.kind == "raw":
        height, width = bgr.shape[:2]
        return store.types["sensor_msgs/msg/Image"](
            head, height, width, "bgr8", 0, width * 3, bgr.reshape(-1)
        )
    coded = cv2.imencode(".png", bgr)[1].reshape(-1)
    return store.types["sensor_msgs/msg/CompressedImage"](head, "bgr8; png compressed bgr8", coded)


def make_bag(path: Path, storage: str = "mcap", kind: str = "raw") -> Path:
    """kind: "raw", "compressed" or "none" (a bag without images)."""
    messages = [BagMessage("/chatter", None, 0, START_NS)]
    topic = "/cam/image_raw" + ("" if kind == "raw" else "/compressed")
    for number in range(COUNT if kind != "none" else 0):
        stamp_ns = START_NS + number * 1_000_000_000 // FPS
        # Recorded late, as bags are.
        late_ns = stamp_ns + 30_000_000
        messages.append(BagMessage(topic, picture(number), stamp_ns, late_ns, kind))
    return write_bag(path, messages, storage)
