# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bitstream of version 2, pinned: predicted slices and moved grids."""

import json
from pathlib import Path

import numpy as np
import pytest

from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import Geometry, parse
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.tables import CodingTables

GOLDEN = json.loads((Path(__file__).parent / "golden" / "vectors2.json").read_text("utf-8"))
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
    tables = dict(GOLDEN["tables"])
    for bank in ("", "temporal_"):
        sizes = tables[f"{bank}sizes"]
        rows = zip(tables[f"{bank}cdfs"], sizes, strict=True)
        tables[f"{bank}cdfs"] = [row[:size] for row, size in rows]
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


def test_the_vectors_cover_what_they_are_for():
    kinds = {
        case["name"]: [
            parse(bytes.fromhex(data)).header.reference for data in case["frames"][1]["packets"]
        ]
        for case in GOLDEN["cases"]
    }

    assert kinds["still"] == kinds["moved"] == [3]
    assert set(kinds["mixed"]) == {0, 3}
