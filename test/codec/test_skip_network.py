# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The skip network: what is refused, and that float32 gives the integers exactly."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec.skip_network import SkipNetwork
from sc2_ros.codec.tables import CodingTables
from sc2_ros.errors import CheckpointError

NAMES = [field.name for field in dataclasses.fields(SkipNetwork)]
SHAPED = [name for name in NAMES if name not in ("cdfs", "sizes", "offsets")]
CHANNELS = 6


@pytest.fixture(scope="session")
def network(helpers):
    """The map, then five of six channels in groups of 2 and 3, the second from code 20 on."""
    gains = np.geomspace(0.5, 8.0, 65)[:, None] * np.linspace(0.8, 1.2, CHANNELS)
    return helpers.context_networks.hand_made_skip(
        [3, 0, 5, 1, 2], (2, 3), (0, 20), gains, np.array([0.1, 0.2, 0.5, 1, 2]), seed=4
    )


def with_values(network, name, place, value):
    array = getattr(network, name).copy()
    array[place] = value
    return {name: array}


def test_arrays_round_trip_and_cannot_be_changed(network):
    arrays = network.to_arrays()
    again = SkipNetwork.from_arrays(arrays | {"context_gains": np.zeros(3)})

    assert sorted(arrays) == sorted(f"skip_{name}" for name in NAMES)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(again, name), getattr(network, name))
        with pytest.raises(ValueError, match="read-only"):
            getattr(again, name)[0] = 1
    assert SkipNetwork.from_arrays({"context_gains": np.zeros(3)}) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_array_is_named(network, name):
    arrays = network.to_arrays()
    del arrays[f"skip_{name}"]

    with pytest.raises(CheckpointError, match=f"skip network lacks {name}"):
        SkipNetwork.from_arrays(arrays)


@pytest.mark.parametrize("name", SHAPED)
def test_an_array_of_another_shape_is_refused(network, name):
    for damaged in (getattr(network, name)[:-1], np.int32(1), np.zeros((0, 2), np.int32)):
        with pytest.raises(CheckpointError, match="network: "):
            dataclasses.replace(network, **{name: damaged})


def test_the_first_channel_must_be_the_map_by_itself(network):
    swapped = network.channels[[1, 0, 2, 3, 4, 5]]
    doubled = {"groups": [2, 1, 3]}
    latents_only = {"gains": np.pad(network.gains, ((0, 0), (0, 1)), constant_values=4096)}

    for changes in ({"channels": swapped}, doubled, latents_only):
        with pytest.raises(CheckpointError, match="first channel must be the map, by itself"):
            dataclasses.replace(network, **changes)


@pytest.mark.parametrize("value", [(1 << 24) - 1, -(1 << 31)])
@pytest.mark.parametrize("share", range(4))
def test_the_bias_of_every_share_class_counts_in_what_a_sum_may_reach(network, share, value):
    changes = with_values(network, "share_bias", (share, 1, 1, 0), value)

    with pytest.raises(CheckpointError, match="a sum may reach"):
        dataclasses.replace(network, **changes)


def test_both_biases_of_a_unit_may_come_together(network):
    """Each leaves room for the weights, the two together do not."""
    half = 9_000_000
    alone = with_values(network, "share_bias", (1, 1, 1, 0), half)
    beside = with_values(network, "enter_bias", (8, 1, 1, 0), half)

    dataclasses.replace(network, **alone)
    dataclasses.replace(network, **beside)
    with pytest.raises(CheckpointError, match="a sum may reach"):
        dataclasses.replace(network, **alone, **beside)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a | {"cdfs": a["cdfs"][:-1]}, "255 CDFs"),
        (lambda a: a | {"cdfs": a["cdfs"][:232]}, "255 CDFs"),
        (lambda a: a | {"sizes": a["sizes"][:-1]}, "one size and offset"),
        (lambda a: a | {"sizes": a["sizes"] * 0}, "sizes out of range"),
        (lambda a: a | {"offsets": a["offsets"] + 200}, "beyond the symbols"),
        (lambda a: a | {"cdfs": a["cdfs"] * 0}, "must rise"),
    ],
)
def test_tables_refuse_a_network_with_a_damaged_bank(skip_codec, change, says):
    tables = skip_codec.tables
    arrays = change({name: getattr(tables.skip, name) for name in NAMES})

    with pytest.raises(CheckpointError, match=says):
        dataclasses.replace(tables, skip=SkipNetwork(**arrays))


def test_tables_refuse_a_network_of_other_channels_or_by_itself(skip_codec, network):
    with pytest.raises(CheckpointError, match="skip network of other channels"):
        dataclasses.replace(skip_codec.tables, skip=network)
    with pytest.raises(CheckpointError, match="no context network beside it"):
        dataclasses.replace(skip_codec.tables, context=None)


def test_a_network_travels_in_a_checkpoints_tables(skip_codec):
    again = CodingTables.from_arrays(skip_codec.tables.to_arrays())

    for name in NAMES:
        one, other = getattr(skip_codec.tables.skip, name), getattr(again.skip, name)
        assert np.array_equal(one, other)
    assert again.context is not None
    assert len(again.context.channels) == len(again.skip.channels) - 1


def test_the_map_comes_before_the_channels_of_the_latent(network):
    steps = [(step.group, step.phase, step.start, step.end) for step in network.steps]

    assert steps[:2] == [(0, 0, 0, 1), (0, 1, 0, 1)]
    assert steps[2:4] == [(1, 0, 1, 3), (1, 1, 1, 3)]
    assert network.channels[0] == CHANNELS
    assert network.at(19).channels.tolist() == [3, 0]
    assert network.at(20).channels.tolist() == [3, 0, 5, 1, 2]
    assert (network.at(19).count, network.at(20).count) == (3, 6)
    assert network.at(19) is network.at(19)


