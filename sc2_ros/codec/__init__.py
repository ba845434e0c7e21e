# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents to packets and back: gains, probability tables, rANS, slices, packet format.

    latent (C, h, w) float32
      -> quantise      symbols (C, h, w) int8           gain of the rate code, round, clip
      -> contexts      table number of every symbol     integers only
      -> rANS          one byte string per slice        patches of the h x w grid
      -> packet        <= 1,200 bytes each              24-byte header, CRC

numpy only; docs/bitstream.md specifies every byte.
"""
