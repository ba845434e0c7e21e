# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Context networks made by hand, which predict from a reference and know how busy channels are."""

from dataclasses import fields

import numpy as np

from sc2_ros.codec.cdf import quantised_cdf, stack
from sc2_ros.codec.context_network import FRACTIONS, TABLES, ContextNetwork
from sc2_ros.codec.skip_network import HIGHEST, LOWEST, MAP_TABLES, SHARES, SkipNetwork
from sc2_ros.codec.temporal_tables import fixed_gains

ROWS = 9
CENTRE = 4


def laplacian_bank(least=2.0**-14):
    """cdfs, sizes, offsets: symbols less likely than `least` are escaped."""
    symbol = np.arange(-127, 128)
    cdfs, offsets = [], []
    for table in range(TABLES):
        level, fraction = divmod(table, FRACTIONS)
        spread = np.exp(-2.8 + 0.2 * (level + 0.5))
        distance = np.abs(symbol - (fraction - 4) / FRACTIONS)
        pmf = np.exp(-np.maximum(distance - 0.5, 0) / spread)
        pmf /= pmf.sum()
        likely = np.flatnonzero(pmf >= least)
        low, high = min(likely[0], 127), max(likely[-1], 127) + 1
        cdfs.append(quantised_cdf(pmf[low:high], pmf[:low].sum() + pmf[high:].sum()))
        offsets.append(low - 127)
    return *stack(cdfs), np.array(offsets)


def hand_made(channels, groups, first_code, code_gains, spread, *, least=2.0**-14, seed=0):
    """A network for channels whose latents are Laplacian of mean magnitudes `spread` (n,).

    Two hidden units of each channel carry the reference's symbol to its mean; one lowers the
    spread where there is a reference. All weights have some noise as well.
    """
    random = np.random.default_rng(seed)
    count, steps, hidden = len(channels), (len(groups), 2), 2 * max(groups) + 1
    enter = random.integers(-1, 2, (*steps, hidden, 9, count))
    side = random.integers(-1, 2, (*steps, hidden, 9, count + 1))
    enter_bias = random.integers(-9, 10, (ROWS, *steps, hidden))
    leave = random.integers(-2, 3, (count, 2, 2, hidden))
    side[:, :, -1, CENTRE, -1] = 32
    leave[:, :, 1, -1] = -60
    for group, (size, end) in enumerate(zip(groups, np.cumsum(groups), strict=True)):
        for unit, place in enumerate(range(end - size, end)):
            side[group, :, 2 * unit, CENTRE, place] = 32
            side[group, :, 2 * unit + 1, CENTRE, place] = -32
            leave[place, :, 0, 2 * unit] = 64
            leave[place, :, 0, 2 * unit + 1] = -64
            leave[place, :, 1, 2 * unit : 2 * unit + 2] = 12
    scales = code_gains[::8, channels] * spread
    leave_bias = np.zeros((ROWS, count, 2, 2))
    leave_bias[..., 1] = (np.rint(2048 * (np.log(scales) + 2.8)))[:, :, None]
    cdfs, sizes, offsets = laplacian_bank(least)
    return ContextNetwork(
        channels=np.array(channels),
        groups=np.array(groups),
        first_code=np.array(first_code),
        gains=fixed_gains(code_gains),
        enter=enter,
        side=side,
        enter_bias=enter_bias,
        leave=leave,
        leave_bias=leave_bias,
        cdfs=cdfs,
        sizes=sizes,
        offsets=offsets,
    )


def map_bank():
    """cdfs and offsets of the map: told or skipped, at odds of -14 .. 8 halves."""
    told = [1 / (1 + np.exp(-odds / 2)) for odds in range(LOWEST, HIGHEST + 1)]
    return [quantised_cdf([1 - share, share], 0) for share in told], [0] * MAP_TABLES


def hand_made_skip(channels, groups, first_code, code_gains, spread, *, least=2.0**-14, seed=0):
    """The same for predicted slices, of the same channels, with a map before them.

    A position is likely to be told where the reference's was, where its neighbours are, and in a
    slice of a high share class.
    """
    random = np.random.default_rng(seed)
    rates, latent_channels = code_gains.shape
    made = hand_made(
        [latent_channels, *channels],
        (1, *groups),
        (0, *first_code),
        np.concatenate((code_gains, np.ones((rates, 1))), 1),
        np.array([1.0, *spread]),
        least=least,
        seed=seed,
    )
    arrays = {field.name: getattr(made, field.name).copy() for field in fields(made)}
    share_bias = random.integers(-3, 4, (SHARES, len(groups) + 1, 2, made.enter.shape[2]))
    # Of the map's units, 0 and 1 look at the reference, 2 at the neighbours, 3 at the share.
    arrays["enter"][0, 1, 2, 1::2, 0] = 16
    share_bias[:, 0, :, 3] = np.array([0, 0, 30, 80])[:, None]
    arrays["leave"][0, :, 0, 2:4] = 64
    arrays["leave_bias"][:, 0, :, 0] = -6000
    cdfs, offsets = map_bank()
    cdfs = [cdf[:size] for cdf, size in zip(made.cdfs, made.sizes, strict=True)] + cdfs
    arrays["cdfs"], arrays["sizes"] = stack(cdfs)
    arrays["offsets"] = np.append(made.offsets, offsets)
    return SkipNetwork(**arrays, share_bias=share_bias)
