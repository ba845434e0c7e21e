# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small recordings of every kind, made on the spot."""

from pathlib import Path

import av
import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

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


def make_bag(path: Path, storage: str = "mcap", kind: str = "raw") -> Path:
    """kind: "raw", "compressed" or "none" (a bag without images)."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
    header = store.types["std_msgs/msg/Header"]
    time = store.types["builtin_interfaces/msg/Time"]
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        chatter = writer.add_connection("/chatter", "std_msgs/msg/String", typestore=store)
        text = store.types["std_msgs/msg/String"]("hello")
        writer.write(chatter, START_NS, store.serialize_cdr(text, "std_msgs/msg/String"))
        if kind == "none":
            return path
        name = "Image" if kind == "raw" else "CompressedImage"
        msgtype = f"sensor_msgs/msg/{name}"
        topic = "/cam/image_raw" + ("" if kind == "raw" else "/compressed")
        connection = writer.add_connection(topic, msgtype, typestore=store)
        for number in range(COUNT):
            stamp_ns = START_NS + number * 1_000_000_000 // FPS
            head = header(time(stamp_ns // 10**9, stamp_ns % 10**9), "gimbal")
            bgr = np.ascontiguousarray(picture(number)[..., ::-1])
            if kind == "raw":
                message = store.types[msgtype](
                    head, HEIGHT, WIDTH, "bgr8", 0, WIDTH * 3, bgr.reshape(-1)
                )
            else:
                coded = cv2.imencode(".png", bgr)[1].reshape(-1)
                message = store.types[msgtype](head, "bgr8; png compressed bgr8", coded)
            # Recorded late, as bags are: the stamp that counts is the header's.
            data = store.serialize_cdr(message, msgtype)
            writer.write(connection, stamp_ns + 30_000_000, data)
    return path
