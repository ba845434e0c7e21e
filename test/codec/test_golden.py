# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bitstream, pinned: these bytes must be made and read for ever."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from sc2_ros.codec.frame.decoder import PacketDecoder
from sc2_ros.codec.frame.encoder import FrameEncoder
from sc2_ros.codec.frame.reference import Reference, ReferenceWindow
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire import (
    Geometry,
    Packet,
    PacketType,
    PredictedPacket,
    Stamp,
    build_stream_info,
    parse,
    parse_stream_info,
)

FOLDER = Path(__file__).parent
GOLDEN = json.loads((FOLDER / "golden" / "vectors.json").read_text("utf-8"))
NAMED = {case["name"]: case for case in GOLDEN["cases"]}
CASES = pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])


def packets(frame):
    """The slices of a frame, without repair packets."""
    parsed = [(bytes.fromhex(data), parse(bytes.fromhex(data))) for data in frame["packets"]]
    return [(data, p) for data, p in parsed if p.header.type is PacketType.FEATURES]


@pytest.fixture(scope="module")
def tables():
    arrays = {name: np.array(values) for name, values in GOLDEN["tables"].items()}
    return CodingTables.from_arrays(arrays)


def assembled(frame):
    """Symbols and map of a frame, from those of its slices."""
    shapes = [np.shape(piece["symbols"]) for piece in frame["decoded"]]
    corners = [(piece["y0"], piece["x0"]) for piece in frame["decoded"]]
    height = max(y + shape[1] for (y, _), shape in zip(corners, shapes, strict=True))
    width = max(x + shape[2] for (_, x), shape in zip(corners, shapes, strict=True))
    symbols = np.zeros((shapes[0][0], height, width), np.int8)
    coded = np.zeros((height, width), np.bool_)
    for piece, (y, x), shape in zip(frame["decoded"], corners, shapes, strict=True):
        rows, cols = slice(y, y + shape[1]), slice(x, x + shape[2])
        symbols[:, rows, cols] = piece["symbols"]
        coded[rows, cols] = piece["coded"]
    return symbols, coded


@CASES
def test_the_same_bytes_give_the_same_symbols(tables, case):
    decoder, size = PacketDecoder(tables, GOLDEN["checkpoint_id"]), tuple(case["size"])
    window = ReferenceWindow()
    for frame in case["frames"]:
        geometry = Geometry(size, size, tuple(frame["origin"]))
        stamp = Stamp(frame["capture_time_ns"])
        for (_, packet), expected in zip(packets(frame), frame["decoded"], strict=True):
            piece = decoder.decode(packet, window)
            assert piece.symbols.tolist() == expected["symbols"]
            assert piece.coded.tolist() == expected["coded"]
            assert (piece.y0, piece.x0) == (expected["y0"], expected["x0"])
            assert piece.geometry == geometry
            assert piece.header.capture_time_ns == frame["capture_time_ns"]
            if piece.prediction is not None:
                distance = packet.head.distance
                stamp = piece.prediction.reference.stamp.following(stamp.time_ns, distance)
        assert stamp.interval_ns == frame["interval_ns"]
        window.put(
            Reference(frame["frame"], frame["rate_code"], geometry, *assembled(frame), stamp)
        )


@CASES
def test_the_same_keyframe_symbols_give_the_same_bytes(tables, case):
    """Of predicted frames the symbols do not tell which positions were coded."""
    frame, size = case["frames"][0], tuple(case["size"])
    latent = tables.dequantise(assembled(frame)[0], frame["rate_code"])
    encoder = FrameEncoder(tables, GOLDEN["checkpoint_id"])
    first = packets(frame)[0][1].header
    if first.slices > 1:
        pytest.skip("which grid is taken is the encoder's choice")

    plan = encoder.plan(
        encoder.frame(latent, Geometry(size, size, tuple(frame["origin"]))), frame["rate_code"]
    )
    sent = encoder.encode(
        plan,
        stream=first.stream,
        frame=frame["frame"],
        capture_time_ns=frame["capture_time_ns"],
    )

    assert [data.hex() for data in sent.packets] == frame["packets"]


