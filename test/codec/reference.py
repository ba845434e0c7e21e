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

    `tables` has the arrays of a checkpoint as nested lists, the rows of all CDFs without their
    padding. `references` has, by number, the frames that may be predicted from, each with `sizes`,
    `origin`, `code` and `symbols`, and from version 4 on `told`, `time` and `interval`, which the
    result has as well.
    """
    fields, payload = _compact_header(packet) if packet[0] == 0x44 else _header(packet)
    fields["origin"] = (0, 0)
    reference, motion = None, (0, 0, 0, 0)
    if fields["reference"]:
        reference = references[fields["frame"] - fields["reference"] & 0xFFFF]
        encoded_w, encoded_h, source_w, source_h = reference["sizes"]
        if fields["first"] == 0x34:
            (word,) = struct.unpack_from("<I", payload)
            both = struct.pack("<II", digest(reference), tables["checkpoint_id"])
            assert word % 2**30 == zlib.crc32(both) % 2**30
            data = payload[4:]
            if word >> 30 & 1:
                fields["origin"], data = (data[0] & 15, data[0] >> 4), data[1:]
            if word >> 31:
                motion, data = struct.unpack_from("<hhbb", data), data[6:]
        elif fields["first"] == 0x44:
            (short,) = struct.unpack_from("<H", payload)
            both = struct.pack("<II", digest(reference), tables["checkpoint_id"])
            assert short == zlib.crc32(both) % 2**16
            data = payload[2:]
            if fields["head_bits"] & 1:
                fields["origin"] = (data[0] & 15, data[0] >> 4)
                motion, data = struct.unpack_from("<hhbb", data, 1), data[7:]
            _tell_time(fields, reference)
        else:
            assert fields["first"] == 0x20
            fields["origin"] = _origin(payload[0])
            motion = struct.unpack_from("<hhbb", payload, 1)
            assert struct.unpack_from("<I", payload, 7)[0] == digest(reference)
            data = payload[11:]
    else:
        encoded_w, encoded_h, source_w, source_h = struct.unpack_from("<HHHH", payload)
        data = payload[8:]
        if fields["first"] == 0x20:
            fields["origin"], data = _origin(data[0]), data[1:]
        elif fields["first"] in (0x30, 0x40):
            fields["origin"], data = (data[0] & 15, data[0] >> 4), data[1:]
    fields["encoded_size"] = (encoded_w, encoded_h)
    fields["source_size"] = (source_w, source_h)

    latent_w = (fields["origin"][0] + encoded_w + 15) // 16
    latent_h = (fields["origin"][1] + encoded_h + 15) // 16
    rows, cols = (fields["grid"] >> 4) + 1, (fields["grid"] & 15) + 1
    row, col = divmod(fields["slice"], cols)
    fields["y0"], fields["x0"] = row * latent_h // rows, col * latent_w // cols
    height = (row + 1) * latent_h // rows - fields["y0"]
    width = (col + 1) * latent_w // cols - fields["x0"]
    code, place = fields["rate_code"], (fields["y0"], fields["x0"])
    if fields["first"] >= 0x30:
        data = data[: 8 - -len(data) % 4] + bytes(-len(data) % 4) + data[8 - -len(data) % 4 :]
        if fields["first"] == 0x44:
            moved = (reference, motion, latent_h, latent_w, code, tables)
            share = fields["head_bits"] >> 1
            fields["symbols"], fields["told"] = skipped_symbols(
                data, height, width, code, share, tables, moved, place
            )
            return fields
        if fields["first"] == 0x40:
            fields["told"] = [[1] * width for _ in range(height)]
        said = None
        if reference:
            said = said_of_frame(reference, motion, latent_h, latent_w, code, tables)
        fields["symbols"] = learned_symbols(data, height, width, code, tables, said, place)
        return fields
    predict = None
    if reference:
        predicted = predict_frame(reference, motion, latent_h, latent_w, code, tables)
        predict = (predicted, *place)
    fields["symbols"] = slice_symbols(data, height, width, code, tables, predict)
    return fields


def _header(packet):
    """The fields of a header, long or short, and the payload."""
    if packet[0] == 0x34:
        names, layout, crc_at = "first stream frame rate_code reference", "<BBHBBqI", 14
    else:
        names = "first stream checkpoint_id frame slice grid rate_code reference"
        layout, crc_at = "<BBIHBBBBqI", 20
    values = struct.unpack_from(layout, packet)
    fields = dict(zip([*names.split(), "capture_time_ns", "crc"], values, strict=True))
    assert zlib.crc32(packet[:crc_at] + bytes(4) + packet[crc_at + 4 :]) == fields["crc"]
    assert fields["first"] in (0x10, 0x20, 0x30, 0x34, 0x40)
    assert fields["first"] != 0x40 or not fields["reference"]
    fields["interval"] = 0
    payload = packet[crc_at + 4 :]
    if fields["first"] == 0x34:
        fields["slice"] = fields["grid"] = 0
        if fields["rate_code"] & 128:
            fields["rate_code"] &= 127
            (fields["slice"], fields["grid"]), payload = payload[:2], payload[2:]
    return fields, payload


def _compact_header(packet):
    """The same of a compact one; the capture time is what it differs by from the expected one."""
    names = ("first", "stream", "frame", "rate_code", "reference", "check")
    fields = dict(zip(names, struct.unpack_from("<BBHBBH", packet), strict=True))
    assert zlib.crc32(packet[:6] + bytes(2) + packet[8:]) % 2**16 == fields["check"]
    fields["head_bits"], fields["reference"] = (
        fields["reference"] >> 5,
        fields["reference"] % 32 + 1,
    )
    folded, at = 0, 8
    while packet[at] & 128:
        folded |= (packet[at] & 127) << 7 * (at - 8)
        at += 1
    folded |= packet[at] << 7 * (at - 8)
    assert folded < 2**64
    assert packet[at] or at == 8
    fields["difference"] = -(folded + 1) // 2 if folded % 2 else folded // 2
    payload = packet[at + 1 :]
    fields["slice"] = fields["grid"] = 0
    if fields["rate_code"] & 128:
        fields["rate_code"] &= 127
        (fields["slice"], fields["grid"]), payload = payload[:2], payload[2:]
        assert fields["grid"]
    return fields, payload


def _tell_time(fields, reference):
    """The capture time and the interval of a predicted frame of version 4."""
    expected = _i64(reference["time"] + fields["reference"] * reference["interval"])
    fields["capture_time_ns"] = _i64(expected + fields["difference"])
    since = _i64(fields["capture_time_ns"] - reference["time"])
    fields["interval"] = since // fields["reference"]


def _i64(value):
    return (value + 2**63) % 2**64 - 2**63


def _origin(byte):
    assert byte < 16
    return (byte & 3) * 4, (byte >> 2) * 4


def digest(reference):
    """The hash of a frame: `sizes`, `origin`, `code`, `symbols` [channel][y][x], `told` [y][x]."""
    head = struct.pack("<HHHHBBB", *reference["sizes"], *reference["origin"], reference["code"])
    values = [value for plane in reference["symbols"] for row in plane for value in row]
    data = head + struct.pack(f"<{len(values)}b", *values)
    if reference.get("told"):
        data += bytes(one for row in reference["told"] for one in row)
    return zlib.crc32(data)


def _looked_at(y, x, height, width, reference, motion):
    """Row and column of the reference that a position of a frame looks at, or None."""
    dx, dy, zoom, turn = motion
    across, down = 16 * x + 8 - 8 * width, 16 * y + 8 - 8 * height
    row = down + dy + (turn * across + zoom * down >> 10) + 8 * height
    col = across + dx + (zoom * across - turn * down >> 10) + 8 * width
    row, col = row // 16, col // 16
    plane = reference["symbols"][0]
    return (row, col) if 0 <= row < len(plane) and 0 <= col < len(plane[0]) else None


def _scaled(symbol, channel, code, reference, gains, most):
    """A symbol of the reference at the frame's rate code."""
    ratio = (gains[code][channel] << 12) // gains[reference["code"]][channel]
    magnitude = min(abs(symbol) * ratio + 2048 >> 12, most)
    return magnitude if symbol > 0 else -magnitude


