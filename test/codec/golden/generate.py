# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes vectors.json, of version 1, and vectors2.json to vectors4.json beside this file.

Run only when the bitstream changes, and then only for a new version:

python test/codec/golden/generate.py
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from sc2_ros.codec.coder import UNPROTECTED, LatentCodec, Protection
from sc2_ros.codec.packet import Geometry, Header, PacketType, build_stream_info, parse
from sc2_ros.codec.prediction import Motion, predict
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.tables import CodingTables, laplace_tables
from sc2_ros.codec.temporal_fit import ContextShape, SymbolCounter, fit_temporal

sys.path.insert(0, str(Path(__file__).parents[1]))
from context_networks import hand_made, hand_made_skip

CHECKPOINT = 0x5C2A0001
GROUPS = (1, 2, 3)
CHANNELS = sum(GROUPS)
SPREAD = np.array([1.0, 0.6, 0.2, 0.15, 0.05, 0.02])[:, None, None]
STILL = Motion()


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


def make_temporal_tables(tables):
    """Fitted to latents that change by a fifth."""
    shape = ContextShape(np.array([0, 1, 1], np.uint8), np.array([2, 9], np.int32), (0, 32, 64))
    counter = SymbolCounter(tables, shape)
    random = np.random.default_rng(9)
    for row, code in enumerate(shape.codes):
        old = make_symbols(24, 24, code, tables, 50 + row, 1.5)
        change = random.normal(0, 0.4, old.shape)
        latent = (old + change) / tables.code_gains[code][:, None, None]
        reference = Reference(0, code, Geometry((384, 384), (384, 384)), old.astype(np.int8))
        counter.add(latent.astype(np.float32), predict(reference, Motion(16), 24, 24), row)
        counter.add(latent.astype(np.float32), predict(reference, Motion(), 24, 24), row)
    fitted = fit_temporal(tables, shape, counter.counts, bank=24)
    return CodingTables.from_arrays(tables.to_arrays() | fitted.to_arrays())


