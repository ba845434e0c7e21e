# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What packets take on the radio, by what carries them, over IPv4 (IPv6 has 20 bytes more each).

Three sizes of a frame are told apart everywhere: its payload (the entropy-coded bytes), its packets
(with our headers and checks), and what is on air (with the headers of the transport).
"""

from __future__ import annotations

HEADERS = {"topic": 100, "udp": 29, "udp_sealed": 42}
"""Bytes of each packet beyond its own: RTPS with UDP and IP; UDP, IP and our byte; the same with a
key, of 8 bytes of tag. Those of the link itself (WireGuard, the radio) come on top."""


def on_air_bytes(size_bytes: float, packets: float) -> dict[str, float]:
    """Bytes on air of so many packets with so many bytes in all, by transport."""
    return {
        transport: round(size_bytes + packets * header_bytes, 1)
        for transport, header_bytes in HEADERS.items()
    }
