# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bitstream of version 3, pinned: symbols coded with a context network."""

import json
from pathlib import Path

import numpy as np
import pytest

from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import Geometry, parse
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.tables import CodingTables

GOLDEN = json.loads((Path(__file__).parent / "golden" / "vectors3.json").read_text("utf-8"))
NAMED = {case["name"]: case for case in GOLDEN["cases"]}
CASES = pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])


@pytest.fixture(scope="module")
def golden_codec():
    arrays = {name: np.array(values) for name, values in GOLDEN["tables"].items()}
    return LatentCodec(CodingTables.from_arrays(arrays), GOLDEN["checkpoint_id"])


@CASES
def test_the_same_bytes_give_the_same_symbols(golden_codec, case):
    size = tuple(case["size"])
    window = ReferenceWindow()
    for frame in case["frames"]:
        for data, expected in zip(frame["packets"], frame["decoded"], strict=True):
            piece = golden_codec.decode(parse(bytes.fromhex(data)), window)
            assert piece.symbols.tolist() == expected["symbols"]
            assert (piece.y0, piece.x0) == (expected["y0"], expected["x0"])
            assert piece.geometry == Geometry(size, size, tuple(frame["origin"]))
        if "symbols" in frame:
            symbols = np.array(frame["symbols"], np.int8)
            geometry = Geometry(size, size)
            window.put(Reference(frame["frame"], frame["rate_code"], geometry, symbols))


@CASES
def test_a_decoder_made_from_the_document_reads_the_same(helpers, case):
    tables = {**GOLDEN["tables"], "checkpoint_id": GOLDEN["checkpoint_id"]}
    rows = zip(tables["context_cdfs"], tables["context_sizes"], strict=True)
    tables["context_cdfs"] = [row[:size] for row, size in rows]
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


def headers(name, frame):
    return [parse(bytes.fromhex(data)).header for data in NAMED[name]["frames"][frame]["packets"]]


def symbols(name, frame):
    return [np.array(piece["symbols"]) for piece in NAMED[name]["frames"][frame]["decoded"]]


def test_the_vectors_cover_what_they_are_for():
    late = GOLDEN["tables"]["context_channels"][2:]

    every = [header for name in NAMED for frame in (0, 1) for header in headers(name, frame)]
    assert {header.version for header in every} == {3}
    for name in ("early", "late", "lower", "moved", "escapes"):
        assert [header.reference for header in headers(name, 1)] == [3]
    assert {header.reference for header in headers("sliced", 1)} == {0, 3}
    assert len(headers("sliced", 0)) == 4

    assert not symbols("early", 1)[0][late].any()
    assert symbols("late", 0)[0][late].any()
    assert symbols("lower", 0)[0][late].any()
    assert not symbols("lower", 1)[0][late].any()
    assert min(np.abs(symbols("escapes", frame)[0]).max() for frame in (0, 1)) >= 120
    for frame, head_bytes in enumerate((24 + 9, 18 + 4)):
        assert not symbols("skipped", frame)[0].any()
        (packet,) = NAMED["skipped"]["frames"][frame]["packets"]
        assert len(bytes.fromhex(packet)) == head_bytes