def predicted_case(
    codec, name, size, codes, origin, motion, seed, scale=1.0, cut=False, protection=UNPROTECTED
):
    """Two frames, the second predicted from the first."""
    height, width = -(-(size[1] + origin[1]) // 16), -(-(size[0] + origin[0]) // 16)
    first_height, first_width = -(-size[1] // 16), -(-size[0] // 16)
    random = np.random.default_rng(seed)
    first = make_symbols(first_height, first_width, codes[0], codec.tables, seed, scale)
    whole = np.zeros((CHANNELS, height, width), np.float32)
    latent = codec.dequantise(first.astype(np.int16), codes[0])
    whole[:, :first_height, :first_width] = latent[:, :height, :width]
    whole *= 1 + random.normal(0, 0.1, whole.shape)
    if cut:
        symbols = make_symbols(height, width, codes[1], codec.tables, seed + 1, scale)
        whole[:, :, width // 2 :] = codec.dequantise(symbols.astype(np.int16), codes[1])[
            :, :, width // 2 :
        ]
    frames, reference, window = [], None, ReferenceWindow()
    geometries = (Geometry(size, size), Geometry(size, size, origin))
    for number, (data, code, geometry) in enumerate(
        zip((latent, whole), codes, geometries, strict=True)
    ):
        header = Header(PacketType.FEATURES, 4, CHECKPOINT, 65534 + 3 * number & 0xFFFF)
        prediction = None
        if reference is not None:
            prediction = codec.predict(reference, motion, geometry.latent_shape)
        frame = codec.encode_frame(data, code, header, geometry, protection, prediction)
        slices = [codec.decode(parse(packet), window) for packet in frame.packets]
        frames.append(
            {
                "frame": header.frame,
                "rate_code": code,
                "origin": geometry.origin,
                "packets": [packet.hex() for packet in frame.packets],
                "decoded": [
                    {"y0": piece.y0, "x0": piece.x0, "symbols": piece.symbols.tolist()}
                    for piece in slices
                ],
            }
        )
        reference = frame.reference
        window.put(reference)
        if not number:
            frames[0]["symbols"] = reference.symbols.tolist()
    return {"name": name, "size": size, "frames": frames}


def write_version_2():
    codec = LatentCodec(make_temporal_tables(make_tables()), CHECKPOINT)
    still = Motion()
    turned = Motion(dx=-9, dy=20, zoom=20, turn=-60)
    cases = [
        predicted_case(codec, "still", (48, 48), (24, 24), (0, 0), still, 11),
        predicted_case(codec, "moved", (120, 88), (40, 30), (12, 4), turned, 12),
        predicted_case(codec, "mixed", (310, 230), (62, 62), (0, 0), still, 13, 6.0, cut=True),
    ]
    write(codec, 2, cases)


def write(codec, version, cases):
    arrays = {name: array.tolist() for name, array in codec.tables.to_arrays().items()}
    document = {"version": version, "checkpoint_id": CHECKPOINT, "tables": arrays, "cases": cases}
    path = Path(__file__).with_name(f"vectors{version}.json")
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n", "utf-8")
    for one in cases:
        packets = [bytes.fromhex(data) for data in one["frames"][1]["packets"]]
        print(one["name"], [(len(data), parse(data).header.reference) for data in packets])


def make_learned_tables(tables):
    """Four of six channels; group 1 from code 20 on; at code 0 nothing is coded of a calm frame."""
    channels = [2, 0, 3, 1]
    spread = np.array([1.0, 0.6, 0.2, 0.15, 0.05, 0.02])[channels]
    network = hand_made(channels, (2, 2), (0, 20), tables.code_gains, spread, least=2.0**-6, seed=3)
    enter_bias, leave_bias = network.enter_bias.copy(), network.leave_bias.copy()
    enter_bias[0], leave_bias[0, :, :, 1] = 0, -9000
    network = replace(network, enter_bias=enter_bias, leave_bias=leave_bias)
    return replace(tables, context=network)


def write_version_3():
    codec = LatentCodec(make_learned_tables(make_tables()), CHECKPOINT)
    still = Motion()
    turned = Motion(dx=-7, dy=5, zoom=5, turn=-12)
    four = {"cut": True, "protection": Protection(4)}
    cases = [
        predicted_case(codec, "early", (48, 48), (12, 19), (0, 0), still, 21, 2.0),
        predicted_case(codec, "late", (48, 40), (20, 37), (0, 0), still, 22),
        predicted_case(codec, "lower", (64, 32), (30, 17), (0, 0), still, 23, 2.0),
        predicted_case(codec, "moved", (120, 88), (40, 30), (13, 6), turned, 24),
        predicted_case(codec, "sliced", (126, 88), (58, 61), (0, 7), still, 25, 3.0, **four),
        predicted_case(codec, "escapes", (48, 32), (64, 64), (0, 0), Motion(zoom=3), 26, 40.0),
        predicted_case(codec, "skipped", (48, 48), (0, 0), (0, 0), still, 27),
    ]
    write(codec, 3, cases)


def make_skip_tables(tables):
    """Tables of `make_learned_tables` with a skip network of the same shape."""
    context = tables.context
    spread = SPREAD[context.channels, 0, 0]
    network = hand_made_skip(
        context.channels,
        context.groups,
        context.first_code,
        tables.code_gains,
        spread,
        least=2.0**-6,
        seed=3,
    )
    return replace(tables, skip=network)


def changed(latent, share, random, scale):
    """A share of the positions is another one."""
    where = random.random(latent.shape[1:]) < share
    other = random.laplace(size=latent.shape) * SPREAD * scale
    return np.where(where, other, latent)


def chain_case(
    codecs,
    name,
    size,
    codes,
    *,
    seed,
    origins=((0, 0), (0, 0), (0, 0)),
    motions=(STILL, STILL),
    shares=(0.1, 0.4),
    scale=1.0,
    cut=False,
    times_ns=(10**18, 10**18 + 33_333_333, 10**18 + 66_700_000),
    protection=UNPROTECTED,
):
    """Three frames, each predicted from the one before; in the places that change, others.

    codecs: of each frame; cut: the right half of the second frame is another picture.
    """
    random = np.random.default_rng(seed)
    width, height = (-(-(side + 15) // 16) for side in size)
    latent = random.laplace(size=(CHANNELS, height, width)) * SPREAD * scale
    frames, reference, window = [], None, ReferenceWindow()
    for number, (codec, code, time_ns) in enumerate(zip(codecs, codes, times_ns, strict=True)):
        geometry = Geometry(size, size, origins[number])
        rows, cols = geometry.latent_shape
        header = Header(
            PacketType.FEATURES, 4, CHECKPOINT, 65534 + 3 * number & 0xFFFF, capture_time_ns=time_ns
        )
        prediction = None
        if number:
            motion = motions[number - 1]
            prediction = codec.predict(reference, motion, (rows, cols))
            latent = np.roll(latent, -round(motion.dx / 16), axis=2)
            latent = changed(latent, shares[number - 1], random, scale)
            if cut and number == 1:
                half = (slice(None), slice(None), slice(width // 2, None))
                latent[half] = changed(latent, 1.0, random, scale)[half]
        given = np.ascontiguousarray(latent[:, :rows, :cols], np.float32)
        if number and not shares[number - 1]:
            given = codec.dequantise(reference.symbols.astype(np.int16), code)
        frame = codec.encode_frame(given, code, header, geometry, protection, prediction)
        slices = [codec.decode(parse(packet), window) for packet in frame.packets]
        reference = frame.reference
        window.put(reference)
        frames.append(
            {
                "frame": header.frame,
                "rate_code": code,
                "origin": geometry.origin,
                "capture_time_ns": time_ns,
                "interval_ns": reference.stamp.interval_ns,
                "packets": [packet.hex() for packet in frame.packets],
                "decoded": [
                    {
                        "y0": piece.y0,
                        "x0": piece.x0,
                        "symbols": piece.symbols.tolist(),
                        "told": None if piece.told is None else piece.told.astype(int).tolist(),
                    }
                    for piece in slices
                ],
            }
        )
    return {"name": name, "size": size, "frames": frames}


def write_version_4():
    tables = make_skip_tables(make_learned_tables(make_tables()))
    codec = LatentCodec(tables, CHECKPOINT)
    earlier = LatentCodec(replace(tables, skip=None), CHECKPOINT)
    all_4, frugal = (codec,) * 3, (LatentCodec(tables, CHECKPOINT, refinement=0.07),) * 3
    turned = (Motion(dx=-7, dy=5, zoom=5, turn=-12), Motion(dx=19))
    moved = {"origins": ((0, 0), (13, 6), (2, 15)), "motions": turned}
    set_back = (2**63 - 1, -(2**63), 77)
    few = {"shares": (0.03, 0.1)}
    cases = [
        chain_case(frugal, "still", (96, 96), (24, 24, 24), seed=41, **few),
        chain_case(all_4, "moved", (76, 56), (40, 30, 33), seed=32, times_ns=(5, 4, 3), **moved),
        chain_case(all_4, "late", (48, 40), (12, 37, 40), seed=33, times_ns=set_back),
        chain_case(all_4, "lower", (64, 32), (30, 17, 24), seed=34, scale=2.0),
        chain_case(
            all_4,
            "sliced",
            (126, 88),
            (58, 58, 61),
            seed=35,
            scale=3.0,
            shares=(0.2, 0.2),
            cut=True,
            protection=Protection(4),
        ),
        chain_case(all_4, "escapes", (48, 32), (64, 64, 64), seed=36, scale=40.0),
        chain_case(all_4, "nothing told", (48, 48), (30, 30, 30), seed=37, shares=(0.0, 0.3)),
        chain_case((earlier, codec, codec), "earlier", (48, 48), (33, 33, 30), seed=38),
    ]
    write(codec, 4, cases)


if __name__ == "__main__":
    main()
    write_version_2()
    write_version_3()
    write_version_4()
