# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The plan follows the loss and the budget, and its sums are those of a simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.repair_policy import (
    MEMORY_S,
    NO_REPAIR,
    RepairPolicy,
    best_plan,
    payload_bytes,
    share_missing,
)

POSITIONS = 32 * 40
HALF_BYTES = 50.0


def steps(size_bytes):
    return round(4 * math.log2(size_bytes))


def value(size_bytes, loss, slices, repairs):
    data_bytes = payload_bytes(size_bytes, slices, repairs)
    return data_bytes / (data_bytes + HALF_BYTES) * (1 - share_missing(loss, slices, repairs))


@pytest.mark.parametrize(("slices", "repairs"), [(1, 0), (1, 1), (4, 1), (6, 3)])
def test_the_share_missing_is_that_of_a_simulation(slices, repairs):
    random = np.random.default_rng(0)
    lost = random.random((200_000, slices + repairs)) < 0.1
    hopeless = lost.sum(axis=1) > repairs
    missing = (lost[:, :slices] & hopeless[:, None]).mean()
    assert share_missing(0.1, slices, repairs) == pytest.approx(missing, abs=0.002)


def test_without_loss_nothing_is_repaired():
    policy = RepairPolicy()
    assert policy.plans(2000, POSITIONS) == (NO_REPAIR,)
    policy.update(0.0, 0.0, 1.0)
    assert policy.plans(2000, POSITIONS) == (NO_REPAIR,)
    assert best_plan(steps(2000), 0.0, HALF_BYTES) == NO_REPAIR


@pytest.mark.parametrize("size_bytes", [800, 1300, 2500, 4000, 12_000])
@pytest.mark.parametrize("loss", [0.01, 0.05, 0.1, 0.2])
def test_the_plan_is_worth_more_than_its_neighbours(size_bytes, loss):
    plan = best_plan(steps(size_bytes), loss, HALF_BYTES)
    known = 2 ** (steps(size_bytes) / 4)
    least = max(1, math.ceil(known / 1190))
    assert value(known, loss, *plan) >= value(known, loss, 1, 0)
    for slices, repairs in ((1, 1), (2, 1), (4, 1), (4, 2), (6, 3)):
        if slices + repairs >= least and slices <= least - plan.repairs + 6:
            assert value(known, loss, *plan) >= value(known, loss, slices, repairs) - 1e-12


def test_a_frame_that_does_not_fit_beside_the_best_plan_is_offered_a_cheaper_one():
    policy = RepairPolicy()
    policy.update(0.1, 0.04, 0.0)
    best, cheap, none = policy.plans(1250, POSITIONS)
    left = [payload_bytes(1250, *plan) for plan in (best, cheap, none)]
    assert left == sorted(left)
    assert left[1] > 1.05 * left[0]
    assert none == NO_REPAIR


def test_more_loss_asks_for_more_repair():
    shares = []
    for loss in (0.0, 0.02, 0.05, 0.1, 0.2):
        plan = best_plan(steps(4000), loss, HALF_BYTES)
        shares.append(plan.repairs / plan.slices)
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] > 0.5


def test_what_chance_does_to_a_second_is_averaged_out():
    policy = RepairPolicy()
    for number in range(300):
        policy.update(0.2 if number % 2 else 0.0, 0.04, number / 10)
    assert policy.loss == pytest.approx(0.1, abs=0.01)
    policy.update(None, None, 30.0)
    assert (policy.loss, policy.plans(4000, POSITIONS)) == (0.0, (NO_REPAIR,))


def test_loss_beside_a_long_queue_is_not_the_radios():
    policy = RepairPolicy()
    policy.update(0.0, 0.04, 0.0)
    for number in range(100):
        policy.update(0.2, 0.3, number / 10)
    assert policy.loss == 0


def test_old_loss_is_forgotten():
    policy = RepairPolicy()
    for number in range(100):
        policy.update(0.2, 0.04, number / 10)
    for number in range(100, 300):
        policy.update(0.0, 0.04, number / 10)
    assert policy.loss < 0.2 * math.exp(-20 / MEMORY_S) * 1.1


@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(0, 1),
            st.none() | st.floats(0, 1),
            st.floats(-10, 1e6),
            st.integers(0, 10**6),
        ),
        max_size=20,
    )
)
def test_any_loss_at_any_time_gives_a_plan(history):
    policy = RepairPolicy()
    for loss, queue_s, now_s, budget_bytes in history:
        policy.update(loss, queue_s, now_s)
        plans = policy.plans(budget_bytes, POSITIONS)
        assert 0 <= policy.loss <= 1
        assert plans[-1] == NO_REPAIR
        assert all(plan.slices >= 1 and 0 <= plan.repairs <= 6 for plan in plans)
