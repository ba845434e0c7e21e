# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bag holds; of feature streams, what they cost and which checkpoint they need."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sc2_ros.codec.wire import CaptureTimes, Packet, PacketType, parse
from sc2_ros.errors import PacketError
from sc2_ros.media.bag import open_bag, read_messages

PACKETS = "std_msgs/msg/UInt8MultiArray"


@dataclass
class FeatureStream:
    """The packets of one topic."""

    packets: int = 0
    size_bytes: int = 0
    frames: set[tuple[int, int, int | None]] = field(default_factory=set)
    """(stream, number, stamp) of every frame; None: recorded without what its stamp builds on."""
    checkpoints: set[int] = field(default_factory=set)
    first_s: float = float("inf")
    last_s: float = float("-inf")
    times: CaptureTimes = field(default_factory=CaptureTimes)

    def add(self, data: bytes, time_s: float) -> bool:
        """Count a message; False if it is not one of our feature or stream info packets."""
        try:
            packet = parse(data)
        except PacketError:
            return False
        header = packet.header
        if header.type is PacketType.FEEDBACK:
            return False
        self.packets += 1
        self.size_bytes += len(data)
        if isinstance(packet, Packet):
            self.checkpoints.add(packet.header.checkpoint_id)
        timed = self.times.resolve(packet)
        if header.type is PacketType.FEATURES:
            stamp_ns = None if timed is None else timed.capture_time_ns
            self.frames.add((header.stream, header.frame, stamp_ns))
        self.first_s, self.last_s = min(self.first_s, time_s), max(self.last_s, time_s)
        return True

    def describe(self) -> str:
        """Frames, bytes per frame, rate and checkpoint in one line."""
        frames = max(len(self.frames), 1)
        checkpoints = ", ".join(f"{number:08x}" for number in sorted(self.checkpoints))
        kbps = self.size_bytes * 8e-3 / max(self.last_s - self.first_s, 1e-3)
        return (
            f"{len(self.frames)} frames in {self.packets} packets, "
            f"{self.size_bytes / frames:,.0f} bytes/frame, {kbps:,.0f} kbit/s, "
            f"checkpoint {checkpoints}"
        )


def print_bag(console: Console, path: Path) -> None:
    """Print the topics of a bag and its feature streams.

    Raises:
        InputError: it cannot be read.
    """
    with open_bag(path) as reader:
        seconds = max(reader.end_time - reader.start_time, 0) / 1e9 if reader.message_count else 0
        # A file name may hold brackets, which are no markup.
        told = f"{path}: {reader.message_count} messages in {seconds:.1f} s"
        console.print(told, soft_wrap=True, markup=False)
        if reader.note:
            console.print(reader.note, soft_wrap=True, markup=False)
        table = Table(box=None, padding=(0, 2, 0, 0))
        for heading in ("topic", "type", "messages"):
            table.add_column(heading, justify="right" if heading == "messages" else "left")
        for name, topic in sorted(reader.topics.items()):
            table.add_row(name, topic.msgtype or "several", str(topic.msgcount))
        console.print(table)
        for name, stream in sorted(feature_streams(reader, path).items()):
            console.print(f"features on {name}: {stream.describe()}", soft_wrap=True)


def feature_streams(reader: Any, path: Path) -> dict[str, FeatureStream]:
    """The topics of an open bag that carry our packets."""
    connections = [c for c in reader.connections if c.msgtype == PACKETS]
    streams: dict[str, FeatureStream] = {}
    for connection, time_ns, message in read_messages(reader, path, connections):
        stream = streams.setdefault(connection.topic, FeatureStream())
        stream.add(bytes(message.data), time_ns / 1e9)
    return {name: stream for name, stream in streams.items() if stream.packets}
