# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bitstream of version 1, pinned: these bytes must be made and read for ever."""

import json
from pathlib import Path

import numpy as np
import pytest

from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import build_stream_info, parse, parse_stream_info
from sc2_ros.codec.tables import CodingTables

GOLDEN = json.loads((Path(__file__).parent / "golden" / "vectors.json").read_text("utf-8"))
CASES = pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])


@pytest.fixture(scope="module")
def golden_codec():
    arrays = {name: np.array(values) for name, values in GOLDEN["tables"].items()}
    return LatentCodec(CodingTables.from_arrays(arrays), GOLDEN["checkpoint_id"])


@CASES
def test_the_same_symbols_give_the_same_bytes(golden_codec, case):
    latent = golden_codec.dequantise(np.array(case["symbols"]), case["rate_code"])

    packets = golden_codec.encode(
        latent,
        case["rate_code"],
        stream=case["stream"],
        frame=case["frame"],
        capture_time_ns=case["capture_time_ns"],
        encoded_size=tuple(case["encoded_size"]),
        source_size=tuple(case["source_size"]),
    )

    assert [data.hex() for data in packets] == case["packets"]


@CASES
def test_the_same_bytes_give_the_same_symbols(golden_codec, case):
    assert len(case["packets"]) == len(case["decoded"])
    for number, (data, expected) in enumerate(zip(case["packets"], case["decoded"], strict=True)):
        piece = golden_codec.decode(parse(bytes.fromhex(data)))

        assert piece.symbols.tolist() == expected["symbols"]
        assert (piece.y0, piece.x0) == (expected["y0"], expected["x0"])
        assert piece.encoded_size == tuple(case["encoded_size"])
        assert piece.source_size == tuple(case["source_size"])
        header = piece.header
        assert (header.slice, header.stream, header.frame) == (
            (number, case["stream"], case["frame"])
        )
        assert header.capture_time_ns == case["capture_time_ns"]


@CASES
def test_a_decoder_made_from_the_document_reads_the_same(helpers, case):
    tables = dict(GOLDEN["tables"])
    tables["cdfs"] = [row[:size] for row, size in zip(tables["cdfs"], tables["sizes"], strict=True)]

    for data, expected in zip(case["packets"], case["decoded"], strict=True):
        read = helpers.reference.decode(bytes.fromhex(data), tables)
        assert read["symbols"] == expected["symbols"]
        assert (read["y0"], read["x0"]) == (expected["y0"], expected["x0"])


def test_the_vectors_cover_what_they_are_for(golden_codec):
    cases = {case["name"]: case for case in GOLDEN["cases"]}
    bank = golden_codec.tables

    assert len(cases["sliced"]["packets"]) > 1
    assert {len(data) for data in cases["skipped"]["packets"]} == {2 * 32}
    reach = (bank.offsets + bank.sizes - 3).max()
    escapes = np.array(cases["escapes"]["decoded"][0]["symbols"])
    assert [escapes[0, 0, 0], escapes[2, 1, 3], escapes[5, 2, 2]] == [127, -127, 127]
    assert bank.offsets.min() < -100 < 100 < reach  # wide tables
    assert bank.sizes.min() == 5  # and narrow ones, where most symbols are escapes


def test_stream_info():
    info = GOLDEN["stream_info"]
    data = build_stream_info(
        stream=info["stream"],
        checkpoint_id=GOLDEN["checkpoint_id"],
        frame=info["frame"],
        capture_time_ns=info["capture_time_ns"],
        frame_id=info["frame_id"],
    )

    assert data.hex() == info["packet"]
    assert parse_stream_info(parse(data)) == info["frame_id"]


def test_the_worked_example_of_the_document_is_the_first_vector():
    document = (Path(__file__).parents[2] / "docs" / "bitstream.md").read_text("utf-8")
    written = document.split("Written out")[1].split("\n\n")[1]

    assert bytes.fromhex(written).hex() == GOLDEN["cases"][0]["packets"][0]
