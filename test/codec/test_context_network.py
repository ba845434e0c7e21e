# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The context network: what is refused, and that float32 gives the integers exactly."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec.cdf import symbol_bits
from sc2_ros.codec.context_network import ContextNetwork
from sc2_ros.codec.tables import CodingTables
from sc2_ros.errors import CheckpointError

NAMES = [field.name for field in dataclasses.fields(ContextNetwork)]


def put(name, place, value):
    def change(arrays):
        arrays[name] = arrays[name].copy()
        arrays[name][place] = value

    return change


def replaced(name, value):
    def change(arrays):
        arrays[name] = np.asarray(value)

    return change


def cut(name):
    def change(arrays):
        arrays[name] = arrays[name][..., :-1]

    return change


@pytest.fixture(scope="session")
def network(helpers):
    """Five of six channels in groups of 2 and 3, the second from code 20 on."""
    gains = np.geomspace(0.5, 8.0, 65)[:, None] * np.linspace(0.8, 1.2, 6)
    return helpers.context_networks.hand_made(
        [3, 0, 5, 1, 2], (2, 3), (0, 20), gains, np.array([0.1, 0.2, 0.5, 1, 2]), seed=4
    )


def test_arrays_round_trip_and_cannot_be_changed(network):
    arrays = network.to_arrays()
    again = ContextNetwork.from_arrays(arrays | {"other": np.zeros(3)})

    assert sorted(arrays) == sorted(f"context_{name}" for name in NAMES)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(again, name), getattr(network, name))
        with pytest.raises(ValueError, match="read-only"):
            getattr(again, name)[0] = 1
    assert ContextNetwork.from_arrays({"gains": np.zeros(3)}) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_array_is_named(network, name):
    arrays = network.to_arrays()
    del arrays[f"context_{name}"]

    with pytest.raises(CheckpointError, match=f"lacks {name}"):
        ContextNetwork.from_arrays(arrays)


@pytest.mark.parametrize("name", NAMES[:9])
def test_an_array_of_another_shape_is_refused(network, name):
    for damaged in (getattr(network, name)[:-1], np.int32(1), np.zeros((0, 2), np.int32)):
        with pytest.raises(CheckpointError, match="context network"):
            dataclasses.replace(network, **{name: damaged})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put("channels", 0, 5), "different ones of the latent's"),
        (put("channels", 0, 6), "different ones of the latent's"),
        (put("channels", 0, -1), "different ones of the latent's"),
        (replaced("groups", [5, 0]), "wrong groups"),
        (replaced("groups", [2, 2]), "wrong groups"),
        (replaced("groups", [6, -1]), "wrong groups"),
        (replaced("first_code", [0]), "first_code of shape"),
        (replaced("first_code", [20, 0]), "first codes must ascend"),
        (replaced("first_code", [1, 20]), "coded at every rate"),
        (cut("gains"), "different ones of the latent's"),
        (put("gains", (3, 1), 0), "gains out of range"),
        (put("gains", (3, 1), 1 << 24), "gains out of range"),
        (cut("enter"), "enter of shape"),
        (cut("side"), "side of shape"),
        (cut("enter_bias"), "enter_bias of shape"),
        (cut("leave"), "leave of shape"),
        (cut("leave_bias"), "leave_bias of shape"),
        (replaced("enter", np.zeros((2, 2, 0, 9, 5))), "side of shape .* must be"),
        (replaced("leave_bias", np.full((9, 5, 2, 2), 0.5)), "leave_bias are not int32"),
        (replaced("enter", np.full((2, 2, 7, 9, 5), 128)), "enter are not int8"),
        (put("enter_bias", (8, 1, 1, 0), (1 << 24) - 1), "a sum may reach"),
        (put("enter_bias", (8, 1, 1, 0), -(1 << 31)), "a sum may reach"),
        (put("leave_bias", (0, 4, 0, 1), -(1 << 24)), "a sum may reach"),
    ],
)
def test_what_the_coder_relies_on_is_checked(network, change, says):
    arrays = {name: getattr(network, name) for name in NAMES}
    change(arrays)

    with pytest.raises(CheckpointError, match=says):
        ContextNetwork(**arrays)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a | {"cdfs": a["cdfs"][:-1]}, "232 CDFs"),
        (lambda a: a | {"cdfs": np.int32(3)}, "232 CDFs"),
        (lambda a: a | {"sizes": a["sizes"][:-1]}, "one size and offset"),
        (lambda a: a | {"sizes": a["sizes"] * 0}, "sizes out of range"),
        (lambda a: a | {"offsets": a["offsets"] + 200}, "beyond the symbols"),
        (lambda a: a | {"cdfs": a["cdfs"] * 0}, "must rise"),
        (lambda a: a | {"gains": a["gains"][:, :-1]}, "other channels"),
    ],
)
def test_tables_refuse_a_network_with_a_damaged_bank(learned_codec, change, says):
    tables = learned_codec.tables
    arrays = change({name: getattr(tables.context, name) for name in NAMES})

    with pytest.raises(CheckpointError, match=says):
        dataclasses.replace(tables, context=ContextNetwork(**arrays))


