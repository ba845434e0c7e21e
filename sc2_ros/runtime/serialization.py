# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages to bytes and back, whichever runtime they are of."""

import struct
from typing import Any

from .messages import Message, from_cdr, to_cdr


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


def message_of(cdr: bytes, cls: type) -> Any:
    """The message in the bytes that a subscription with `raw=True` is given."""
    if issubclass(cls, Message):
        return from_cdr(cdr, cls)
    from rclpy.serialization import deserialize_message

    return deserialize_message(cdr, cls)


def header_of(cdr: bytes) -> tuple[int, str]:
    """Stamp in nanoseconds and frame_id of a message that begins with a std_msgs/Header.

    Raises:
        ValueError: the bytes end before the header does.
    """
    order = "<" if cdr[1:2] != b"\0" else ">"
    try:
        sec, nanosec, length = struct.unpack_from(f"{order}iII", cdr, 4)
        (text,) = struct.unpack_from(f"{length}s", cdr, 16)
    except struct.error as error:
        raise ValueError(f"a message of {len(cdr)} bytes without a whole header") from error
    return sec * 1_000_000_000 + nanosec, text.rstrip(b"\0").decode(errors="replace")