def predict_frame(reference, motion, height, width, code, tables):
    """Predicted symbols [channel][y][x] (None: not known) and the activity class [y][x]."""
    symbols = reference["symbols"]
    predicted = [[[None] * width for _ in range(height)] for _ in symbols]
    active = [[0] * width for _ in range(height)]
    for y in range(height):
        for x in range(width):
            at = _looked_at(y, x, height, width, reference, motion)
            if at is None:
                continue
            for channel, plane in enumerate(symbols):
                gains = tables["temporal_gains"]
                value = _scaled(plane[at[0]][at[1]], channel, code, reference, gains, 3)
                predicted[channel][y][x] = value
                active[y][x] += abs(value)
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


def said_of_frame(reference, motion, height, width, code, tables, kind="context", most=7):
    """Of every position of a frame what its reference says: [y][x][place], then `known`."""
    channels = tables[f"{kind}_channels"]
    groups = zip(tables[f"{kind}_groups"], tables[f"{kind}_first_code"], strict=True)
    count = sum(size for size, first in groups if first <= code)
    said = [[[0] * (len(channels) + 1) for _ in range(width)] for _ in range(height)]
    for y in range(height):
        for x in range(width):
            at = _looked_at(y, x, height, width, reference, motion)
            if at is None:
                continue
            said[y][x][-1] = 1
            for place, channel in enumerate(channels[:count]):
                if channel == len(reference["symbols"]):  # the map of version 4
                    told = reference.get("told")
                    said[y][x][place] = told[at[0]][at[1]] if told else 0
                    continue
                symbol = reference["symbols"][channel][at[0]][at[1]]
                gains = tables[f"{kind}_gains"]
                said[y][x][place] = _scaled(symbol, channel, code, reference, gains, most)
    return said


