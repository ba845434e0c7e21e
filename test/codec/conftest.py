# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables, codecs and latents that look like a trained network's, small enough for slow checks."""

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from sc2_ros.codec.coder import UNPROTECTED, LatentCodec
from sc2_ros.codec.packet import Geometry, Header, PacketType, parse
from sc2_ros.codec.prediction import Motion, predict
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.tables import laplace_tables
from sc2_ros.codec.temporal_fit import ContextShape, SymbolCounter, fit_temporal

# A loaded machine must not fail a test that is right.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def _module(name):
    """A file beside this one, which importlib mode keeps from being imported."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"test_codec_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


context_networks = _module("context_networks")

CHECKPOINT = 0xC0FFEE01
TIME_NS = 500_000
"""Of a frame whose reference was captured at 0: it takes three bytes, as prices have it."""
GROUPS = (2, 4, 6)
CHANNELS = sum(GROUPS)


def make_tables():
    gains = np.geomspace(0.5, 8.0, 5)[:, None] * np.linspace(0.8, 1.2, CHANNELS)
    spread = np.geomspace(1.0, 0.005, CHANNELS)
    busy = np.array([0.25, 0.6, 1.2, 3.0])
    scales = gains[:, None, :] * spread * busy[:, None]
    scales[:, 0, : GROUPS[0]] = gains[:, : GROUPS[0]] * spread[: GROUPS[0]]
    thresholds = [[0, 0, 0], [1, 4, 12], [3, 9, 27]]
    return laplace_tables(gains, scales, GROUPS, thresholds, tables=40)


def make_latent(height, width, seed=0, scale=1.0):
    """(12, height, width): Laplacian, busy in some places, later channels nearly always zero."""
    random = np.random.default_rng(seed)
    spread = np.geomspace(1.0, 0.005, CHANNELS)[:, None, None]
    coarse = random.exponential(size=(-(-height // 4), -(-width // 4)))
    envelope = coarse.repeat(4, 0).repeat(4, 1)[:height, :width]
    latent = random.laplace(size=(CHANNELS, height, width)) * spread * envelope * scale
    return latent.astype(np.float32)


def later(latent, seed=0, change=0.3):
    """A latent like this one, some time later: the same but for a share of it."""
    other = make_latent(*latent.shape[1:], seed=seed + 1000)
    return (np.sqrt(1 - change**2) * latent + change * other).astype(np.float32)


def make_temporal_tables():
    """The tables with temporal tables, fitted to what `later` does."""
    tables = make_tables()
    shape = ContextShape(np.array([0, 0, 1, 1], np.uint8), np.array([2, 9], np.int32), (0, 32, 64))
    counter = SymbolCounter(tables, shape)
    for seed in range(6):
        old = make_latent(12, 16, seed=seed)
        new = later(old, seed, change=0.1 + 0.1 * seed)
        for row, code in enumerate(shape.codes):
            scaled = np.rint(old * tables.code_gains[code][:, None, None])
            symbols = scaled.clip(-127, 127).astype(np.int8)
            reference = Reference(0, code, Geometry((256, 192), (256, 192)), symbols)
            counter.add(new, predict(reference, Motion(dx=16 * (seed == 5)), 12, 16), row)
    return dataclasses.replace(tables, temporal=fit_temporal(tables, shape, counter.counts))


def make_learned_tables():
    """The same with a context network, which leaves out channel 11; group 2 begins at code 24."""
    tables = make_temporal_tables()
    channels = [1, 0, 2, 3, 5, 4, 6, 7, 10, 9, 8]
    spread = np.geomspace(1.0, 0.005, CHANNELS)[channels]
    network = context_networks.hand_made(channels, (2, 4, 5), (0, 0, 24), tables.code_gains, spread)
    return dataclasses.replace(tables, context=network)


def make_skip_tables():
    """The same with a skip network of the same shape."""
    tables = make_learned_tables()
    context = tables.context
    spread = np.geomspace(1.0, 0.005, CHANNELS)[context.channels]
    network = context_networks.hand_made_skip(
        context.channels, context.groups, context.first_code, tables.code_gains, spread
    )
    return dataclasses.replace(tables, skip=network)


def encode_frame(
    codec, latent, code, frame, *, reference=None, motion=None, origin=(0, 0), time_ns=0
):
    """An EncodedFrame, predicted from a reference if one is given."""
    height, width = latent.shape[1:]
    size = (width * 16 - origin[0], height * 16 - origin[1])
    header = Header(PacketType.FEATURES, 3, codec.checkpoint_id, frame, capture_time_ns=time_ns)
    prediction = None
    if reference is not None:
        prediction = codec.predict(reference, motion or Motion(), (height, width))
    geometry = Geometry(size, size, origin)
    return codec.encode_frame(latent, code, header, geometry, prediction=prediction)


def encode(codec, latent, code, size=None, **fields):
    """Packets of a frame whose size is that of the latent unless one is given."""
    size = size or (latent.shape[2] * 16, latent.shape[1] * 16)
    values = {"stream": 3, "frame": 7, "capture_time_ns": 1_700_000_000_123_456_789, **fields}
    return codec.encode(latent, code, encoded_size=size, source_size=size, **values)


def decode_frame(codec, packets, references=None):
    """Symbols (C, h, w) of all packets together."""
    pieces = [codec.decode(parse(packet), references) for packet in packets]
    symbols = np.zeros((CHANNELS, pieces[0].grid_h, pieces[0].grid_w), np.int16)
    for piece in pieces:
        _, height, width = piece.symbols.shape
        symbols[:, piece.y0 : piece.y0 + height, piece.x0 : piece.x0 + width] = piece.symbols
    return symbols


def read_frame(codec, frame, *references):
    """An EncodedFrame as the reference that it becomes, each packet decoded by itself."""
    window = ReferenceWindow()
    for reference in references:
        window.put(reference)
    pieces = [codec.decode(parse(packet), window) for packet in frame.packets]
    first = pieces[0]
    symbols = np.zeros((CHANNELS, first.grid_h, first.grid_w), np.int8)
    told = np.zeros(symbols.shape[1:], np.bool_)
    for piece in pieces:
        height, width = piece.told.shape
        rows, cols = slice(piece.y0, piece.y0 + height), slice(piece.x0, piece.x0 + width)
        symbols[:, rows, cols] = piece.symbols
        told[rows, cols] = piece.told
    header = first.header
    return Reference(header.frame, header.rate_code, first.geometry, symbols, told=told)


def two_frames(codec, latent, change, code, protection=UNPROTECTED):
    """EncodedFrames of a latent and of a later one, which is predicted from it."""
    first = encode_frame(codec, latent, code, 10)
    prediction = codec.predict(first.reference, Motion(), latent.shape[1:])
    header = Header(PacketType.FEATURES, 3, codec.checkpoint_id, 12, capture_time_ns=TIME_NS)
    second = codec.encode_frame(
        later(latent, 5, change), code, header, first.reference.geometry, protection, prediction
    )
    return first, second


class Helpers:
    """The functions above, for tests, which importlib mode keeps from importing this file."""

    checkpoint = CHECKPOINT
    channels = CHANNELS
    latent = staticmethod(make_latent)
    encode = staticmethod(encode)
    later = staticmethod(later)
    encode_frame = staticmethod(encode_frame)
    decode_frame = staticmethod(decode_frame)
    read_frame = staticmethod(read_frame)
    two_frames = staticmethod(two_frames)
    time_ns = TIME_NS
    reference = _module("reference")
    context_networks = context_networks


@pytest.fixture(scope="session")
def tables():
    return make_tables()


@pytest.fixture(scope="session")
def codec(tables):
    return LatentCodec(tables, CHECKPOINT)


@pytest.fixture(scope="session")
def temporal_codec():
    return LatentCodec(make_temporal_tables(), CHECKPOINT)


@pytest.fixture(scope="session")
def learned_codec():
    return LatentCodec(make_learned_tables(), CHECKPOINT)


@pytest.fixture(scope="session")
def skip_codec():
    return LatentCodec(make_skip_tables(), CHECKPOINT)


@pytest.fixture(scope="session")
def helpers():
    return Helpers
