# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The codec's part of a checkpoint: what is refused, and tables without statistics."""

import dataclasses

import numpy as np
import pytest

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL
from sc2_ros.codec.tables import CodingTables, laplacian_bank, rate_code, untrained_tables
from sc2_ros.errors import CheckpointError


def test_rate_index_is_quantised_to_65_codes():
    assert [rate_code(r) for r in (-1.0, 0.0, 0.5, 0.507, 0.508, 1.0, 2.0)] == (
        [0, 0, 32, 32, 33, 64, 64]
    )


def test_arrays_round_trip(tables):
    arrays = tables.to_arrays()
    again = CodingTables.from_arrays(arrays | {"other": np.zeros(3)})

    assert sorted(again.to_arrays()) == sorted(arrays)
    for name, array in again.to_arrays().items():
        np.testing.assert_array_equal(array, arrays[name])
    with pytest.raises(ValueError, match="read-only"):
        again.gains[0, 0] = 1


def test_tables_without_a_skip_network_come_back_without(helpers, tables):
    plain = helpers.only_keyframes(tables)

    assert CodingTables.from_arrays(plain.to_arrays()).skip is None


@pytest.mark.parametrize(
    "name",
    ["gains", "context_groups", "context_leave", "skip_side", "skip_share_bias", "skip_cdfs"],
)
def test_a_missing_array_is_named(tables, name):
    arrays = tables.to_arrays()
    del arrays[name]

    with pytest.raises(CheckpointError, match=f"lacks.*{name}"):
        CodingTables.from_arrays(arrays)


def test_gains_are_scaled_to_integers(tables):
    assert tables.integer_gains.tolist() == np.rint(tables.gains * 4096.0).astype(int).tolist()
    assert tables.channels == 11


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gains": np.full((65, 11), -1.0)}, "gains must be positive"),
        ({"gains": np.full((65, 11), np.nan)}, "gains must be positive"),
        ({"gains": np.ones(11)}, "gains must be"),
        ({"gains": np.ones((64, 11))}, "gains must be"),
        ({"gains": np.full((65, 11), 1e-5)}, "1/4096 to 4095"),
        ({"gains": np.full((65, 11), 5000.0)}, "1/4096 to 4095"),
        ({"gains": np.ones((65, 12))}, "context network of other channels"),
    ],
)
def test_damaged_gains_are_refused(tables, change, message):
    with pytest.raises(CheckpointError, match=message):
        dataclasses.replace(tables, **change)


def test_networks_that_do_not_belong_there_are_refused(helpers, tables):
    gains = np.ones((65, 2))
    other = helpers.context_networks.hand_made_skip((2,), (0,), gains, np.ones(2))

    with pytest.raises(CheckpointError, match="skip network of other channels"):
        dataclasses.replace(tables, skip=other)
    with pytest.raises(CheckpointError, match="has no skip map"):
        dataclasses.replace(tables, skip=tables.context)
    with pytest.raises(CheckpointError, match="has a skip map"):
        dataclasses.replace(tables, context=tables.skip)


@pytest.mark.parametrize("spread", [0.2, 1.7, 9.0])
def test_untrained_tables_cost_close_to_the_entropy(helpers, spread):
    random = np.random.default_rng(0)
    latent = random.laplace(scale=spread, size=(1, 50, 60)).astype(np.float32)
    gains = np.ones((65, 1), np.float32)

    codec = helpers.codec(untrained_tables(gains, spread * gains))
    frame = codec.encode(latent, 32)

    _, counts = np.unique(np.rint(latent), return_counts=True)
    share = counts / counts.sum()
    entropy = -(share * np.log2(share)).sum() * latent.size / 8
    assert frame.price.size_bytes - 40 * len(frame.packets) == pytest.approx(entropy, rel=0.05)
    codec.check(frame)


def test_the_bank_is_that_of_laplacians():
    pmfs = laplacian_bank()

    assert len(pmfs) == 232
    for table in (4, 100, 231):
        level, fraction = divmod(table, 8)
        symbols = np.arange(-MAX_SYMBOL, MAX_SYMBOL + 1)
        mean = float(pmfs[table] @ symbols)
        assert pmfs[table].sum() == pytest.approx(1)
        if level:
            assert mean == pytest.approx((fraction - 4) / 8, abs=0.1)
