# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages to bytes and back, whichever runtime they are of."""

import struct
from types import SimpleNamespace
from typing import Any

from .messages import Message, from_cdr, to_cdr

Cdr = bytes | memoryview
"""The bytes of a message; a `memoryview` where they are DDS's own (samples.py)."""


def type_name(cls: type) -> str:
    """Name such as std_msgs/msg/String of a message class of rclpy or of this package."""
    if issubclass(cls, Message):
        return cls.__msgtype__
    package, kind, *_ = cls.__module__.split(".")
    return f"{package}/{kind}/{cls.__name__}"


def type_and_cdr(message: Any) -> tuple[str, bytes]:
    """Type name and CDR of a message of rclpy or of this package."""
    if isinstance(message, Message):
        return message.__msgtype__, to_cdr(message)
    from rclpy.serialization import serialize_message

    return type_name(type(message)), serialize_message(message)


def message_of(cdr: Cdr, cls: type) -> Any:
    """The message in the bytes that a subscription with `raw=True` is given."""
    if issubclass(cls, Message):
        return from_cdr(cdr, cls)
    from rclpy.serialization import deserialize_message

    return deserialize_message(bytes(cdr), cls)


def header_of(cdr: Cdr) -> tuple[int, str]:
    """Stamp in nanoseconds and frame_id of a message that begins with a std_msgs/Header.

    Raises:
        ValueError: the bytes end before the header does.
    """
    try:
        stamp, frame_id = _header(_Fields(cdr))
    except struct.error as error:
        raise ValueError(f"a message of {len(cdr)} bytes without a whole header") from error
    return stamp.sec * 1_000_000_000 + stamp.nanosec, frame_id


def image_of(cdr: Cdr, *, compressed: bool) -> Any:
    """The fields of a sensor_msgs/Image or CompressedImage; `data` stays where it is.

    Both runtimes would copy the pixels, the one twice and the other three times.

    Raises:
        ValueError: the bytes are not such a message.
    """
    fields = _Fields(cdr)
    try:
        stamp, frame_id = _header(fields)
        message = SimpleNamespace(header=SimpleNamespace(stamp=stamp, frame_id=frame_id))
        if compressed:
            message.format = fields.text()
        else:
            message.height, message.width = fields.number("I"), fields.number("I")
            message.encoding = fields.text()
            message.is_bigendian, message.step = fields.number("B"), fields.number("I")
        message.data = fields.octets()
    except struct.error as error:
        raise ValueError(str(error)) from error
    return message


def _header(fields: "_Fields") -> tuple[SimpleNamespace, str]:
    stamp = SimpleNamespace(sec=fields.number("i"), nanosec=fields.number("I"))
    return stamp, fields.text()


class _Fields:
    """Reads the fields of a message in their order; each raises struct.error where bytes end."""

    def __init__(self, cdr: Cdr) -> None:
        self._bytes = memoryview(cdr)[4:]
        self._order = ">" if bytes(cdr[1:2]) == b"\0" else "<"
        self._at = 0

    def number(self, kind: str) -> int:
        """An integer of a format of the struct module, at a multiple of its size."""
        size = struct.calcsize(f"={kind}")
        self._at += -self._at % size
        (value,) = struct.unpack_from(self._order + kind, self._bytes, self._at)
        self._at += size
        return int(value)

    def octets(self) -> memoryview:
        """A sequence of bytes."""
        length = self.number("I")
        found = self._bytes[self._at : self._at + length]
        if len(found) < length:
            raise struct.error(f"{length} bytes are announced, {len(found)} are there")
        self._at += length
        return found

    def text(self) -> str:
        """A string."""
        return bytes(self.octets()).rstrip(b"\0").decode(errors="replace")
