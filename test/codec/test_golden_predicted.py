# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bitstream of versions 2 to 4, pinned: predicted slices, moved grids, learned networks."""

import json
from pathlib import Path

import numpy as np
import pytest

from sc2_ros.codec.capture_time import Stamp
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import Geometry, parse
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.tables import CodingTables

FOLDER = Path(__file__).parent / "golden"
GOLDEN = {n: json.loads((FOLDER / f"vectors{n}.json").read_text("utf-8")) for n in (2, 3, 4)}
NAMED = {n: {case["name"]: case for case in golden["cases"]} for n, golden in GOLDEN.items()}
CASES = pytest.mark.parametrize(
    ("version", "case"),
    [
        pytest.param(version, case, id=f"{version}-{name}")
        for version, cases in NAMED.items()
        for name, case in cases.items()
    ],
)


@pytest.fixture(scope="module")
def golden_codecs():
    codecs = {}
    for version, golden in GOLDEN.items():
        arrays = {name: np.array(values) for name, values in golden["tables"].items()}
        codecs[version] = LatentCodec(CodingTables.from_arrays(arrays), golden["checkpoint_id"])
    return codecs


def whole(frame):
    """Symbols and map of a frame, put together from those of its slices; no map: None."""
    shapes = [np.shape(piece["symbols"]) for piece in frame["decoded"]]
    corners = [(piece["y0"], piece["x0"]) for piece in frame["decoded"]]
    height = max(y + shape[1] for (y, _), shape in zip(corners, shapes, strict=True))
    width = max(x + shape[2] for (_, x), shape in zip(corners, shapes, strict=True))
    symbols = np.zeros((shapes[0][0], height, width), np.int8)
    told = np.zeros((height, width), np.bool_)
    for piece, (y, x), shape in zip(frame["decoded"], corners, shapes, strict=True):
        rows, cols = slice(y, y + shape[1]), slice(x, x + shape[2])
        symbols[:, rows, cols] = piece["symbols"]
        told[rows, cols] = piece.get("told") or 0
    return symbols, told if frame["decoded"][0].get("told") else None


@CASES
def test_the_same_bytes_give_the_same_symbols(golden_codecs, version, case):
    size = tuple(case["size"])
    window = ReferenceWindow()
    for frame in case["frames"]:
        geometry = Geometry(size, size, tuple(frame["origin"]))
        time_ns = frame.get("capture_time_ns", 0)
        stamp = Stamp(time_ns)
        for data, expected in zip(frame["packets"], frame["decoded"], strict=True):
            piece = golden_codecs[version].decode(parse(bytes.fromhex(data)), window)
            assert piece.symbols.tolist() == expected["symbols"]
            assert (piece.y0, piece.x0) == (expected["y0"], expected["x0"])
            assert piece.geometry == geometry
            assert piece.header.capture_time_ns == time_ns
            assert (None if piece.told is None else piece.told.tolist()) == expected.get("told")
            if piece.prediction is not None:
                before = piece.prediction.reference.stamp
                stamp = before.following(time_ns, piece.header.reference)
        assert stamp.interval_ns == frame.get("interval_ns", 0)
        symbols, told = whole(frame)
        window.put(
            Reference(frame["frame"], frame["rate_code"], geometry, symbols, told=told, stamp=stamp)
        )


@CASES
def test_a_decoder_made_from_the_document_reads_the_same(helpers, version, case):
    golden = GOLDEN[version]
    tables = {**golden["tables"], "checkpoint_id": golden["checkpoint_id"]}
    for name in golden["tables"]:
        bank, is_bank, _ = name.partition("cdfs")
        if is_bank:
            rows = zip(tables[name], tables[f"{bank}sizes"], strict=True)
            tables[name] = [row[:size] for row, size in rows]
    references = {}
    for frame in case["frames"]:
        time_ns, interval_ns = frame.get("capture_time_ns", 0), 0
        for data, expected in zip(frame["packets"], frame["decoded"], strict=True):
            read = helpers.reference.decode(bytes.fromhex(data), tables, references)
            assert read["symbols"] == expected["symbols"]
            assert list(read["origin"]) == frame["origin"]
            assert read["capture_time_ns"] == time_ns
            assert read.get("told") == expected.get("told")
            interval_ns = read["interval"] or interval_ns
        assert interval_ns == frame.get("interval_ns", 0)
        symbols, told = whole(frame)
        references[frame["frame"]] = {
            "sizes": [*case["size"], *case["size"]],
            "origin": frame["origin"],
            "code": frame["rate_code"],
            "symbols": symbols.tolist(),
            "told": None if told is None else told.tolist(),
            "time": time_ns,
            "interval": interval_ns,
        }


