# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packets of a drone with random weights, as the tests of the ground's pipeline take them."""

import zlib
from dataclasses import replace
from functools import cache

import numpy as np

from sc2_ros import checkpoint
from sc2_ros.codec import wire
from sc2_ros.ground.pipeline import GroundConfig
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

EVERYTHING = GroundConfig(score_threshold=0.0, max_detections=20, frame_timeout_s=0.2)
"""An untrained network is sure of nothing, so every score counts."""


@cache
def model(seed=0):
    return checkpoint.untrained(seed)


def noise(width=160, height=128, *, seed=0, channels=(3,)):
    """A picture so rich that it takes several packets."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, *channels), dtype=np.uint8)


def stamp(number):
    return 1_000_000_000 + number * 33_000_000


@cache
def frames_of_packets(count=3, stream=0, start=0, width=160, height=128):
    """Features packets of consecutive frames, without stream info."""
    pipeline = OnboardPipeline(model(), OnboardConfig(rate_index=1.0, stream=stream))
    pipeline._frame = start & 0xFFFF
    frames = []
    for number in range(count):
        image = noise(width, height, seed=number)
        packets = pipeline.process(CameraFrame(image, stamp(number), "cam"), number * 0.03)
        frames.append([p for p in packets if wire.parse(p).header.type == 0])
    return frames


def receive_all(ground, packets, now_s=0.0):
    return [result for packet in packets for result in ground.receive(packet, now_s)]


def sealed(packet):
    """With the checksum that it should have, where its form has it."""
    packet = bytearray(packet)
    at, size = (6, 2) if packet[:1] == b"\x14" else (20, 4)
    packet[at : at + size] = bytes(size)
    packet[at : at + size] = zlib.crc32(packet).to_bytes(4, "little")[:size]
    return bytes(packet)


def renumbered(packet, frame, capture_time_ns):
    """The same slice as one of another frame."""
    parsed = wire.parse(packet)
    header = replace(parsed.header, frame=frame & 0xFFFF, capture_time_ns=capture_time_ns)
    return wire.build(header, parsed.payload)
