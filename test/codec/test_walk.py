# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The walk in C and the walk in numpy choose, code and read the same, bit for bit."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec.entropy import kernel
from sc2_ros.codec.entropy.compiled_walk import CompiledWalk
from sc2_ros.codec.entropy.context_network import MEAN_BITS
from sc2_ros.codec.entropy.plain_rans import PlainBank
from sc2_ros.codec.entropy.plain_walk import PlainWalk
from sc2_ros.codec.entropy.walk import Candidates, PredictedInput
from sc2_ros.codec.entropy.walks import open_walk
from sc2_ros.codec.slicing import Grid, coding_order
from sc2_ros.codec.tables import untrained_tables
from sc2_ros.errors import PacketError

needs_kernel = pytest.mark.skipif(kernel.library is None, reason="the kernel was not built")


def network_of(tables, predicted):
    return tables.skip if predicted else tables.context


def case(tables, predicted, code, grid, seed, density):
    """Candidates, and for a predicted frame what the reference says, of a random frame."""
    random = np.random.default_rng(seed)
    order, network = coding_order(grid), network_of(tables, predicted)
    count, channels = len(order.positions), network.channels
    shape = (count, channels)

    def symbols():
        values = np.rint(random.laplace(size=shape) * 9) * (random.random(shape) < density)
        values[:, network.count(code) :] = 0
        return values.clip(-127, 127).astype(np.int32)

    rest = random.uniform(-0.5, 0.5, shape).astype(np.float32)
    weight = random.uniform(0, 0.3, count).astype(np.float32)
    if not predicted:
        return Candidates(symbols(), rest, weight), None
    shares = order.by_slice(random.integers(0, 4, grid.rows * grid.cols))
    coded = (random.random(count) < 0.4) & (shares > 0)
    expected = symbols()
    planes = np.zeros((count, channels + 2), np.int8)
    planes[:, 0] = random.random(count) < 0.5
    planes[order.positions, 1:-1] = expected.clip(-7, 7)
    planes[:, -1] = random.random(count) < 0.9
    around = order.frame_around.astype(np.int32)
    offered = np.where(coded[:, None], symbols(), expected)
    return (
        Candidates(offered, rest, weight, coded),
        PredictedInput(expected, planes, around, shares),
    )


CASES = {
    "predicted": st.booleans(),
    "code": st.integers(0, 64),
    "grid": st.builds(
        lambda rows, cols, height, width: Grid(rows, cols, height + rows, width + cols),
        *[st.integers(1, 3)] * 2,
        *[st.integers(0, 9)] * 2,
    ),
    "seed": st.integers(0, 2**32 - 1),
    "density": st.sampled_from([0.0, 0.05, 0.5, 1.0]),
}


@needs_kernel
@settings(max_examples=150)
@given(**CASES)
def test_both_choose_and_write_the_same(tables, predicted, code, grid, seed, density):
    network, order = network_of(tables, predicted), coding_order(grid)
    candidates, reference = case(tables, predicted, code, grid, seed, density)
    plain, compiled = PlainWalk(network), CompiledWalk(network)

    expected = plain.choose(code, order, candidates, reference)
    found = compiled.choose(code, order, candidates, reference)

    for name in ("symbols", "tables", "values", "cost"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    for number in range(grid.rows * grid.cols):
        data = plain.payload(code, order, expected, number)
        assert compiled.payload(code, order, found, number) == data


@pytest.mark.parametrize("kind", [CompiledWalk, PlainWalk])
@settings(max_examples=60)
@given(**CASES)
def test_what_was_written_is_read(kind, tables, predicted, code, grid, seed, density):
    if kind is CompiledWalk and kernel.library is None:
        pytest.skip("the kernel was not built")
    network, order = network_of(tables, predicted), coding_order(grid)
    candidates, reference = case(tables, predicted, code, grid, seed, density)
    walk = kind(network)
    chosen = walk.choose(code, order, candidates, reference)

    for number, patch in enumerate(grid.patches()):
        ranks = order.slice_ranks(number)
        own = coding_order(Grid(1, 1, patch.y1 - patch.y0, patch.x1 - patch.x0))
        said = None
        if reference is not None:
            said = PredictedInput(
                reference.symbols[ranks],
                reference.planes,
                reference.around[ranks],
                reference.shares[ranks],
            )
        symbols, coded = walk.read(code, own, walk.payload(code, order, chosen, number), said)
        assert np.array_equal(symbols, chosen.symbols[ranks])
        expected = np.ones(len(ranks)) if candidates.coded is None else candidates.coded[ranks]
        assert np.array_equal(coded, expected)


@needs_kernel
@settings(max_examples=200)
@given(
    predicted=st.booleans(),
    code=st.integers(0, 64),
    share=st.integers(0, 3),
    data=st.one_of(
        st.binary(max_size=80),
        st.binary(min_size=8, max_size=80).map(lambda data: data[: len(data) // 4 * 4]),
    ),
)
def test_hostile_bytes_are_read_alike_or_refused_by_both(tables, predicted, code, share, data):
    network, order = network_of(tables, predicted), coding_order(Grid(1, 1, 5, 6))
    _, reference = case(tables, predicted, code, Grid(1, 1, 5, 6), 3, 0.2)
    if reference is not None:
        shares = np.full(30, share, np.uint8)
        reference = PredictedInput(reference.symbols, reference.planes, reference.around, shares)

    def outcome(walk):
        try:
            symbols, coded = walk.read(code, order, data, reference)
        except PacketError:
            return "refused"
        return symbols.tolist(), coded.tolist()

    assert outcome(CompiledWalk(network)) == outcome(PlainWalk(network))


@pytest.mark.parametrize("kind", [CompiledWalk, PlainWalk])
@pytest.mark.parametrize(("value", "is_read"), [(127, True), (128, False), (130, False)])
def test_a_value_beyond_127_is_refused_although_its_symbol_is_not(kind, value, is_read):
    if kind is CompiledWalk and kernel.library is None:
        pytest.skip("the kernel was not built")
    network = untrained_tables(*[np.ones((65, 1), np.float32)] * 2).context
    leave_bias = network.leave_bias.copy()
    leave_bias[..., 0] = -40 << MEAN_BITS  # eighths: a mean of -5
    network = dataclasses.replace(network, leave_bias=leave_bias)
    order = coding_order(Grid(1, 1, 1, 1))
    expected = network.at(0).expect(network.steps[0], np.zeros((1, 9), np.float32))
    # The coders write what is an int8 only.
    data = PlainBank(network.bank).encode(expected.table[0].tolist(), [value])

    if is_read:
        assert kind(network).read(0, order, data)[0].tolist() == [[value - 5]]
    else:
        with pytest.raises(PacketError, match="out of range"):
            kind(network).read(0, order, data)


def test_without_the_kernel_numpy_does_it(tables, monkeypatch):
    monkeypatch.setattr(kernel, "library", None)
    assert isinstance(open_walk(tables.context), PlainWalk)


@needs_kernel
def test_a_library_of_another_version_is_not_used(monkeypatch):
    monkeypatch.setattr(kernel, "VERSION", kernel.VERSION + 1)
    assert kernel._load() is None
