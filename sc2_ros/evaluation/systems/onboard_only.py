# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The honest alternative to splitting: all of a network flies, and only its answers are sent.

::

    image -> network -> boxes above a score, mask -> message -> packets -> message -> the same
             [------------------- drone --------------------]            [------ ground ------]

The message: boxes, by column, as u16 left, top, width, height in quarter pixels, u8 score, u8 class
(ten bytes a box), deflated where that helps; behind them the category of the whole image as u16, of
a network that has one; then the mask as a PNG of four bits a pixel; numbers are little endian, and
all of it is in our packets with their headers.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from sc2_ros.codec.wire import Geometry
from sc2_ros.errors import PacketError
from sc2_ros.evaluation.systems import chunks
from sc2_ros.evaluation.systems.image_network import ImageNetwork
from sc2_ros.evaluation.systems.system import Outputs

# Boxes below it are not sent: they would cost bytes and add next to nothing to AP.
SENT_SCORE = 0.05
_BOX_BYTES = 10
_CATEGORY_BYTES = 2
_QUARTER = 4.0


class OnboardOnly:
    """A whole network on the drone."""

    name = "onboard-only"

    def __init__(self, network: ImageNetwork, setting: str = "", score: float = SENT_SCORE) -> None:
        """network: what flies; setting: its name in tables; score: of the weakest box sent."""
        self.setting = setting
        self.detection_classes = network.detection_classes
        self.mask_classes = network.mask_classes
        self.image_classes = network.image_classes
        self._network, self._score = network, score
        self._frame = 0

    def encode(self, image: NDArray[np.uint8]) -> list[bytes]:
        """Run the network, pack what it says."""
        height, width = image.shape[:2]
        self._frame += 1
        message = pack(self._network(image), self._score)
        geometry = Geometry((width, height), (width, height))
        return chunks.split(message, geometry, frame=self._frame)

    def decode(self, packets: Sequence[bytes]) -> Outputs:
        """Unpack; nothing where a packet is missing."""
        try:
            message, _ = chunks.join(packets)
            return unpack(message)
        except PacketError:
            return Outputs()


def pack(found: Outputs, score: float = SENT_SCORE) -> bytes:
    """Answers to a message; boxes are rounded to quarter pixels, scores to 1/255."""
    kept = found.scores >= score
    boxes = found.boxes[kept]
    edges = np.concatenate((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), 1) * _QUARTER
    edges = np.rint(edges).clip(0, 0xFFFF).astype("<u2")
    # High and low bytes apart: the high ones of widths and heights are nearly always zero.
    columns = edges.T.copy().view(np.uint8).reshape(4, -1, 2).transpose(0, 2, 1)
    scores = np.rint(found.scores[kept] * 255).astype(np.uint8)
    raw = columns.tobytes() + scores.tobytes() + found.labels[kept].astype(np.uint8).tobytes()
    deflated = zlib.compress(raw, 9)
    boxes_part = min((b"\0" + raw, b"\1" + deflated), key=len)
    number = found.category
    category = b"" if number is None else number.to_bytes(_CATEGORY_BYTES, "little")
    return chunks.pack_strings([boxes_part, category, _pack_mask(found.mask)])


def unpack(message: bytes) -> Outputs:
    """The inverse of `pack`. Raises PacketError where the message is damaged."""
    boxes_part, category, mask = chunks.unpack_strings(message, 3)
    try:
        raw = zlib.decompress(boxes_part[1:]) if boxes_part[:1] == b"\1" else boxes_part[1:]
        picture = _unpack_mask(mask)
    except (zlib.error, UnidentifiedImageError, OSError) as error:
        raise PacketError(f"message of {len(message)} bytes is damaged ({error})") from error
    if len(raw) % _BOX_BYTES:
        raise PacketError(f"{len(raw)} bytes of boxes; each has {_BOX_BYTES}")
    if len(category) not in (0, _CATEGORY_BYTES):
        raise PacketError(f"{len(category)} bytes of a category; it has {_CATEGORY_BYTES}")
    count = len(raw) // _BOX_BYTES
    columns = np.frombuffer(raw, np.uint8).reshape(_BOX_BYTES, count)
    edges = columns[:8].reshape(4, 2, count).transpose(0, 2, 1).copy().view("<u2")[..., 0]
    left_top, size = edges[:2].T / _QUARTER, edges[2:].T / _QUARTER
    return Outputs(
        np.concatenate((left_top, left_top + size), 1).astype(np.float32),
        (columns[8] / 255).astype(np.float32),
        columns[9].astype(np.int64),
        picture,
        int.from_bytes(category, "little") if category else None,
    )


def _pack_mask(mask: NDArray[np.uint8] | None) -> bytes:
    if mask is None:
        return b""
    picture = Image.fromarray(mask).convert("P") if mask.max(initial=0) < 16 else None
    buffer = io.BytesIO()
    if picture is None:
        Image.fromarray(mask).save(buffer, "PNG", optimize=True)
    else:
        picture.putdata(mask.ravel().tolist())
        picture.putpalette(bytes(3 * 16))
        picture.save(buffer, "PNG", optimize=True, bits=4)
    return buffer.getvalue()


def _unpack_mask(data: bytes) -> NDArray[np.uint8] | None:
    return np.asarray(Image.open(io.BytesIO(data))).astype(np.uint8) if data else None
