# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Both context networks: what is refused, and that float32 gives the integers exactly."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec.entropy.cdf import Bank
from sc2_ros.codec.entropy.context_network import ContextNetwork
from sc2_ros.errors import CheckpointError

WEIGHTS = ["groups", "first_code", "enter", "enter_bias", "leave", "leave_bias"]


def put(name, place, value):
    def change(network):
        array = getattr(network, name).copy()
        array[place] = value
        return {name: array}

    return change


def cut(name):
    return lambda network: {name: getattr(network, name)[..., :-1]}


def instead(name, value):
    return lambda network: {name: np.asarray(value)}


@pytest.fixture(scope="session")
def networks(helpers):
    """Of keyframes and of predicted frames: five channels in groups of 2 and 3, from code 20 on."""
    gains = np.geomspace(0.5, 8.0, 65)[:, None] * np.linspace(0.8, 1.2, 5)
    shape = ((2, 3), (0, 20), gains, np.array([0.1, 0.2, 0.5, 1, 2]))
    made = helpers.context_networks
    return made.hand_made(*shape, seed=4), made.hand_made_skip(*shape, seed=4)


def test_arrays_round_trip_and_cannot_be_changed(networks):
    for network, names in zip(networks, (WEIGHTS, [*WEIGHTS, "side", "share_bias"]), strict=True):
        arrays = network.to_arrays("net_")
        again = ContextNetwork.from_arrays(arrays, "net_", has_map=network.has_map)

        assert sorted(arrays) == sorted(
            f"net_{name}" for name in [*names, "cdfs", "sizes", "offsets"]
        )
        for name in names:
            np.testing.assert_array_equal(getattr(again, name), getattr(network, name))
            with pytest.raises(ValueError, match="read-only"):
                getattr(again, name)[0] = 1
        assert ContextNetwork.from_arrays({"gains": np.zeros(3)}, "net_", has_map=False) is None


@pytest.mark.parametrize("name", [*WEIGHTS, "side", "share_bias"])
def test_an_array_of_another_shape_is_refused(networks, name):
    network = networks[1]
    for damaged in (getattr(network, name)[:-1], np.int32(1), np.zeros((0, 2), np.int32)):
        with pytest.raises(CheckpointError, match="context network"):
            dataclasses.replace(network, **{name: damaged})


@pytest.mark.parametrize(
    ("number", "change", "says"),
    [
        (0, instead("groups", [5, 0]), "without channels"),
        (0, instead("groups", [2, 2]), "shape"),
        (0, instead("first_code", [0]), "first_code of shape"),
        (0, instead("first_code", [20, 0]), "first codes must ascend"),
        (0, instead("first_code", [1, 20]), "coded at every rate"),
        (1, instead("first_code", [0, 2**31 - 1, -(2**31)]), "first codes must ascend"),
        (0, cut("enter"), "enter of shape"),
        (1, cut("side"), "side of shape"),
        (0, cut("enter_bias"), "enter_bias of shape"),
        (0, cut("leave"), "leave of shape"),
        (0, cut("leave_bias"), "leave_bias of shape"),
        (1, cut("share_bias"), "share_bias of shape"),
        (0, instead("leave_bias", np.full((9, 5, 2, 2), 0.5)), "leave_bias are not all int32"),
        (0, instead("enter", np.full((2, 2, 7, 9, 5), 128)), "enter are not all int8"),
        (0, put("enter_bias", (8, 1, 1, 0), (1 << 24) - 1), "a sum may reach"),
        (0, put("enter_bias", (8, 1, 1, 0), -(1 << 31)), "a sum may reach"),
        (0, put("leave_bias", (0, 4, 0, 1), -(1 << 24)), "a sum may reach"),
        (1, put("share_bias", (2, 1, 0, 0), (1 << 24) - 1), "a sum may reach"),
        (1, instead("groups", [2, 1, 3]), "map must be a group by itself"),
        (1, lambda network: {"share_bias": None}, "side without share_bias"),
        (0, lambda network: {"bank": Bank(*_rows(network.bank, 231))}, "231 tables; 232 expected"),
        (1, lambda network: {"bank": Bank(*_rows(network.bank, 232))}, "232 tables; 255 expected"),
    ],
)
def test_what_the_coder_relies_on_is_checked(networks, number, change, says):
    with pytest.raises(CheckpointError, match=says):
        dataclasses.replace(networks[number], **change(networks[number]))


def _rows(bank, count):
    return bank.cdfs[:count], bank.sizes[:count], bank.offsets[:count]