def headers(version, name, frame):
    packets = NAMED[version][name]["frames"][frame]["packets"]
    return [parse(bytes.fromhex(data)).header for data in packets]


def references(version, name, frame):
    return [header.reference for header in headers(version, name, frame)]


def symbols(name, frame, version=3):
    pieces = NAMED[version][name]["frames"][frame]["decoded"]
    return [np.array(piece["symbols"]) for piece in pieces]


def test_the_vectors_of_version_2_cover_what_they_are_for():
    assert references(2, "still", 1) == references(2, "moved", 1) == [3]
    assert set(references(2, "mixed", 1)) == {0, 3}


def test_the_vectors_of_version_3_cover_what_they_are_for():
    late = GOLDEN[3]["tables"]["context_channels"][2:]

    every = [header for name in NAMED[3] for frame in (0, 1) for header in headers(3, name, frame)]
    assert {header.version for header in every} == {3}
    for name in ("early", "late", "lower", "moved", "escapes"):
        assert references(3, name, 1) == [3]
    assert set(references(3, "sliced", 1)) == {0, 3}
    assert len(headers(3, "sliced", 0)) == 4

    assert not symbols("early", 1)[0][late].any()
    assert symbols("late", 0)[0][late].any()
    assert symbols("lower", 0)[0][late].any()
    assert not symbols("lower", 1)[0][late].any()
    assert min(np.abs(symbols("escapes", frame)[0]).max() for frame in (0, 1)) >= 120
    for frame, head_bytes in enumerate((24 + 9, 18 + 4)):
        assert not symbols("skipped", frame)[0].any()
        (packet,) = NAMED[3]["skipped"]["frames"][frame]["packets"]
        assert len(bytes.fromhex(packet)) == head_bytes


def shares(name, frame):
    return {header.head_bits >> 1 for header in headers(4, name, frame) if header.reference}


def told(name, frame):
    """The share of its positions that each slice of a frame of version 4 tells."""
    return [np.mean(piece["told"]) for piece in NAMED[4][name]["frames"][frame]["decoded"]]


def test_the_vectors_of_version_4_cover_what_they_are_for():
    late = GOLDEN[4]["tables"]["skip_channels"][3:]
    every = [
        header for name in NAMED[4] for frame in range(3) for header in headers(4, name, frame)
    ]
    first = [header for name in NAMED[4] for header in headers(4, name, 0)]

    assert {header.version for header in every} == {3, 4}
    assert [header.version for header in every].count(3) == 1
    assert not any(header.reference for header in first)
    for name in ("still", "moved", "late", "lower", "escapes", "nothing told", "earlier"):
        assert references(4, name, 1) == references(4, name, 2) == [3]
        assert 0 < told(name, 2)[0] < 1
    assert set(references(4, "sliced", 1)) == {0, 3}
    assert set(references(4, "sliced", 2)) == {3}

    assert {shares("nothing told", 1).pop(), *shares("still", 1), *shares("still", 2)} == {0, 1, 2}
    assert shares("sliced", 2) == {3}
    assert {header.head_bits & 1 for frame in (1, 2) for header in headers(4, "moved", frame)} == {
        1
    }

    assert [symbols("late", frame, 4)[0][late].any() for frame in range(3)] == [False, True, True]
    assert [symbols("lower", frame, 4)[0][late].any() for frame in range(3)] == [True, False, True]
    assert min(np.abs(symbols("escapes", frame, 4)[0]).max() for frame in range(3)) >= 120
    assert told("nothing told", 1) == [0]
    (packet,) = NAMED[4]["nothing told"]["frames"][1]["packets"]
    assert len(bytes.fromhex(packet)) == 14  # the capture time takes 4
    assert headers(4, "earlier", 0)[0].version == 3
    times = [frame["capture_time_ns"] for frame in NAMED[4]["late"]["frames"]]
    assert times == [2**63 - 1, -(2**63), 77]