def test_a_network_travels_in_a_checkpoints_tables(learned_codec):
    again = CodingTables.from_arrays(learned_codec.tables.to_arrays())

    for name in NAMES:
        one, other = getattr(learned_codec.tables.context, name), getattr(again.context, name)
        assert np.array_equal(one, other)


def test_steps_are_groups_in_two_phases(network):
    steps = [(step.group, step.phase, step.start, step.end) for step in network.steps]

    assert steps == [(0, 0, 0, 2), (0, 1, 0, 2), (1, 0, 2, 5), (1, 1, 2, 5)]
    assert len(network.at(19).steps) == 2
    assert network.at(19).channels.tolist() == [3, 0]
    assert network.at(20).channels.tolist() == [3, 0, 5, 1, 2]
    assert network.at(19) is network.at(19)


def test_bits_are_those_of_the_bank(network):
    assert network.bits.shape == (233, 255)
    assert not network.bits[0].any()
    for table in (1, 100, 232):
        size, offset = network.sizes[table - 1], int(network.offsets[table - 1])
        expected = symbol_bits(network.cdfs[table - 1, :size], offset)
        np.testing.assert_array_equal(network.bits[table], expected.astype(np.float32))


def expectation(network, number, code, around, side):
    """The same in Python's own integers, from the arrays as they are stored."""
    step = network.at(code).steps[number]
    count = network.at(code).count
    own = (step.group, step.phase)
    low, part = code // 8, code % 8
    high = min(low + 1, 8)
    bias = network.enter_bias.astype(object)
    hidden = []
    for unit in range(network.enter.shape[2]):
        total = (
            int(bias[(low, *own, unit)]) * (8 - part) + int(bias[(high, *own, unit)]) * part
        ) // 8
        for tap in range(9):
            for place in range(count):
                total += int(network.enter[(*own, unit, tap, place)]) * around[tap][place]
            if side is not None:
                for place in range(count):
                    total += int(network.side[(*own, unit, tap, place)]) * side[tap][place]
                total += int(network.side[(*own, unit, tap, -1)]) * side[tap][count]
        hidden.append(min(max(total, 0), 1023))
    bias = network.leave_bias.astype(object)
    found = []
    for place in range(step.start, step.end):
        mean, spread = (
            (
                int(bias[low, place, step.phase, what]) * (8 - part)
                + int(bias[high, place, step.phase, what]) * part
            )
            // 8
            + sum(
                int(w) * h
                for w, h in zip(network.leave[place, step.phase, what], hidden, strict=True)
            )
            for what in (0, 1)
        )
        eighths = min(max((mean + 128) // 256, -59), 59)
        level = min(max(5 * spread // 2048, 0), 28)
        table = 1 + 8 * level + (eighths + 4) % 8
        if level == 0 and abs(eighths) <= 1:
            table = 0
        found.append((table, (eighths + 4) // 8))
    return found


def random_network(network, random, extreme):
    """Weights as large as sums below 2^24 allow, or as small as trained ones."""
    most = 127 if extreme else 12
    arrays = {
        name: random.integers(-most, most + 1, getattr(network, name).shape)
        for name in ("enter", "side", "leave")
    }
    if extreme:
        # As far as the sums of the other weights leave room.
        arrays["leave"] = np.sign(arrays["leave"]) * 127
        room = (1 << 24) - 1 - 127 * 7 * 9 * 11
        arrays["enter_bias"] = random.choice([-room, room, 500], network.enter_bias.shape)
        room = (1 << 24) - 1 - 127 * 1023 * network.leave.shape[-1]
        arrays["leave_bias"] = random.integers(-room, room + 1, network.leave_bias.shape)
    return dataclasses.replace(network, **arrays)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    code=st.integers(0, 64),
    extreme=st.booleans(),
    with_side=st.booleans(),
)
def test_float32_gives_what_integers_give(network, seed, code, extreme, with_side):
    random = np.random.default_rng(seed)
    other = random_network(network, random, extreme)
    at = other.at(code)
    around = random.integers(-7, 8, (2, 9, at.count))
    side = random.integers(-7, 8, (2, 9, at.count + 1)) if with_side else None
    if with_side:
        side[:, :, -1] = random.integers(0, 2, (2, 9))

    for number in range(len(at.steps)):
        given_side = None if side is None else side.reshape(2, -1).astype(np.float32)
        expected = at.expect(number, around.reshape(2, -1).astype(np.float32), given_side)
        for row in range(2):
            beside = None if side is None else side[row].tolist()
            by_hand = expectation(other, number, code, around[row].tolist(), beside)
            assert by_hand == list(
                zip(expected.table[row].tolist(), expected.mean[row].tolist(), strict=True)
            )


def test_biases_are_interpolated_and_rounded_down(network):
    bias = np.zeros((9, 5, 2, 2), np.int64)
    bias[:, :, :, 1] = 100_000  # no symbol is skipped
    bias[2:4, 0, 0, 0] = [-300, -1000]  # codes 16 and 24
    bias[8, 0, 0, 0] = -1920
    still = dataclasses.replace(network, leave=np.zeros_like(network.leave), leave_bias=bias)
    nothing = np.zeros((1, 9 * 5), np.float32)

    def eighths(code):
        near = nothing[:, : 9 * still.at(code).count]
        expected = still.at(code).expect(0, near, None)
        return 8 * int(expected.mean[0, 0]) + (int(expected.table[0, 0]) - 1) % 8 - 4

    assert eighths(16) == (-300 + 128) // 256 == -1
    # -300 and -1000 by 5 : 3 are -562.5, so -563.
    assert eighths(19) == (-563 + 128) // 256 == -2
    assert eighths(24) == (-1000 + 128) // 256 == -4
    assert eighths(64) == (-1920 + 128) // 256 == -7
    assert eighths(60) == (-960 + 128) // 256 == -4


def test_a_symbol_is_skipped_where_zero_is_certain(network):
    bias = np.zeros((9, 5, 2, 2), np.int64)
    bias[:, :, 0, 0] = [0, 256, -256, 512, -512]
    bias[:, 4, 1, 1] = 410  # just level 1
    still = dataclasses.replace(network, leave=np.zeros_like(network.leave), leave_bias=bias).at(64)
    nothing = np.zeros((1, 9 * 5), np.float32)

    tables = [still.expect(number, nothing, None).table[0].tolist() for number in range(4)]

    assert tables[0] + tables[2] == [0, 0, 0, 1 + 6, 1 + 2]
    assert tables[1] + tables[3] == [0, 0, 0, 0, 1 + 8 + 4]
