# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network without our codec, on images as an image codec gives them back."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from sc2_ros.codec.wire import MAX_PACKET_BYTES
from sc2_ros.errors import InputError, PacketError
from sc2_ros.evaluation.systems.image_codecs import ImageCodec
from sc2_ros.evaluation.systems.image_network import ImageNetwork
from sc2_ros.evaluation.systems.system import Outputs

_PIECE = struct.Struct("<HH")  # number of the piece, number of pieces


class ImageSystem:
    """Sends the image instead of features.

    ::

        image -> codec -> file -> pieces of 1,200 bytes -> file -> codec -> image -> network

    A piece has four bytes of numbers before it (0.3 %), the least that lets the ground put a file
    together; our own packets carry 24. Losses are not simulated: a file with a hole is no image.
    """

    lossy = False

    def __init__(self, network: ImageNetwork, codec: ImageCodec) -> None:
        """network: what looks at the decoded image."""
        self.name, _, self.setting = codec.name.partition(":")
        self.sequential = codec.sequential
        self.detection_classes = network.detection_classes
        self.mask_classes = network.mask_classes
        self.image_classes = network.image_classes
        self._codec, self._network = codec, network

    def encode(self, image: NDArray[np.uint8]) -> list[bytes]:
        """The file in pieces."""
        return pieces(self._codec.encode(image))

    def decode(self, packets: Sequence[bytes]) -> Outputs:
        """Look at the decoded image; nothing where it cannot be decoded."""
        try:
            image = self._codec.decode(whole(packets))
        except (PacketError, InputError, UnidentifiedImageError, OSError):
            return Outputs()
        return self._network(image)

    def follow(self, packets: Sequence[bytes]) -> None:
        """Decode a frame for the sake of those that are predicted from it; the network rests."""
        self._codec.decode(whole(packets))


def pieces(data: bytes) -> list[bytes]:
    """Cut a file into packets of at most 1,200 bytes."""
    room = MAX_PACKET_BYTES - _PIECE.size
    count = max(1, -(-len(data) // room))
    if count > 0xFFFF:
        raise PacketError(f"file of {len(data)} bytes; at most {0xFFFF * room} can be sent")
    return [
        _PIECE.pack(number, count) + data[number * room : (number + 1) * room]
        for number in range(count)
    ]


def whole(packets: Sequence[bytes]) -> bytes:
    """Put the pieces together, in any order. Raises PacketError where one is missing."""
    found: dict[int, bytes] = {}
    count = 0
    for packet in packets:
        if len(packet) < _PIECE.size:
            raise PacketError(f"piece of {len(packet)} bytes")
        number, count = _PIECE.unpack_from(packet)
        found[number] = packet[_PIECE.size :]
    if not count or sorted(found) != list(range(count)):
        raise PacketError(f"{len(found)} of {count} pieces of a file")
    return b"".join(found[number] for number in range(count))
