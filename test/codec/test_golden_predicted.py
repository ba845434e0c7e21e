# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bitstream of versions 2 and 3, pinned: predicted slices, moved grids, a context network."""

import json
from pathlib import Path

import numpy as np
import pytest

from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import Geometry, parse
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.tables import CodingTables

FOLDER = Path(__file__).parent / "golden"
GOLDEN = {n: json.loads((FOLDER / f"vectors{n}.json").read_text("utf-8")) for n in (2, 3)}
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


@CASES
def test_the_same_bytes_give_the_same_symbols(golden_codecs, version, case):
    size = tuple(case["size"])
    window = ReferenceWindow()
    for frame in case["frames"]:
        for data, expected in zip(frame["packets"], frame["decoded"], strict=True):
            piece = golden_codecs[version].decode(parse(bytes.fromhex(data)), window)
            assert piece.symbols.tolist() == expected["symbols"]
            assert (piece.y0, piece.x0) == (expected["y0"], expected["x0"])
            assert piece.geometry == Geometry(size, size, tuple(frame["origin"]))
        if "symbols" in frame:
            symbols = np.array(frame["symbols"], np.int8)
            geometry = Geometry(size, size)
            window.put(Reference(frame["frame"], frame["rate_code"], geometry, symbols))


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
        for data, expected in zip(frame["packets"], frame["decoded"], strict=True):
            read = helpers.reference.decode(bytes.fromhex(data), tables, references)
            assert read["symbols"] == expected["symbols"]
            assert list(read["origin"]) == frame["origin"]
        references[frame["frame"]] = {
            "sizes": [*case["size"], *case["size"]],
            "origin": frame["origin"],
            "code": frame["rate_code"],
            "symbols": frame.get("symbols"),
        }


def headers(version, name, frame):
    packets = NAMED[version][name]["frames"][frame]["packets"]
    return [parse(bytes.fromhex(data)).header for data in packets]


def references(version, name, frame):
    return [header.reference for header in headers(version, name, frame)]


def symbols(name, frame):
    return [np.array(piece["symbols"]) for piece in NAMED[3][name]["frames"][frame]["decoded"]]


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
