# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages to bytes, whichever runtime they are of."""

from typing import Any

from .messages import Message, to_cdr


def type_and_cdr(message: Any) -> tuple[str, bytes]:
    """Type name such as std_msgs/msg/String, and CDR, of a message of rclpy or of this package."""
    if isinstance(message, Message):
        return message.__msgtype__, to_cdr(message)
    from rclpy.serialization import serialize_message

    package, kind, *_ = type(message).__module__.split(".")
    return f"{package}/{kind}/{type(message).__name__}", serialize_message(message)
