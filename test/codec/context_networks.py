# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Context networks made by hand, which predict from a reference and know how busy channels are."""

import numpy as np

from sc2_ros.codec.entropy.cdf import Bank, quantised_cdf
from sc2_ros.codec.entropy.context_network import (
    HIGHEST_ODDS,
    LOWEST_ODDS,
    ContextNetwork,
)
from sc2_ros.codec.tables import laplacian_bank
from sc2_ros.codec.wire.predicted import SHARES

ROWS = 9
CENTRE = 4


def symbol_tables(least=2.0**-15):
    """CDFs of all levels and fractions, and what they begin with; rarer symbols are escaped."""
    cdfs, offsets = [], []
    for pmf in laplacian_bank():
        likely = np.flatnonzero(pmf >= least)
        low, high = min(likely[0], 127), max(likely[-1], 127) + 1
        cdfs.append(quantised_cdf(pmf[low:high], pmf[:low].sum() + pmf[high:].sum()))
        offsets.append(low - 127)
    return cdfs, offsets


def hand_made(groups, first_code, gains, spread, seed=0, least=2.0**-15):
    """A network for channels whose latents are Laplacian of mean magnitudes `spread` (n,).

    It knows the spread of each channel; all weights have some noise as well.
    """
    return ContextNetwork(
        **_weights(groups, first_code, gains, spread, seed), bank=Bank.of(*symbol_tables(least))
    )


def hand_made_skip(groups, first_code, gains, spread, seed=0, least=2.0**-15):
    """The same for predicted frames, with a map before the channels.

    Two hidden units of each channel carry the predicted symbol to its mean; one lowers the spread
    where the reference is known. A position is likely to be coded where the reference's was, where
    its neighbours are, and in a slice of a high share class.
    """
    random = np.random.default_rng(seed + 1)
    groups, first_code = (1, *groups), (0, *first_code)
    gains = np.concatenate((np.ones((len(gains), 1)), gains), 1)
    arrays = _weights(groups, first_code, gains, np.array([1.0, *spread]), seed)
    enter, leave = arrays["enter"], arrays["leave"]
    side = random.integers(-1, 2, (*enter.shape[:4], enter.shape[4] + 1))
    side[:, :, -1, CENTRE, -1] = 32
    leave[:, :, 1, -1] = -60
    for group, (size, end) in enumerate(zip(groups, np.cumsum(groups), strict=True)):
        for unit, channel in enumerate(range(end - size, end)):
            side[group, :, 2 * unit, CENTRE, channel] = 32
            side[group, :, 2 * unit + 1, CENTRE, channel] = -32
            leave[channel, :, 0, 2 * unit] = 64
            leave[channel, :, 0, 2 * unit + 1] = -64
            leave[channel, :, 1, 2 * unit : 2 * unit + 2] = 12
    share_bias = random.integers(-3, 4, (SHARES, *enter.shape[:3]))
    # Of the map's units, 0 and 1 look at the reference, 2 at the neighbours, 3 at the share.
    enter[0, 1, 2, 1::2, 0] = 16
    share_bias[:, 0, :, 3] = np.array([0, 0, 30, 80])[:, None]
    leave[0, :, 0, 2:4] = 64
    arrays["leave_bias"][:, 0, :, 0] = -6000
    cdfs, offsets = symbol_tables(least)
    for odds in range(LOWEST_ODDS, HIGHEST_ODDS + 1):
        share = 1 / (1 + np.exp(-odds / 2))
        cdfs.append(quantised_cdf([1 - share, share], 0))
        offsets.append(0)
    return ContextNetwork(**arrays, side=side, share_bias=share_bias, bank=Bank.of(cdfs, offsets))


def _weights(groups, first_code, gains, spread, seed):
    random = np.random.default_rng(seed)
    count, steps, hidden = len(spread), (len(groups), 2), 2 * max(groups) + 1
    leave_bias = np.zeros((ROWS, count, 2, 2))
    leave_bias[..., 1] = np.rint(2048 * (np.log(gains[::8] * spread) + 2.8))[:, :, None]
    return {
        "groups": np.array(groups),
        "first_code": np.array(first_code),
        "enter": random.integers(-1, 2, (*steps, hidden, 9, count)),
        "enter_bias": random.integers(-9, 10, (ROWS, *steps, hidden)),
        "leave": random.integers(-2, 3, (count, 2, 2, hidden)),
        "leave_bias": leave_bias,
    }