def learned_symbols(data, height, width, code, tables, said, place):
    """The rANS bytes of a slice of version 3 to symbols[channel][y][x]."""
    stream = Rans(data) if data else None
    channels = tables["context_channels"]
    known = [[[0] * len(channels) for _ in range(width)] for _ in range(height)]
    end = 0
    for group, size in enumerate(tables["context_groups"]):
        start, end = end, end + size
        if code < tables["context_first_code"][group]:
            continue
        for phase in (0, 1):
            decoded = []
            for y in range(height):
                for x in range((y + phase) % 2, width, 2):
                    hidden = _hidden(known, y, x, said, place, code, group, phase, tables)
                    for one in range(start, end):
                        found = _expected(hidden, code, one, phase, tables)
                        if found:
                            cdf, offset, mean = found
                            decoded.append((y, x, one, stream.symbol(cdf, offset) + mean))
            for y, x, one, symbol in decoded:
                assert -127 <= symbol <= 127
                known[y][x][one] = symbol
    symbols = [[[0] * width for _ in range(height)] for _ in tables["context_gains"][0]]
    for one, channel in enumerate(channels):
        for y in range(height):
            for x in range(width):
                symbols[channel][y][x] = known[y][x][one]
    return symbols


def skipped_symbols(data, height, width, code, share, tables, moved, place):
    """The rANS bytes of a predicted slice of version 4: symbols[channel][y][x] and told[y][x].

    `moved` are arguments of `said_of_frame`.
    """
    said, unchanged = (said_of_frame(*moved, kind="skip", most=most) for most in (7, 127))
    assert bool(data) == bool(share)
    stream = Rans(data) if data else None
    channels = tables["skip_channels"]
    known = [[[0] * len(channels) for _ in range(width)] for _ in range(height)]
    end = 0
    for group, size in enumerate(tables["skip_groups"]):
        start, end = end, end + size
        if code < tables["skip_first_code"][group]:
            continue
        if group == 1:  # the map is known
            for y in range(height):
                for x in range(width):
                    if not known[y][x][0]:
                        said_here = unchanged[place[0] + y][place[1] + x]
                        known[y][x][1:] = said_here[1:-1]
        for phase in (0, 1) if share else ():
            decoded = []
            for y in range(height):
                for x in range((y + phase) % 2, width, 2):
                    if group and not known[y][x][0]:
                        continue
                    step = (code, group, phase, tables, "skip", share)
                    hidden = _hidden(known, y, x, said, place, *step)
                    for one in range(start, end):
                        if group:
                            found = _expected(hidden, code, one, phase, tables, "skip")
                        else:
                            found = _expected_map(hidden, code, phase, tables)
                        if found:
                            cdf, offset, mean = found
                            decoded.append((y, x, one, stream.symbol(cdf, offset) + mean))
            for y, x, one, symbol in decoded:
                assert symbol in (0, 1) if one == 0 else -127 <= symbol <= 127
                known[y][x][one] = symbol
    planes = [[[0] * width for _ in range(height)] for _ in tables["skip_gains"][0]]
    for one, channel in enumerate(channels):
        for y in range(height):
            for x in range(width):
                planes[channel][y][x] = known[y][x][one]
    return planes[:-1], planes[-1]


