# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a packet claims of itself, read before any of its symbols is decoded."""

from __future__ import annotations

from sc2_ros.codec import wire
from sc2_ros.codec.frame.decoder import PacketDecoder
from sc2_ros.codec.frame.reference import ReferenceWindow
from sc2_ros.codec.wire.packet import most_source_pixels, parse_geometry
from sc2_ros.errors import MissingReferenceError, PacketError
from sc2_ros.link.continuity import Place, Sizes

INFO_PART = 1 << 16


def place_of(
    packet: wire.Packet | wire.PredictedPacket,
    decoder: PacketDecoder,
    references: ReferenceWindow | None,
) -> Place:
    """Where in its stream a packet says that it belongs, and of which sizes.

    Raises:
        PacketError: a keyframe slice without sizes, or with sizes that no format allows.
    """
    header = packet.header
    if isinstance(packet, wire.PredictedPacket):
        try:
            packet = decoder.resolve(packet, references)
        except MissingReferenceError:
            return Place(header.frame, None, None, header.number)
    sizes = None
    if header.type is wire.PacketType.FEATURES and packet.head is None:
        geometry = parse_geometry(packet.payload, packet.header.origin)
        sizes = (geometry.encoded_size, geometry.source_size)
    part = INFO_PART if header.type is wire.PacketType.STREAM_INFO else header.number
    return Place(header.frame, packet.header.capture_time_ns, sizes, part)


def check_sizes(sizes: Sizes | None, max_pixels: int) -> None:
    """Refuse frames that would make the networks or the mask large.

    Raises:
        PacketError: the picture has more than `max_pixels`, or the image more than 64 times as
            many as the picture and than 4 million.
    """
    if sizes is None:
        return
    (width, height), (source_width, source_height) = sizes
    if width * height > max_pixels:
        raise PacketError(
            f"frame of {width}x{height} pixels, more than the {max_pixels} of max_pixels; raise it "
            "if the drone does send such frames"
        )
    most = most_source_pixels((width, height))
    if source_width * source_height > most:
        raise PacketError(
            f"frame of {width}x{height} of an image of {source_width}x{source_height}: at most "
            f"{most} pixels are taken; set a larger frame.size on the drone"
        )
