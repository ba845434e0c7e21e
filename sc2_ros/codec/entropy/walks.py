# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which of the two walks this machine takes (walk.py)."""

from sc2_ros.codec.entropy import kernel
from sc2_ros.codec.entropy.compiled_walk import CompiledWalk
from sc2_ros.codec.entropy.context_network import ContextNetwork
from sc2_ros.codec.entropy.plain_walk import PlainWalk
from sc2_ros.codec.entropy.walk import Walk


def open_walk(network: ContextNetwork) -> Walk:
    """The walk with a network: compiled, where the kernel could be built."""
    if kernel.library is not None and network.enter.shape[2] <= kernel.MAX_HIDDEN:
        return CompiledWalk(network)
    return PlainWalk(network)
