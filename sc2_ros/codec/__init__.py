# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents to packets and back. numpy only; docs/bitstream.md specifies every byte.

::

    latent (C, h, w) float32
      -> frame/    symbols (C, h, w) int8: rounding, skip map, RDOQ; the grid of slices, the rate
      -> entropy/  one rANS byte string per slice, by an integer context network
      -> wire/     packets of at most 1,200 bytes

    FrameEncoder (frame/encoder.py)      drone: frame, search for a rate, encode
    PacketDecoder (frame/decoder.py)     ground: a packet to the symbols of its slice
    CodingTables (tables.py)             what both must share, part of a checkpoint
"""