def hidden_units(network, number, code, around, side, share):
    """What enters step `number`, in Python's own integers, from the arrays as they are stored."""
    step = network.at(code).steps[number]
    own, count = (step.group, step.phase), network.at(code).count
    low, part = code // 8, code % 8
    high = min(low + 1, 8)
    found = []
    for unit in range(network.enter.shape[2]):
        rows = [int(network.enter_bias[(row, *own, unit)]) for row in (low, high)]
        total = (rows[0] * (8 - part) + rows[1] * part) // 8
        total += int(network.share_bias[(share, *own, unit)])
        for tap in range(9):
            for place in range(count):
                total += int(network.enter[(*own, unit, tap, place)]) * around[tap][place]
                total += int(network.side[(*own, unit, tap, place)]) * side[tap][place]
            total += int(network.side[(*own, unit, tap, -1)]) * side[tap][count]
        found.append(min(max(total, 0), 1023))
    return found


def outputs(network, number, code, hidden):
    """(mean, spread) of every channel of step `number`."""
    step = network.at(code).steps[number]
    low, part = code // 8, code % 8
    found = []
    for place in range(step.start, step.end):
        two = []
        for what in (0, 1):
            rows = [
                int(network.leave_bias[row, place, step.phase, what])
                for row in (low, min(low + 1, 8))
            ]
            weights = network.leave[place, step.phase, what].tolist()
            total = (rows[0] * (8 - part) + rows[1] * part) // 8
            two.append(total + sum(w * h for w, h in zip(weights, hidden, strict=True)))
        found.append(tuple(two))
    return found


def table_and_mean(out):
    eighths = min(max((out[0] + 128) // 256, -59), 59)
    level = min(max(5 * out[1] // 2048, 0), 28)
    skipped = level == 0 and abs(eighths) <= 1
    return 0 if skipped else 1 + 8 * level + (eighths + 4) % 8, (eighths + 4) // 8


def random_network(network, random, extreme):
    """Weights as large as sums below 2^24 allow, or as small as trained ones."""
    most = 127 if extreme else 12
    arrays = {
        name: random.integers(-most, most + 1, getattr(network, name).shape)
        for name in ("enter", "side", "leave", "share_bias")
    }
    if extreme:
        # As far as the sums of the other weights leave room.
        arrays["leave"] = np.sign(arrays["leave"]) * 127
        room = ((1 << 24) - 1 - 127 * 7 * 9 * 13) // 2
        for name in ("enter_bias", "share_bias"):
            arrays[name] = random.choice([-room, room, 500], getattr(network, name).shape)
        room = (1 << 24) - 1 - 127 * 1023 * network.leave.shape[-1]
        arrays["leave_bias"] = random.integers(-room, room + 1, network.leave_bias.shape)
    return dataclasses.replace(network, **arrays)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), code=st.integers(0, 64), extreme=st.booleans())
def test_float32_gives_what_integers_give(network, seed, code, extreme):
    random = np.random.default_rng(seed)
    other = random_network(network, random, extreme)
    at = other.at(code)
    around = random.integers(-7, 8, (3, 9, at.count))
    side = random.integers(-7, 8, (3, 9, at.count + 1))
    for planes in (around[:, :, 0], side[:, :, 0], side[:, :, -1]):
        planes[:] = random.integers(0, 2, planes.shape)
    shares = random.integers(0, 4, 3).astype(np.uint8)
    near, beside = (given.reshape(3, -1).astype(np.float32) for given in (around, side))

    for number in range(len(at.steps)):
        by_hand = [
            outputs(
                other, number, code, hidden_units(other, number, code, *inputs, int(shares[row]))
            )
            for row, inputs in enumerate(zip(around.tolist(), side.tolist(), strict=True))
        ]
        if number < 2:
            told = at.expect_told(number, near, beside, shares)
            odds = [min(max((out[0] + 512) // 1024, -14), 8) for (out,) in by_hand]
            assert told[:, 0].tolist() == [1 + 246 + one for one in odds]
        else:
            expected = at.expect_symbols(number, near, beside, shares)
            for row, outs in enumerate(by_hand):
                found = zip(expected.table[row].tolist(), expected.mean[row].tolist(), strict=True)
                assert list(found) == [table_and_mean(out) for out in outs]


def test_odds_are_in_halves_and_end_at_minus_14_and_8(network):
    bias = np.zeros((9, 6, 2, 2), np.int64)
    bias[:, 0, 0, 0] = [-20_000, -14_849, -14_848, -513, -512, 0, 511, 512, 1_000_000]
    still = dataclasses.replace(network, leave=np.zeros_like(network.leave), leave_bias=bias)
    shares = np.zeros(1, np.uint8)

    tables = []
    for code in range(0, 65, 8):
        at = still.at(code)
        near, beside = (np.zeros((1, 9 * n), np.float32) for n in (at.count, at.count + 1))
        tables.append(int(at.expect_told(0, near, beside, shares)[0, 0]))

    assert [table - 247 for table in tables] == [-14, -14, -14, -1, 0, 0, 0, 1, 8]
    cdf = still.cdfs[246 - 14 : 246 + 8 + 1, 1]
    assert (np.diff(cdf) < 0).all()  # ever fewer are skipped