@CASES
def test_a_decoder_made_from_the_document_reads_the_same(helpers, case):
    own = helpers.reference_decoder()
    lists = GOLDEN["tables"] | {"checkpoint_id": GOLDEN["checkpoint_id"]}
    for network in ("context", "skip"):
        rows = zip(lists[f"{network}_cdfs"], lists[f"{network}_sizes"], strict=True)
        lists[f"{network}_cdfs"] = [row[:size] for row, size in rows]
    references = {}
    for frame in case["frames"]:
        interval_ns = 0
        for (data, _), expected in zip(packets(frame), frame["decoded"], strict=True):
            read = own.decode(data, lists, references)
            assert read["symbols"] == expected["symbols"]
            assert read["coded"] == expected["coded"]
            assert list(read["origin"]) == frame["origin"]
            assert read["capture_time_ns"] == frame["capture_time_ns"]
            interval_ns = read["interval"] or interval_ns
        assert interval_ns == frame["interval_ns"]
        symbols, coded = assembled(frame)
        references[frame["frame"]] = {
            "sizes": [*case["size"], *case["size"]],
            "origin": frame["origin"],
            "code": frame["rate_code"],
            "symbols": symbols.tolist(),
            "coded": coded.astype(int).tolist(),
            "time": frame["capture_time_ns"],
            "interval": interval_ns,
        }


def heads(name, number):
    return [getattr(packet, "head", None) for _, packet in packets(NAMED[name]["frames"][number])]


def symbols(name, number):
    return assembled(NAMED[name]["frames"][number])[0]


def coded(name, number):
    return assembled(NAMED[name]["frames"][number])[1]


def test_the_vectors_cover_what_they_are_for():
    late = slice(2, 4)
    for name in NAMED:
        assert heads(name, 0) == [None] * len(heads(name, 0))
    for name in ("still", "moved", "late", "lower", "escapes", "nothing coded"):
        for number in (1, 2):
            assert [head.distance for head in heads(name, number)] == [3]
        assert 0 < coded(name, 2).mean() < 1
    assert {type(packet) for _, packet in packets(NAMED["sliced"]["frames"][1])} == {
        Packet,
        PredictedPacket,
    }
    assert len(NAMED["sliced"]["frames"][0]["packets"]) == 5
    shares = {
        head.share for name in NAMED for frame in (1, -1) for head in heads(name, frame) if head
    }
    assert shares == {0, 1, 2, 3}
    assert all(head.bits & 1 for number in (1, 2) for head in heads("moved", number))
    assert [symbols("late", n)[late].any() for n in range(3)] == [False, True, True]
    assert [symbols("lower", n)[late].any() for n in range(3)] == [True, False, True]
    assert min(np.abs(symbols("escapes", n)).max() for n in range(3)) >= 100
    assert not coded("nothing coded", 1).any()
    (data,) = NAMED["nothing coded"]["frames"][1]["packets"]
    assert len(data) // 2 == 14  # the capture time takes 4
    times = [frame["capture_time_ns"] for frame in NAMED["late"]["frames"]]
    assert times == [2**63 - 1, -(2**63), 77]


def test_stream_info():
    info = dict(GOLDEN["stream_info"])
    packet = info.pop("packet")
    data = build_stream_info(checkpoint_id=GOLDEN["checkpoint_id"], **info)

    assert data.hex() == packet
    assert parse_stream_info(parse(data)) == info["frame_id"]


def test_the_worked_example_of_the_document_is_the_first_case():
    document = (FOLDER.parents[1] / "docs" / "bitstream.md").read_text("utf-8")
    example = document.split("## Worked example")[1]
    blocks = re.findall(r"```hex\n(.*?)```", example, re.DOTALL)
    lines = re.compile(r"^((?:[0-9a-f]{2} ?)+)", re.MULTILINE)
    written = ["".join(lines.findall(block)) for block in blocks]

    frames = NAMED["tiny"]["frames"]
    assert [bytes.fromhex(text).hex() for text in written] == [
        data for frame in frames for data in frame["packets"]
    ]
