# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from sc2_ros.codec.cdf import MAX_SYMBOL, TOTAL
from sc2_ros.codec.tables import SKIP, CodingTables, laplace_tables, rate_code
from sc2_ros.errors import CheckpointError


def test_rate_index_is_quantised_to_65_codes():
    assert [rate_code(r) for r in (-1.0, 0.0, 0.5, 0.507, 0.508, 1.0, 2.0)] == (
        [0, 0, 32, 32, 33, 64, 64]
    )


def test_arrays_round_trip(tables):
    again = CodingTables.from_arrays(tables.to_arrays())

    for field in dataclasses.fields(CodingTables):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(tables, field.name))
    assert again.groups == tables.groups


def test_gains_are_interpolated_between_anchors_in_the_log_domain(tables):
    np.testing.assert_allclose(tables.code_gains[::16], tables.gains, rtol=1e-6)
    np.testing.assert_allclose(
        tables.code_gains[8] ** 2, tables.gains[0] * tables.gains[1], rtol=1e-5
    )


def test_arrays_cannot_be_changed(tables):
    with pytest.raises(ValueError, match="read-only"):
        tables.index[0, 0, 0] = 1


@pytest.mark.parametrize(
    "name",
    [
        f.name
        for f in dataclasses.fields(CodingTables)
        if f.name not in ("temporal", "context", "skip")
    ],
)
def test_missing_array_is_named(tables, name):
    arrays = tables.to_arrays()
    del arrays[name]

    with pytest.raises(CheckpointError, match=name):
        CodingTables.from_arrays(arrays)


def _cdf(row, values):
    def change(arrays):
        arrays["cdfs"] = arrays["cdfs"].copy()
        arrays["cdfs"][row, : len(values)] = values

    return change


def _put(name, value):
    def change(arrays):
        arrays[name] = np.asarray(value)

    return change


def _spoil(name, where, value):
    def change(arrays):
        arrays[name] = arrays[name].astype(np.int64)
        arrays[name][where] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_put("gains", np.full((5, 12), -1.0)), "gains must be positive"),
        (_put("gains", np.full((5, 12), np.nan)), "gains must be positive"),
        (_put("gains", np.ones(12)), "gains must be"),
        (_put("groups", [2, 4, 7]), "groups"),
        (_put("groups", [12, 0]), "groups"),
        (_put("thresholds", [[0, 0, 0]]), "thresholds of shape"),
        (_put("thresholds", [[0, 0, 0], [3, 2, 1], [1, 2, 3]]), "ascend"),
        (_put("index", np.zeros((64, 4, 12))), "index of shape"),
        (_spoil("index", (0, 0, 0), 200), "beyond 40"),
        (_spoil("index", (0, 0, 0), 300), "not uint8"),
        (_cdf(0, [1]), "must rise"),
        (_cdf(0, [0, 0]), "must rise"),
        (_cdf(0, [0, TOTAL]), "must rise"),
        (_spoil("sizes", 0, 2), "sizes out of range"),
        (_spoil("sizes", 0, 999), "sizes out of range"),
        (_spoil("offsets", 0, -128), "beyond the symbols"),
        (_spoil("offsets", -1, 100), "beyond the symbols"),
        (_put("offsets", [0]), "one size and offset"),
    ],
)
def test_damaged_tables_are_refused(tables, change, message):
    arrays = tables.to_arrays()
    change(arrays)

    with pytest.raises(CheckpointError, match=message):
        CodingTables.from_arrays(arrays)


def test_laplace_tables_cost_close_to_the_entropy():
    random = np.random.default_rng(0)
    scale = 1.7
    symbols = np.clip(np.rint(random.laplace(scale=scale, size=20000)), -127, 127).astype(int)
    ones = np.ones((2, 1, 1))

    tables = laplace_tables(np.ones((2, 1)), scale * ones, (1,), np.zeros((1, 0)))

    spent = tables.bits[tables.index[0, 0, 0], symbols + MAX_SYMBOL].mean()
    _, counts = np.unique(symbols, return_counts=True)
    share = counts / counts.sum()
    assert spent == pytest.approx(-(share * np.log2(share)).sum(), rel=0.01)


def test_laplace_tables_skip_what_is_all_but_never_anything():
    scales = np.array([[[0.01, 0.2]], [[0.01, 0.2]]])

    tables = laplace_tables(np.ones((2, 2)), scales, (2,), np.zeros((1, 0)))

    assert tables.index[5, 0, 0] == SKIP
    assert tables.index[5, 0, 1] != SKIP
    assert not tables.bits[SKIP].any()
