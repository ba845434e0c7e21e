# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes vectors.json beside this file: frames, their packets, and what these decode to.

Run only when the bitstream changes, and then only for a new version:

python test/codec/golden/generate.py
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from context_networks import hand_made, hand_made_skip

from sc2_ros.codec.frame.decoder import PacketDecoder
from sc2_ros.codec.frame.encoder import FrameEncoder
from sc2_ros.codec.frame.plan import UNPROTECTED, Protection
from sc2_ros.codec.frame.reference import ReferenceWindow
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire import Geometry, Motion, PacketType, build_stream_info, parse

CHECKPOINT = 0x5C2A0001
GROUPS, FIRST_CODE = (1, 1, 2), (0, 0, 24)
SPREAD = np.array([1.0, 0.6, 0.4, 0.2])
CHANNELS = len(SPREAD)
STILL = Motion()
STEADY = (10**18, 10**18 + 33_333_333, 10**18 + 66_700_000)


def make_tables():
    gains = np.geomspace(0.5, 8.0, 65)[:, None] * np.linspace(0.8, 1.2, CHANNELS)
    shape = (GROUPS, FIRST_CODE, gains, SPREAD)
    return CodingTables(
        gains, hand_made(*shape, least=2.0**-6), hand_made_skip(*shape, least=2.0**-6)
    )


def drawn(random, height, width, scale):
    return random.laplace(size=(CHANNELS, height, width)) * SPREAD[:, None, None] * scale


def case(
    tables,
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
    times_ns=STEADY,
    protection=UNPROTECTED,
    rdoq_lambda=0.0,
):
    """Three frames, each predicted from the one before, of which some positions change.

    cut: the right half of the second frame is another picture.
    """
    random = np.random.default_rng(seed)
    encoder = FrameEncoder(tables, CHECKPOINT, rdoq_lambda=rdoq_lambda)
    decoder = PacketDecoder(tables, CHECKPOINT)
    width, height = (-(-(side + 15) // 16) for side in size)
    latent = drawn(random, height, width, scale)
    frames, reference, window = [], None, ReferenceWindow()
    for number, (code, time_ns) in enumerate(zip(codes, times_ns, strict=False)):
        geometry = Geometry(size, size, origins[number])
        rows, cols = geometry.latent_shape
        prediction = None
        if number:
            motion = motions[number - 1]
            prediction = encoder.predict(reference, motion, (rows, cols))
            latent = np.roll(latent, -round(motion.dx / 16), axis=2)
            other = drawn(random, height, width, scale)
            latent = np.where(random.random((height, width)) < shares[number - 1], other, latent)
            if cut and number == 1:
                latent[:, :, width // 2 :] = other[:, :, width // 2 :]
        given = np.ascontiguousarray(latent[:, :rows, :cols], np.float32)
        if number and not shares[number - 1]:
            given = tables.dequantise(reference.symbols, code)
        plan = encoder.plan(encoder.frame(given, geometry, prediction), code, protection)
        sent = encoder.encode(
            plan, stream=4, frame=(65534 + 3 * number) & 0xFFFF, capture_time_ns=time_ns
        )
        slices = [parse(packet) for packet in sent.packets]
        pieces = [
            decoder.decode(packet, window)
            for packet in slices
            if packet.header.type is PacketType.FEATURES
        ]
        reference = sent.reference
        window.put(reference)
        frames.append(
            {
                "frame": reference.frame,
                "rate_code": plan.code,
                "origin": geometry.origin,
                "capture_time_ns": time_ns,
                "interval_ns": reference.stamp.interval_ns,
                "packets": [packet.hex() for packet in sent.packets],
                "decoded": [
                    {
                        "y0": piece.y0,
                        "x0": piece.x0,
                        "symbols": piece.symbols.tolist(),
                        "coded": piece.coded.astype(int).tolist(),
                    }
                    for piece in pieces
                ],
            }
        )
    return {"name": name, "size": size, "frames": frames}


def main():
    tables = make_tables()
    turned = (Motion(dx=-7, dy=5, zoom=5, turn=-12), Motion(dx=19))
    moved = {"origins": ((0, 0), (13, 6), (2, 15)), "motions": turned}
    few = {"shares": (0.03, 0.1), "rdoq_lambda": 0.07}
    four = {"shares": (0.2, 0.2), "cut": True, "protection": Protection(4, 1)}
    cases = [
        case(tables, "tiny", (48, 32), (16, 16), seed=35, shares=(0.4,)),
        case(tables, "still", (128, 112), (24, 24, 24), seed=41, **few),
        case(tables, "moved", (76, 56), (40, 30, 33), seed=32, times_ns=(5, 4, 3), **moved),
        case(
            tables,
            "late",
            (48, 40),
            (12, 37, 40),
            seed=33,
            times_ns=(2**63 - 1, -(2**63), 77),
        ),
        case(tables, "lower", (64, 32), (30, 17, 24), seed=34, scale=2.0),
        case(tables, "sliced", (126, 88), (58, 58, 61), seed=35, scale=3.0, **four),
        case(tables, "escapes", (48, 32), (64, 64, 64), seed=36, scale=40.0),
        case(tables, "nothing coded", (48, 48), (30, 30, 30), seed=37, shares=(0.0, 0.3)),
    ]
    info = {"stream": 7, "frame": 300, "capture_time_ns": -1, "frame_id": "drone/camera"}
    packet = build_stream_info(checkpoint_id=CHECKPOINT, **info)
    golden = {
        "checkpoint_id": CHECKPOINT,
        "tables": {name: array.tolist() for name, array in tables.to_arrays().items()},
        "stream_info": info | {"packet": packet.hex()},
        "cases": cases,
    }
    path = Path(__file__).with_name("vectors.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
