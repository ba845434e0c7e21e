# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint that ships, made to send version 4 by a skip network that nobody has trained."""

from dataclasses import replace

import numpy as np

from sc2_ros.checkpoint import load
from sc2_ros.codec.cdf import quantised_cdf, stack
from sc2_ros.codec.context_network import TABLES
from sc2_ros.codec.skip_network import HIGHEST, LOWEST, SHARES, SkipNetwork


def version_3():
    """The checkpoint that ships, without its skip network if it has one."""
    checkpoint = load("default")
    return replace(checkpoint, tables=replace(checkpoint.tables, skip=None))


def version_4():
    """The same with the weights of its context network for symbols that are told."""
    checkpoint = version_3()
    return replace(checkpoint, tables=replace(checkpoint.tables, skip=hand_made(checkpoint)))


def hand_made(checkpoint):
    """A map, of which it expects nothing, before the groups of the context network."""
    context = checkpoint.tables.context
    hidden, channels = context.enter.shape[2], context.gains.shape[1]

    def after(array, axes):
        """With zeros for the map before what there is."""
        return np.pad(array, [(int(axis in axes), 0) for axis in range(array.ndim)])

    cdfs = [cdf[:size] for cdf, size in zip(context.cdfs, context.sizes, strict=True)]
    for odds in range(LOWEST, HIGHEST + 1):
        told = 1 / (1 + np.exp(-odds / 2))
        cdfs.append(quantised_cdf([1 - told, told], 0))
    bank, sizes = stack(cdfs)
    return SkipNetwork(
        channels=np.append(channels, context.channels),
        groups=np.append(1, context.groups),
        first_code=np.append(0, context.first_code),
        gains=np.pad(context.gains, ((0, 0), (0, 1)), constant_values=4096),
        enter=after(context.enter, (0, 4)),
        side=after(context.side, (0, 4)),
        enter_bias=after(context.enter_bias, (1,)),
        leave=after(context.leave, (0,)),
        leave_bias=after(context.leave_bias, (1,)),
        cdfs=bank,
        sizes=sizes,
        offsets=np.append(context.offsets, np.zeros(len(cdfs) - TABLES, np.int32)),
        share_bias=np.zeros((SHARES, len(context.groups) + 1, 2, hidden), np.int32),
    )