def test_both_biases_of_a_unit_may_come_together(networks):
    room = (1 << 23) - 100
    half = put("enter_bias", (8, 1, 1, 0), room)(networks[1])
    assert dataclasses.replace(networks[1], **half)
    both = half | put("share_bias", (3, 1, 1, 0), -room)(networks[1])
    with pytest.raises(CheckpointError, match="a sum may reach"):
        dataclasses.replace(networks[1], **both)


def test_steps_are_groups_in_two_phases_and_the_map_comes_first(networks):
    network, skip = networks
    steps = [(step.number, step.group, step.phase, step.start, step.end) for step in network.steps]

    assert steps == [(0, 0, 0, 0, 2), (1, 0, 1, 0, 2), (2, 1, 0, 2, 5), (3, 1, 1, 2, 5)]
    assert [network.at(code).count for code in (19, 20)] == [2, 5]
    assert len(network.at(19).steps) == 2
    assert network.at(19).map_steps == ()
    assert network.at(19) is network.at(19)
    at = skip.at(19)
    assert [(step.start, step.end) for step in at.map_steps] == [(0, 1), (0, 1)]
    assert [(step.number, step.start, step.end) for step in at.steps] == [(2, 1, 3), (3, 1, 3)]
    assert (network.channels, skip.channels) == (5, 5)


def test_a_step_looks_at_no_channel_without_weight(networks):
    network = networks[0]
    enter = network.enter.copy()
    enter[:, :, :, :, 3:] = 0
    enter[0] = 0

    at = dataclasses.replace(network, enter=enter).at(64)

    assert at.inputs == [1, 1, 3, 3]


def outputs(network, step, code, around, side, share):
    """What leaves a step's hidden units, in Python's own integers: by channel, mean and spread."""
    own = (step.group, step.phase)
    low, part = code // 8, code % 8
    high = min(low + 1, 8)

    def between(rows):
        return (int(rows[low]) * (8 - part) + int(rows[high]) * part) // 8

    hidden = []
    for unit in range(network.enter.shape[2]):
        total = between(network.enter_bias[(slice(None), *own, unit)])
        for tap in range(9):
            for channel, symbol in enumerate(around[tap]):
                total += int(network.enter[(*own, unit, tap, channel)]) * symbol
            if side is not None:
                for channel, symbol in enumerate(side[tap][:-1]):
                    total += int(network.side[(*own, unit, tap, channel)]) * symbol
                total += int(network.side[(*own, unit, tap, -1)]) * side[tap][-1]
        if side is not None:
            total += int(network.share_bias[(share, *own, unit)])
        hidden.append(min(max(total, 0), 1023))
    found = []
    for channel in range(step.start, step.end):
        pair = []
        for what in (0, 1):
            weights = network.leave[channel, step.phase, what].tolist()
            total = between(network.leave_bias[:, channel, step.phase, what])
            pair.append(total + sum(w * h for w, h in zip(weights, hidden, strict=True)))
        found.append(pair)
    return found