def _between(rows, code):
    """A bias at a rate code, from the rows at its eighths: `rows[row]` is a number."""
    low, part = code // 8, code % 8
    return (rows[low] * (8 - part) + rows[min(low + 1, 8)] * part) // 8


def _hidden(known, y, x, said, place, code, group, phase, tables, kind="context", share=None):
    """The hidden units of a position of a slice in a step."""
    units = []
    for unit, enter in enumerate(tables[f"{kind}_enter"][group][phase]):
        rows = [row[group][phase][unit] for row in tables[f"{kind}_enter_bias"]]
        total = _between(rows, code)
        if share is not None:
            total += tables[f"{kind}_share_bias"][share][group][phase][unit]
        side = tables[f"{kind}_side"][group][phase][unit]
        for tap in range(9):
            row, col = y + tap // 3 - 1, x + tap % 3 - 1
            if 0 <= row < len(known) and 0 <= col < len(known[0]):
                near = [min(max(symbol, -7), 7) for symbol in known[row][col]]
                total += sum(a * b for a, b in zip(enter[tap], near, strict=True))
            if said is None:
                continue
            row, col = row + place[0], col + place[1]
            if 0 <= row < len(said) and 0 <= col < len(said[0]):
                total += sum(a * b for a, b in zip(side[tap], said[row][col], strict=True))
        units.append(min(max(total, 0), 1023))
    return units


def _out(hidden, code, one, phase, what, tables, kind):
    bias = _between([row[one][phase][what] for row in tables[f"{kind}_leave_bias"]], code)
    weights = tables[f"{kind}_leave"][one][phase][what]
    return bias + sum(a * b for a, b in zip(weights, hidden, strict=True))


def _expected(hidden, code, one, phase, tables, kind="context"):
    """CDF, offset and mean of a symbol, or None if it is not coded."""
    mean, spread = (_out(hidden, code, one, phase, what, tables, kind) for what in (0, 1))
    eighths = min(max(mean + 128 >> 8, -59), 59)
    level = min(max(5 * spread >> 11, 0), 28)
    if level == 0 and -1 <= eighths <= 1:
        return None
    row = 8 * level + (eighths + 4) % 8
    return tables[f"{kind}_cdfs"][row], tables[f"{kind}_offsets"][row], eighths + 4 >> 3


def _expected_map(hidden, code, phase, tables):
    """The same of whether a position is told."""
    out = _out(hidden, code, 0, phase, 0, tables, "skip")
    row = 246 + min(max(out + 512 >> 10, -14), 8)
    return tables["skip_cdfs"][row], tables["skip_offsets"][row], 0
