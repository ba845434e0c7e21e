# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context import contexts
from sc2_ros.codec.fit import fit_tables
from sc2_ros.codec.tables import SKIP

CODES = [0, 16, 32, 48, 64]


def histograms(codec, latents):
    tables = codec.tables
    counts = np.zeros((len(CODES), tables.contexts, tables.channels, 255), np.int64)
    for latent in latents:
        for place, code in enumerate(CODES):
            symbols = codec.quantise(latent, code).astype(int)
            start = 0
            for group, size in enumerate(tables.groups):
                context = contexts(symbols, start, tables.thresholds[group])
                for channel in range(start, start + size):
                    where = (context.ravel(), symbols[channel].ravel() + MAX_SYMBOL)
                    np.add.at(counts[place, :, channel], where, 1)
                start += size
    return counts


@pytest.fixture(scope="module")
def counts(helpers, codec):
    return histograms(codec, [helpers.latent(32, 40, seed) for seed in range(6)])


def fit(codec, counts, **options):
    tables = codec.tables
    return fit_tables(tables.gains, tables.groups, tables.thresholds, counts, **options)


def spent_bits(tables, counts):
    return float((tables.bits[tables.index[CODES]] * counts).sum())


def entropy_bits(counts):
    total = counts.sum(axis=3, keepdims=True)
    share = counts / np.maximum(total, 1)
    return float(-(counts * np.log2(np.maximum(share, 1e-300))).sum())


def test_fitted_tables_cost_hardly_more_than_the_entropy(codec, counts):
    fitted = fit(codec, counts)

    assert len(fitted.cdfs) <= 127
    assert spent_bits(fitted, counts) < 1.02 * entropy_bits(counts)


def test_few_tables_serve_worse_but_serve(codec, counts):
    many, few = fit(codec, counts, tables=60), fit(codec, counts, tables=6)

    assert len(few.cdfs) <= 6
    assert spent_bits(many, counts) < spent_bits(few, counts) < 1.3 * entropy_bits(counts)


def test_fresh_frames_cost_less_than_with_laplace_tables(helpers, codec, counts):
    fitted = type(codec)(fit(codec, counts), helpers.checkpoint)
    latent = helpers.latent(32, 40, seed=99)

    for code in CODES:
        assert fitted.price(latent, code).size_bytes < codec.price(latent, code).size_bytes
        packets = helpers.encode(fitted, latent, code)
        sent = fitted.quantise(latent, code)
        changed = helpers.decode_frame(fitted, packets) != sent
        assert changed.mean() < 0.001


def test_rare_symbols_stay_codable(helpers, codec, counts):
    fitted = type(codec)(fit(codec, counts), helpers.checkpoint)
    latent = helpers.latent(8, 8, scale=1e4)
    symbols = fitted.quantise(latent, 64)

    decoded = helpers.decode_frame(fitted, helpers.encode(fitted, latent, 64))

    coded = decoded != 0
    assert coded.mean() > 0.5
    np.testing.assert_array_equal(decoded[coded], symbols[coded])


def test_what_is_hardly_ever_anything_is_skipped(codec, counts):
    counts = counts.copy()
    counts[:, :, 11] = 0
    counts[:, :, 11, MAX_SYMBOL] = 100_000
    counts[:, :, 11, MAX_SYMBOL + 1] = 30
    counts[:, :, 10] = counts[:, :, 11]
    counts[:, :, 10, MAX_SYMBOL - 1] = 90

    index = fit(codec, counts, skip_below=0.001).index

    assert np.all(index[:, :, 11] == SKIP)
    assert np.all(index[:, :, 10] != SKIP)


def test_nothing_seen_at_all_still_gives_valid_tables(codec, counts):
    fitted = fit(codec, np.zeros_like(counts))

    assert fitted.index.shape == (65, codec.tables.contexts, codec.tables.channels)


def test_codes_between_take_the_nearest(codec, counts):
    fitted = fit(codec, counts[[0, 2]], codes=[0, 32])

    np.testing.assert_array_equal(fitted.index[15], fitted.index[0])
    np.testing.assert_array_equal(fitted.index[17], fitted.index[32])
    np.testing.assert_array_equal(fitted.index[64], fitted.index[32])


@pytest.mark.parametrize("shape", [(5, 4, 12, 254), (5, 4, 255)])
def test_wrong_histograms_are_refused(codec, shape):
    with pytest.raises(ValueError, match="counts of shape"):
        fit(codec, np.zeros(shape, np.int64))


def test_wrong_number_of_codes_is_refused(codec, counts):
    with pytest.raises(ValueError, match="one for each"):
        fit(codec, counts, codes=[0, 64])
