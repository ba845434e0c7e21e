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


def decode(packet, tables, references=None):
    """Bytes of a features packet to a dictionary with the header's fields and the symbols.

    `tables` has `groups`, `thresholds`, `index`, `cdfs` and `offsets` as nested lists, and those of
    the temporal tables. `references` has, by number, the frames that may be predicted from, each
    with `sizes`, `origin`, `code` and `symbols`.
    """
    names = "first stream checkpoint_id frame slice grid rate_code reference capture_time_ns crc"
    fields = dict(zip(names.split(), struct.unpack_from("<BBIHBBBBqI", packet), strict=True))
    assert zlib.crc32(packet[:20] + bytes(4) + packet[24:]) == fields["crc"]
    assert fields["first"] in (0x10, 0x20)
    fields["origin"] = (0, 0)
    reference = None
    if fields["reference"]:
        assert fields["first"] == 0x20
        reference = references[fields["frame"] - fields["reference"] & 0xFFFF]
        encoded_w, encoded_h, source_w, source_h = reference["sizes"]
        fields["origin"] = _origin(packet[24])
        motion = struct.unpack_from("<hhbb", packet, 25)
        assert struct.unpack_from("<I", packet, 31)[0] == digest(reference)
        data = packet[35:]
    else:
        encoded_w, encoded_h, source_w, source_h = struct.unpack_from("<HHHH", packet, 24)
        data = packet[32:]
        if fields["first"] == 0x20:
            fields["origin"], data = _origin(data[0]), data[1:]
    fields["encoded_size"] = (encoded_w, encoded_h)
    fields["source_size"] = (source_w, source_h)

    latent_w = (fields["origin"][0] + encoded_w + 15) // 16
    latent_h = (fields["origin"][1] + encoded_h + 15) // 16
    rows, cols = (fields["grid"] >> 4) + 1, (fields["grid"] & 15) + 1
    row, col = divmod(fields["slice"], cols)
    fields["y0"], fields["x0"] = row * latent_h // rows, col * latent_w // cols
    height = (row + 1) * latent_h // rows - fields["y0"]
    width = (col + 1) * latent_w // cols - fields["x0"]
    predict = None
    if reference:
        predicted = predict_frame(
            reference, motion, latent_h, latent_w, fields["rate_code"], tables
        )
        predict = (predicted, fields["y0"], fields["x0"])
    fields["symbols"] = slice_symbols(data, height, width, fields["rate_code"], tables, predict)
    return fields


def _origin(byte):
    assert byte < 16
    return (byte & 3) * 4, (byte >> 2) * 4


def digest(reference):
    """The hash of a frame: `sizes`, `origin`, `code`, `symbols` [channel][y][x]."""
    head = struct.pack("<HHHHBBB", *reference["sizes"], *reference["origin"], reference["code"])
    values = [value for plane in reference["symbols"] for row in plane for value in row]
    return zlib.crc32(head + struct.pack(f"<{len(values)}b", *values))


def predict_frame(reference, motion, height, width, code, tables):
    """Predicted symbols [channel][y][x] (None: not known) and the activity class [y][x]."""
    dx, dy, zoom, turn = motion
    symbols = reference["symbols"]
    gains = tables["temporal_gains"]
    predicted = [[[None] * width for _ in range(height)] for _ in symbols]
    active = [[0] * width for _ in range(height)]
    for y in range(height):
        for x in range(width):
            across, down = 16 * x + 8 - 8 * width, 16 * y + 8 - 8 * height
            px = across + dx + (zoom * across - turn * down >> 10) + 8 * width
            py = down + dy + (turn * across + zoom * down >> 10) + 8 * height
            row, col = py // 16, px // 16
            if not (0 <= row < len(symbols[0]) and 0 <= col < len(symbols[0][0])):
                continue
            for channel, plane in enumerate(symbols):
                ratio = (gains[code][channel] << 12) // gains[reference["code"]][channel]
                magnitude = min(abs(plane[row][col]) * ratio + 2048 >> 12, 3)
                predicted[channel][y][x] = magnitude if plane[row][col] > 0 else -magnitude
                active[y][x] += magnitude
    classes = [[0] * width for _ in range(height)]
    for y in range(height):
        for x in range(width):
            total = sum(sum(row[max(x - 1, 0) : x + 2]) for row in active[max(y - 1, 0) : y + 2])
            classes[y][x] = sum(limit <= total for limit in tables["temporal_activity"])
    return predicted, classes


def _temporal_table(tables, code, channel, own, predicted, around):
    """The CDF and offset of one symbol of a predicted slice, or None if it is skipped."""
    levels, index = tables["temporal_levels"], tables["temporal_index"]
    classes = len(tables["temporal_activity"]) + 1
    if predicted is None:
        context = (max(levels) + 1) * classes * 7 + own
    else:
        context = (levels[own] * classes + around) * 7 + predicted + 3
    row = (2 * code * (len(index) - 1) + 64) // 128
    number = index[row][context][channel]
    if not number:
        return None
    return tables["temporal_cdfs"][number - 1], tables["temporal_offsets"][number - 1]


def _intra_table(tables, code, channel, own):
    number = tables["index"][code][own][channel]
    return (tables["cdfs"][number - 1], tables["offsets"][number - 1]) if number else None


def slice_symbols(data, height, width, code, tables, predict=None):
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
                    own = context[y][x]
                    if predict is None:
                        table = _intra_table(tables, code, channel, own)
                    else:
                        (predicted, classes), y0, x0 = predict
                        value = predicted[channel][y0 + y][x0 + x]
                        around = classes[y0 + y][x0 + x]
                        table = _temporal_table(tables, code, channel, own, value, around)
                    if table:
                        plane[y][x] = stream.symbol(*table)
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
