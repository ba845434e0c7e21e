# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints whose frames are predicted from earlier ones."""

from dataclasses import replace
from functools import cache

import numpy as np

from sc2_ros import checkpoint
from sc2_ros.codec.entropy.cdf import Bank, quantised_cdf
from sc2_ros.codec.entropy.context_network import HIGHEST_ODDS, LOWEST_ODDS, ContextNetwork
from sc2_ros.codec.slicing import PHASES, TAPS
from sc2_ros.codec.wire.predicted import SHARES


def shipped():
    """The checkpoint that ships."""
    return checkpoint.load("default")


@cache
def untrained():
    """Random networks, and a skip network that knows nothing but the spread of each channel."""
    plain = checkpoint.untrained()
    return replace(plain, tables=replace(plain.tables, skip=_skip(plain.tables.context)))


def _skip(context):
    """A map that is as likely set as not, before the channels of a network of keyframes."""
    cdfs = [cdf[:size] for cdf, size in zip(context.bank.cdfs, context.bank.sizes, strict=True)]
    offsets = context.bank.offsets.tolist()
    for odds in range(LOWEST_ODDS, HIGHEST_ODDS + 1):
        share = 1 / (1 + np.exp(-odds / 2))
        cdfs.append(quantised_cdf([1 - share, share], 0))
        offsets.append(0)
    steps = (len(context.groups) + 1, PHASES, 1)
    channels = context.channels + 1
    return ContextNetwork(
        groups=np.append(1, context.groups),
        first_code=np.append(0, context.first_code),
        enter=np.zeros((*steps, TAPS, channels)),
        enter_bias=np.zeros((9, *steps)),
        leave=np.zeros((channels, PHASES, 2, 1)),
        leave_bias=np.pad(context.leave_bias, ((0, 0), (1, 0), (0, 0), (0, 0))),
        bank=Bank.of(cdfs, offsets),
        side=np.zeros((*steps, TAPS, channels + 1)),
        share_bias=np.zeros((SHARES, *steps)),
    )
