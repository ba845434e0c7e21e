# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A second decoder, written from docs/bitstream.md alone: plain loops, no numpy, no compressai.

What it reads differently from sc2_ros/codec is a fault of one of the two or of the document.
"""

import struct
import zlib

LOW = 1 << 31


class Rans:
    """A rANS stream; `words_read` counts how far the decoder went.

    `most_nibbles` is how many the longest escape had.
    """

    def __init__(self, data):
        self.words = struct.unpack(f"<{len(data) // 4}I", data)
        self.words_read = self.most_nibbles = 0
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
        self.most_nibbles = max(self.most_nibbles, length)
        raw = 0
        for place in range(length):
            raw |= self.nibble() << 4 * place
        return offset + (-(raw >> 1) - 1 if raw & 1 else escape + (raw >> 1))


def parse_complete(packet):
    """The fields of a keyframe slice."""
    layout = struct.Struct("<BBIHBBBBqI")
    first, stream, checkpoint, frame, number, grid, code, origin, time_ns, crc = layout.unpack_from(
        packet
    )
    assert first == 0x10
    assert zlib.crc32(packet[:20] + bytes(4) + packet[24:]) == crc
    return {
        "stream": stream,
        "checkpoint_id": checkpoint,
        "frame": frame,
        "slice": number,
        "rows": (grid >> 4) + 1,
        "cols": (grid & 15) + 1,
        "rate_code": code,
        "origin": (origin & 15, origin >> 4),
        "capture_time_ns": time_ns,
        "interval": 0,
        "sizes": list(struct.unpack_from("<HHHH", packet, 24)),
        "rans": packet[32:],
    }


def parse_predicted(packet):
    """The fields of a predicted slice."""
    first, stream, frame, code, place, check = struct.unpack_from("<BBHBBH", packet)
    assert first == 0x14
    assert zlib.crc32(packet[:6] + bytes(2) + packet[8:]) % 2**16 == check
    folded, at = 0, 8
    while packet[at] & 128:
        folded |= (packet[at] & 127) << 7 * (at - 8)
        at += 1
    folded |= packet[at] << 7 * (at - 8)
    assert folded < 2**64
    assert packet[at] or at == 8
    rest = packet[at + 1 :]
    fields = {"stream": stream, "frame": frame, "rate_code": code & 127}
    fields |= {"slice": 0, "rows": 1, "cols": 1, "origin": (0, 0), "motion": (0, 0, 0, 0)}
    fields["offset"] = -(folded + 1) // 2 if folded % 2 else folded // 2
    fields["distance"], fields["share"] = place % 32 + 1, place >> 6
    if code & 128:
        assert rest[1]
        fields["slice"], fields["rows"], fields["cols"] = (
            rest[0],
            (rest[1] >> 4) + 1,
            (rest[1] & 15) + 1,
        )
        rest = rest[2:]
    (fields["hash"],) = struct.unpack_from("<H", rest)
    rest = rest[2:]
    if place >> 5 & 1:
        fields["origin"] = (rest[0] & 15, rest[0] >> 4)
        fields["motion"] = struct.unpack_from("<hhbb", rest, 1)
        rest = rest[7:]
    fields["rans"] = rest
    return fields


def decode(packet, tables, references):
    """A features packet to a dictionary of its fields, with `symbols` and `coded` of its slice.

    `tables` has the arrays of a checkpoint as nested lists, CDFs without their padding, and
    `checkpoint_id`. `references` has, by number, the frames that may be predicted from, each with
    `sizes`, `origin`, `code`, `symbols`, `coded`, `time` and `interval`.
    """
    reference = None
    if packet[0] == 0x14:
        fields = parse_predicted(packet)
        reference = references[fields["frame"] - fields["distance"] & 0xFFFF]
        both = struct.pack("<II", digest(reference), tables["checkpoint_id"])
        assert fields["hash"] == zlib.crc32(both) % 2**16
        fields["sizes"] = list(reference["sizes"])
        expected = _i64(reference["time"] + fields["distance"] * reference["interval"])
        fields["capture_time_ns"] = _i64(expected + fields["offset"])
        since = _i64(fields["capture_time_ns"] - reference["time"])
        fields["interval"] = since // fields["distance"]
    else:
        fields = parse_complete(packet)
        assert fields["checkpoint_id"] == tables["checkpoint_id"]
    latent_w = (fields["origin"][0] + fields["sizes"][0] + 15) // 16
    latent_h = (fields["origin"][1] + fields["sizes"][1] + 15) // 16
    rows, cols = fields["rows"], fields["cols"]
    row, col = divmod(fields["slice"], cols)
    y0, x0 = row * latent_h // rows, col * latent_w // cols
    fields["y0"], fields["x0"] = y0, x0
    height = (row + 1) * latent_h // rows - y0
    width = (col + 1) * latent_w // cols - x0
    kind, share, predicted = "context", None, None
    if reference:
        kind, share = "skip", fields["share"]
        where = (reference, fields["motion"], latent_h, latent_w, fields["rate_code"], tables)
        predicted = [[predict(y, x, *where) for x in range(latent_w)] for y in range(latent_h)]
    known = walk(
        fields["rans"], height, width, fields["rate_code"], tables, kind, share, predicted, (y0, x0)
    )
    planes = [
        [[known[y][x][c] for x in range(width)] for y in range(height)]
        for c in range(len(known[0][0]))
    ]
    fields["symbols"] = planes[1:] if reference else planes
    fields["coded"] = planes[0] if reference else [[1] * width for _ in range(height)]
    return fields


def digest(reference):
    """The CRC-32 of a frame, of which a hash travels."""
    head = struct.pack("<HHHHBBB", *reference["sizes"], *reference["origin"], reference["code"])
    values = [value for plane in reference["symbols"] for row in plane for value in row]
    flags = bytes(one for row in reference["coded"] for one in row)
    return zlib.crc32(head + struct.pack(f"<{len(values)}b", *values) + flags)


def _i64(value):
    return (value + 2**63) % 2**64 - 2**63


def looked_at(y, x, height, width, ref_height, ref_width, motion):
    """Row and column of the reference that a position of a frame looks at, or None."""
    dx, dy, zoom, turn = motion
    across, down = 16 * x + 8 - 8 * width, 16 * y + 8 - 8 * height
    row = down + dy + (turn * across + zoom * down >> 10) + 8 * height
    col = across + dx + (zoom * across - turn * down >> 10) + 8 * width
    row, col = row // 16, col // 16
    return (row, col) if 0 <= row < ref_height and 0 <= col < ref_width else None


def predict(y, x, reference, motion, height, width, code, tables):
    """Of a position: the reference's map, the predicted symbols, and whether it is known."""
    planes = reference["symbols"]
    live = count_of(tables, "context", code)
    at = looked_at(y, x, height, width, len(planes[0]), len(planes[0][0]), motion)
    if at is None:
        return [0] * (len(planes) + 1), 0
    found = [reference["coded"][at[0]][at[1]]]
    for channel, plane in enumerate(planes):
        new, old = (round(tables["gains"][c][channel] * 4096) for c in (code, reference["code"]))
        symbol = plane[at[0]][at[1]]
        magnitude = min(abs(symbol) * ((new << 12) // old) + 2048 >> 12, 127)
        value = magnitude if symbol > 0 else -magnitude
        found.append(value if channel < live else 0)
    return found, 1


def count_of(tables, kind, code):
    """Channels that are coded at a rate code, the map included."""
    groups = zip(tables[f"{kind}_groups"], tables[f"{kind}_first_code"], strict=True)
    return sum(size for size, first in groups if first <= code)


def walk(data, height, width, code, tables, kind, share, predicted, corner):
    """The rANS bytes of a slice to known[y][x][channel]; of a predicted one, 0 is the map."""
    missing = -len(data) % 4
    data = data[: 8 - missing] + bytes(missing) + data[8 - missing :]
    stream = Rans(data) if data else None
    assert share is None or bool(data) == bool(share)
    channels = sum(tables[f"{kind}_groups"])
    known = [[[0] * channels for _ in range(width)] for _ in range(height)]
    end = 0
    for group, size in enumerate(tables[f"{kind}_groups"]):
        start, end = end, end + size
        is_map = kind == "skip" and group == 0
        if kind == "skip" and group == 1:  # the map is known
            for y in range(height):
                for x in range(width):
                    if not known[y][x][0]:
                        known[y][x][1:] = predicted[corner[0] + y][corner[1] + x][0][1:]
        if code < tables[f"{kind}_first_code"][group] or share == 0:
            continue
        for phase in (0, 1):
            decoded = []
            for y in range(height):
                for x in range((y + phase) % 2, width, 2):
                    if kind == "skip" and not is_map and not known[y][x][0]:
                        continue
                    step = (code, group, phase, tables, kind, share)
                    hidden = _hidden(known, y, x, predicted, corner, *step)
                    for channel in range(start, end):
                        where = (hidden, code, channel, phase, tables, kind)
                        found = _map_table(*where) if is_map else _symbol_table(*where)
                        if found:
                            cdf, offset, mean = found
                            value = stream.symbol(cdf, offset)
                            assert -127 <= value <= 127
                            decoded.append((y, x, channel, value + mean))
            for y, x, channel, symbol in decoded:
                assert symbol in (0, 1) if is_map else -127 <= symbol <= 127
                known[y][x][channel] = symbol
    return known


def _between(rows, code):
    """A bias at a rate code, from its values at the rate codes 0, 8, .. 64."""
    low, part = code // 8, code % 8
    return (rows[low] * (8 - part) + rows[min(low + 1, 8)] * part) // 8


def _clip(value, most):
    return min(max(value, -most), most)


def _hidden(known, y, x, predicted, corner, code, group, phase, tables, kind, share):
    """The hidden units of a position of a slice in a step."""
    units = []
    count = count_of(tables, kind, code)
    for unit, enter in enumerate(tables[f"{kind}_enter"][group][phase]):
        rows = [row[group][phase][unit] for row in tables[f"{kind}_enter_bias"]]
        total = _between(rows, code)
        if share is not None:
            total += tables["skip_share_bias"][share][group][phase][unit]
        for tap in range(9):
            row, col = y + tap // 3 - 1, x + tap % 3 - 1
            if 0 <= row < len(known) and 0 <= col < len(known[0]):
                near = [_clip(symbol, 7) for symbol in known[row][col]]
                total += sum(a * b for a, b in zip(enter[tap], near, strict=True))
            if predicted is None:
                continue
            row, col = row + corner[0], col + corner[1]
            if 0 <= row < len(predicted) and 0 <= col < len(predicted[0]):
                side = tables["skip_side"][group][phase][unit][tap]
                values, is_known = predicted[row][col]
                near = [_clip(value, 7) for value in values]
                total += sum(a * b for a, b in zip(side[:count], near[:count], strict=True))
                total += side[-1] * is_known
        units.append(_clip(max(total, 0), 1023))
    return units


def _out(hidden, code, channel, phase, what, tables, kind):
    bias = _between([row[channel][phase][what] for row in tables[f"{kind}_leave_bias"]], code)
    weights = tables[f"{kind}_leave"][channel][phase][what]
    return bias + sum(a * b for a, b in zip(weights, hidden, strict=True))


def _symbol_table(hidden, code, channel, phase, tables, kind):
    """CDF, offset and mean of a symbol, or None if it is not coded."""
    mean, spread = (_out(hidden, code, channel, phase, what, tables, kind) for what in (0, 1))
    eighths = _clip(mean + 128 >> 8, 59)
    level = min(max(5 * spread >> 11, 0), 28)
    if level == 0 and -1 <= eighths <= 1:
        return None
    row = 8 * level + (eighths + 4) % 8
    return tables[f"{kind}_cdfs"][row], tables[f"{kind}_offsets"][row], eighths + 4 >> 3


def _map_table(hidden, code, channel, phase, tables, kind):
    """The same of whether a position is coded."""
    out = _out(hidden, code, 0, phase, 0, tables, kind)
    row = 246 + min(max(out + 512 >> 10, -14), 8)
    return tables["skip_cdfs"][row], tables["skip_offsets"][row], 0