def table_and_mean(mean, spread):
    eighths = min(max((mean + 128) // 256, -59), 59)
    level = min(max(5 * spread // 2048, 0), 28)
    zero = level == 0 and abs(eighths) <= 1
    return 0 if zero else 1 + 8 * level + (eighths + 4) % 8, (eighths + 4) // 8


def random_network(network, random, extreme):
    """Weights as large as sums below 2^24 allow, or as small as trained ones."""
    most = 127 if extreme else 12
    names = ["enter", "leave", *(["side", "share_bias"] if network.has_map else [])]
    arrays = {
        name: random.integers(-most, most + 1, getattr(network, name).shape) for name in names
    }
    if extreme:
        # As far as the sums of the other weights leave room.
        arrays["leave"] = np.sign(arrays["leave"]) * 127
        inputs = 2 * network.enter.shape[-1] + 1
        room = ((1 << 24) - 1 - 127 * 7 * 9 * inputs) // 2
        for name in ("enter_bias", *(["share_bias"] if network.has_map else [])):
            arrays[name] = random.choice([-room, room, 500], getattr(network, name).shape)
        room = (1 << 24) - 1 - 127 * 1023 * network.leave.shape[-1]
        arrays["leave_bias"] = random.integers(-room, room + 1, network.leave_bias.shape)
    return dataclasses.replace(network, **arrays)


@settings(max_examples=40)
@given(
    which=st.integers(0, 1),
    seed=st.integers(0, 10_000),
    code=st.integers(0, 64),
    extreme=st.booleans(),
)
def test_float32_gives_what_integers_give(networks, which, seed, code, extreme):
    random = np.random.default_rng(seed)
    network = random_network(networks[which], random, extreme)
    at = network.at(code)
    around = random.integers(-7, 8, (3, 9, at.count))
    side = random.integers(-7, 8, (3, 9, at.count + 1)) if network.has_map else None
    if side is not None:
        for plane in (around[:, :, 0], side[:, :, 0], side[:, :, -1]):
            plane[:] = random.integers(0, 2, plane.shape)
    shares = random.integers(0, 4, 3).astype(np.uint8)
    beside = None if side is None else side.reshape(3, -1).astype(np.float32)

    for step in at.map_steps + at.steps:
        seen = around[:, :, : at.inputs[step.number]]
        near = seen.reshape(3, -1).astype(np.float32)
        by_hand = [
            outputs(
                network,
                step,
                code,
                seen[row].tolist(),
                None if side is None else side[row].tolist(),
                int(shares[row]),
            )
            for row in range(3)
        ]
        if step in at.map_steps:
            odds = [min(max((out[0][0] + 512) // 1024, -14), 8) for out in by_hand]
            tables = at.expect_map(step, near, beside, shares)
            assert tables.tolist() == [1 + 246 + one for one in odds]
        else:
            expected = at.expect(step, near, beside, shares)
            for row, out in enumerate(by_hand):
                found = zip(expected.table[row].tolist(), expected.mean[row].tolist(), strict=True)
                assert list(found) == [table_and_mean(*pair) for pair in out]


def still(network, bias):
    """A network that expects the same everywhere."""
    return dataclasses.replace(network, leave=np.zeros_like(network.leave), leave_bias=bias)


def test_biases_are_interpolated_and_rounded_down(networks):
    bias = np.zeros((9, 5, 2, 2), np.int64)
    bias[:, :, :, 1] = 100_000  # no symbol is certain
    bias[2:4, 0, 0, 0] = [-300, -1000]  # codes 16 and 24
    bias[8, 0, 0, 0] = -1920
    network = still(networks[0], bias)

    def eighths(code):
        at = network.at(code)
        expected = at.expect(at.steps[0], np.zeros((1, 9 * at.inputs[0]), np.float32))
        return 8 * int(expected.mean[0, 0]) + (int(expected.table[0, 0]) - 1) % 8 - 4

    assert eighths(16) == (-300 + 128) // 256 == -1
    # -300 and -1000 by 5 : 3 are -562.5, so -563.
    assert eighths(19) == (-563 + 128) // 256 == -2
    assert eighths(24) == (-1000 + 128) // 256 == -4
    assert eighths(64) == (-1920 + 128) // 256 == -7
    assert eighths(60) == (-960 + 128) // 256 == -4


def test_a_symbol_is_not_coded_where_zero_is_certain(networks):
    bias = np.zeros((9, 5, 2, 2), np.int64)
    bias[:, :, 0, 0] = [0, 256, -256, 512, -512]
    bias[:, 4, 1, 1] = 410  # just level 1
    at = still(networks[0], bias).at(64)

    tables = [
        at.expect(step, np.zeros((1, 9 * at.inputs[step.number]), np.float32)).table[0].tolist()
        for step in at.steps
    ]

    assert tables[0] + tables[2] == [0, 0, 0, 1 + 6, 1 + 2]
    assert tables[1] + tables[3] == [0, 0, 0, 0, 1 + 8 + 4]


def test_odds_are_in_halves_and_end_at_minus_14_and_8(networks):
    bias = np.zeros((9, 6, 2, 2), np.int64)
    bias[:, 0, 0, 0] = [-20_000, -14_849, -14_848, -513, -512, 0, 511, 512, 1_000_000]
    network = still(networks[1], bias)

    tables = []
    for code in range(0, 65, 8):
        at = network.at(code)
        near = np.zeros((1, 9 * at.inputs[0]), np.float32)
        side = np.zeros((1, 9 * (at.count + 1)), np.float32)
        tables.append(int(at.expect_map(at.map_steps[0], near, side, 0)[0]))

    assert [table - 247 for table in tables] == [-14, -14, -14, -1, 0, 0, 0, 1, 8]
    cdf = network.bank.cdfs[246 - 14 : 246 + 8 + 1, 1]
    assert (np.diff(cdf) < 0).all()  # ever fewer are skipped
