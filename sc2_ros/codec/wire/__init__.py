# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packets to bytes and back: headers, checks, capture times, repair packets; no latents."""

from sc2_ros.codec.wire.capture_time import CaptureTimes, Stamp
from sc2_ros.codec.wire.header import (
    HEADER_BYTES,
    MAX_PACKET_BYTES,
    RATE_CODES,
    Header,
    PacketId,
    PacketType,
)
from sc2_ros.codec.wire.packet import (
    MAX_ENCODED_SIDE,
    MAX_SOURCE_SIDE,
    Geometry,
    Packet,
    build,
    build_stream_info,
    coded_bytes,
    most_source_pixels,
    parse,
    parse_stream_info,
)
from sc2_ros.codec.wire.predicted import Motion, PredictedPacket

__all__ = [
    "HEADER_BYTES",
    "MAX_ENCODED_SIDE",
    "MAX_PACKET_BYTES",
    "MAX_SOURCE_SIDE",
    "RATE_CODES",
    "CaptureTimes",
    "Geometry",
    "Header",
    "Motion",
    "Packet",
    "PacketId",
    "PacketType",
    "PredictedPacket",
    "Stamp",
    "build",
    "build_stream_info",
    "coded_bytes",
    "most_source_pixels",
    "parse",
    "parse_stream_info",
]
