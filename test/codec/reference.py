# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A second decoder, written from docs/bitstream.md alone: plain loops, no numpy, no compressai.

What it reads differently from sc2_ros/codec is a fault of one of the two or of the document.
"""

import struct
import zlib

LOW = 1 << 31


class Rans:
    """A rANS stream; `words_read` counts how far the decoder went."""

    def __init__(self, data):
        self.words = struct.unpack(f"<{len(data) // 4}I", data)
        self.words_read = 0
        low, high = self._word(), self._word()
        self.state = high << 32 | low

    def _word(self):
        place = self.words_read
        self.words_read += 1
        return self.words[place] if place < len(self.words) else 0

    def _renormalise(self):
        if self.state < LOW:
            self.state = (self.state << 32 | self._word()) & (2**64 - 1)

    def nibble(self):
        value = self.state & 15
        self.state >>= 4
        self._renormalise()
        return value

    def symbol(self, cdf, offset):
        slot = self.state & 0xFFFF
        entry = 0
        while cdf[entry + 1] <= slot:
            entry += 1
        self.state = (cdf[entry + 1] - cdf[entry]) * (self.state >> 16) + slot - cdf[entry]
        self.state &= 2**64 - 1
        self._renormalise()
        escape = len(cdf) - 2
        if entry < escape:
            return offset + entry
        length = part = self.nibble()
        while part == 15:
            part = self.nibble()
            length += part
        raw = 0
        for place in range(length):
            raw |= self.nibble() << 4 * place
        return offset + (-(raw >> 1) - 1 if raw & 1 else escape + (raw >> 1))


def decode(packet, tables):
    """Bytes of a features packet to a dictionary with the header's fields and the symbols.

    `tables` has `groups`, `thresholds`, `index`, `cdfs` and `offsets` as nested lists.
    """
    names = "first stream checkpoint_id frame slice grid rate_code reference capture_time_ns crc"
    fields = dict(zip(names.split(), struct.unpack_from("<BBIHBBBBqI", packet), strict=True))
    assert zlib.crc32(packet[:20] + bytes(4) + packet[24:]) == fields["crc"]
    assert fields["first"] == 0x10
    encoded_w, encoded_h, source_w, source_h = struct.unpack_from("<HHHH", packet, 24)
    fields["encoded_size"] = (encoded_w, encoded_h)
    fields["source_size"] = (source_w, source_h)

    latent_h, latent_w = (encoded_h + 15) // 16, (encoded_w + 15) // 16
    rows, cols = (fields["grid"] >> 4) + 1, (fields["grid"] & 15) + 1
    row, col = divmod(fields["slice"], cols)
    fields["y0"], fields["x0"] = row * latent_h // rows, col * latent_w // cols
    height = (row + 1) * latent_h // rows - fields["y0"]
    width = (col + 1) * latent_w // cols - fields["x0"]
    fields["symbols"] = slice_symbols(packet[32:], height, width, fields["rate_code"], tables)
    return fields


def slice_symbols(data, height, width, code, tables):
    """The rANS bytes of a slice to symbols[channel][y][x]."""
    stream = Rans(data) if data else None
    symbols = []
    for group, size in enumerate(tables["groups"]):
        start = len(symbols)
        context = [
            [_context(symbols, y, x, tables["thresholds"][group], group) for x in range(width)]
            for y in range(height)
        ]
        for channel in range(start, start + size):
            plane = [[0] * width for _ in range(height)]
            for y in range(height):
                for x in range(width):
                    table = tables["index"][code][context[y][x]][channel]
                    if table:
                        cdf = tables["cdfs"][table - 1]
                        plane[y][x] = stream.symbol(cdf, tables["offsets"][table - 1])
            symbols.append(plane)
    return symbols


def _context(symbols, y, x, thresholds, group):
    if group == 0:
        return 0
    total = 0
    for plane in symbols:
        for row in plane[max(y - 1, 0) : y + 2]:
            total += sum(min(abs(symbol), 3) for symbol in row[max(x - 1, 0) : x + 2])
    return sum(threshold <= total for threshold in thresholds)
