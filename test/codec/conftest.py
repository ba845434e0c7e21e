# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables, codecs and latents that look like a trained network's, small enough for slow checks."""

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from sc2_ros.codec.frame.decoder import PacketDecoder
from sc2_ros.codec.frame.encoder import FrameEncoder
from sc2_ros.codec.frame.plan import UNPROTECTED
from sc2_ros.codec.frame.reference import Reference, ReferenceWindow
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire import Geometry, Motion, parse

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
GROUPS, FIRST_CODE = (2, 4, 5), (0, 0, 24)
CHANNELS = sum(GROUPS)
SPREAD = np.geomspace(1.0, 0.05, CHANNELS)


def make_tables():
    """Both networks, made by hand; the last five channels begin at code 24."""
    gains = np.geomspace(0.5, 8.0, 65)[:, None] * np.linspace(0.8, 1.2, CHANNELS)
    shape = (GROUPS, FIRST_CODE, gains, SPREAD)
    return CodingTables(
        gains, context_networks.hand_made(*shape), context_networks.hand_made_skip(*shape)
    )


def make_latent(height, width, seed=0, scale=1.0):
    """(11, height, width): Laplacian, busy in some places, later channels nearly always zero."""
    random = np.random.default_rng(seed)
    coarse = random.exponential(size=(-(-height // 4), -(-width // 4)))
    envelope = coarse.repeat(4, 0).repeat(4, 1)[:height, :width]
    latent = random.laplace(size=(CHANNELS, height, width)) * SPREAD[:, None, None]
    return (latent * envelope * scale).astype(np.float32)


def later(latent, seed=0, change=0.3):
    """A latent like this one, some time later: the same but for a share of it."""
    other = make_latent(*latent.shape[1:], seed=seed + 1000)
    return (np.sqrt(1 - change**2) * latent + change * other).astype(np.float32)


class Codec:
    """Both ends of one checkpoint."""

    def __init__(self, tables, checkpoint_id=CHECKPOINT, **options):
        self.tables, self.checkpoint_id = tables, checkpoint_id
        self.encoder = FrameEncoder(tables, checkpoint_id, **options)
        self.decoder = PacketDecoder(tables, checkpoint_id)

    def with_lambda(self, rdoq_lambda):
        return Codec(self.tables, self.checkpoint_id, rdoq_lambda=rdoq_lambda)

    def frame(
        self,
        latent,
        reference=None,
        motion=None,
        origin=(0, 0),
        size=None,
        rdoq_lambda=None,
    ):
        """A SourceFrame; its picture is as large as its grid unless a size is given."""
        height, width = latent.shape[1:]
        size = size or (width * 16 - origin[0], height * 16 - origin[1])
        prediction = None
        if reference is not None:
            prediction = self.encoder.predict(reference, motion or Motion(), (height, width))
        geometry = Geometry(size, size, origin)
        return self.encoder.frame(latent, geometry, prediction, rdoq_lambda)

    def encode(
        self, latent, code, frame=7, *, time_ns=0, stream=3, protection=UNPROTECTED, **options
    ):
        """An EncodedFrame."""
        plan = self.encoder.plan(self.frame(latent, **options), code, protection)
        return self.encoder.encode(plan, stream=stream, frame=frame, capture_time_ns=time_ns)

    def read(self, packets, *references):
        """The frame of its features packets as the ground has it, each decoded by itself."""
        window = ReferenceWindow()
        for reference in references:
            window.put(reference)
        pieces = [
            PacketDecoder(self.tables, self.checkpoint_id).decode(parse(p), window) for p in packets
        ]
        first = pieces[0]
        symbols = np.zeros((self.tables.channels, first.grid_h, first.grid_w), np.int8)
        coded = np.zeros(symbols.shape[1:], np.bool_)
        for piece in pieces:
            height, width = piece.coded.shape
            rows, cols = slice(piece.y0, piece.y0 + height), slice(piece.x0, piece.x0 + width)
            symbols[:, rows, cols] = piece.symbols
            coded[rows, cols] = piece.coded
        header = first.header
        return Reference(header.frame, header.rate_code, first.geometry, symbols, coded)

    def check(self, frame, *references):
        """Whatever was sent is read, map and all, at its price."""
        slices = frame.packets[: len(frame.price.slice_bytes)]
        found = self.read(slices, *references)
        assert np.array_equal(found.symbols, frame.reference.symbols)
        assert np.array_equal(found.coded, frame.reference.coded)
        assert found.digest == frame.reference.digest
        for size_bytes, data in zip(frame.price.slice_bytes, slices, strict=True):
            assert abs(size_bytes - len(data)) <= 4
            assert len(data) <= 1200

    def two_frames(self, latent, change, code, protection=UNPROTECTED):
        """EncodedFrames of a latent and of a later one, which is predicted from it."""
        first = self.encode(latent, code, 10)
        second = self.encode(
            later(latent, 5, change),
            code,
            12,
            reference=first.reference,
            time_ns=TIME_NS,
            protection=protection,
        )
        return first, second


class Helpers:
    """The functions above, for tests, which importlib mode keeps from importing this file."""

    checkpoint = CHECKPOINT
    channels = CHANNELS
    late = slice(6, 11)
    time_ns = TIME_NS
    codec = Codec
    latent = staticmethod(make_latent)
    later = staticmethod(later)
    context_networks = context_networks

    @staticmethod
    def reference_decoder():
        return _module("reference")

    @staticmethod
    def only_keyframes(tables):
        return dataclasses.replace(tables, skip=None)


@pytest.fixture(scope="session")
def tables():
    return make_tables()


@pytest.fixture(scope="session")
def codec(tables):
    return Codec(tables)


@pytest.fixture(scope="session")
def helpers():
    return Helpers
