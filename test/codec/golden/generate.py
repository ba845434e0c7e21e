# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes vectors.json beside this file; run only when the version of the bitstream changes.

python test/codec/golden/generate.py
"""

import json
from pathlib import Path

import numpy as np

from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import build_stream_info, parse
from sc2_ros.codec.tables import CodingTables, laplace_tables

CHECKPOINT = 0x5C2A0001
GROUPS = (1, 2, 3)
CHANNELS = sum(GROUPS)


def make_tables():
    gains = np.geomspace(0.5, 8.0, 5)[:, None] * np.linspace(0.8, 1.2, CHANNELS)
    spread = np.array([1.0, 0.6, 0.2, 0.15, 0.05, 0.02])
    busy = np.array([0.3, 1.0, 3.0])
    scales = gains[:, None, :] * spread * busy[:, None]
    thresholds = [[0, 0], [2, 9], [3, 20]]
    tables = laplace_tables(gains, scales, GROUPS, thresholds, tables=24)
    arrays = tables.to_arrays()
    arrays["index"] = arrays["index"].copy()
    arrays["index"][0] = 0  # at code 0 everything is skipped: slices without rANS bytes
    return CodingTables.from_arrays(arrays)


def make_symbols(height, width, code, tables, seed, scale):
    random = np.random.default_rng(seed)
    spread = np.array([1.0, 0.6, 0.2, 0.15, 0.05, 0.02])[:, None, None]
    latent = random.laplace(size=(CHANNELS, height, width)) * spread * scale
    return np.clip(np.rint(latent * tables.code_gains[code][:, None, None]), -127, 127)


def case(codec, name, size, code, seed, scale=1.0, extremes=(), **fields):
    height, width = -(-size[1] // 16), -(-size[0] // 16)
    symbols = make_symbols(height, width, code, codec.tables, seed, scale)
    for place, value in extremes:
        symbols[place] = value
    source = (size[0] * 2, size[1] * 2)
    packets = codec.encode(
        codec.dequantise(symbols.astype(np.int16), code),
        code,
        encoded_size=size,
        source_size=source,
        **fields,
    )
    slices = [codec.decode(parse(data)) for data in packets]
    return {
        "name": name,
        "rate_code": code,
        "encoded_size": size,
        "source_size": source,
        **fields,
        "symbols": symbols.astype(int).tolist(),
        "packets": [data.hex() for data in packets],
        "decoded": [
            {"y0": piece.y0, "x0": piece.x0, "symbols": piece.symbols.tolist()} for piece in slices
        ],
    }


def main():
    tables = make_tables()
    codec = LatentCodec(tables, CHECKPOINT)
    extremes = [((0, 0, 0), 127), ((2, 1, 3), -127), ((5, 2, 2), 127), ((4, 0, 1), -126)]
    tiny = {"stream": 1, "frame": 258, "capture_time_ns": 1_700_000_000 * 10**9}
    escapes = {"stream": 0, "frame": 0, "capture_time_ns": -1, "extremes": extremes}
    skipped = {"stream": 255, "frame": 65535, "capture_time_ns": 2**63 - 1}
    sliced = {"stream": 7, "frame": 9, "capture_time_ns": 77, "scale": 2.5}
    cases = [
        case(codec, "tiny", (32, 32), 24, 1, **tiny),
        case(codec, "escapes", (80, 48), 40, 2, **escapes),
        case(codec, "skipped", (64, 64), 0, 3, **skipped),
        case(codec, "sliced", (310, 230), 62, 4, **sliced),
    ]
    info = build_stream_info(
        stream=7, checkpoint_id=CHECKPOINT, frame=9, capture_time_ns=77, frame_id="caméra_front"
    )
    document = {
        "version": 1,
        "checkpoint_id": CHECKPOINT,
        "tables": {name: array.tolist() for name, array in tables.to_arrays().items()},
        "cases": cases,
        "stream_info": {
            "stream": 7,
            "frame": 9,
            "capture_time_ns": 77,
            "frame_id": "caméra_front",
            "packet": info.hex(),
        },
    }
    path = Path(__file__).with_name("vectors.json")
    path.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
    for one in cases:
        print(one["name"], [len(data) // 2 for data in one["packets"]])


if __name__ == "__main__":
    main()
