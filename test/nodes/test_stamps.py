# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stamps that stand still are said once, and nothing else is."""

import pytest

from sc2_ros.nodes.stamps import ENOUGH, StampWatch


@pytest.mark.parametrize(("stamp_ns", "said"), [(0, "no stamp"), (7, "one and the same stamp")])
def test_stamps_that_stand_still_are_said_once(stamp_ns, said):
    watch = StampWatch()
    told = [watch.see(stamp_ns) for _ in range(100)]

    assert [number for number, text in enumerate(told) if text] == [ENOUGH - 1]
    assert said in told[ENOUGH - 1]
    assert "header.stamp" in told[ENOUGH - 1]


@pytest.mark.parametrize(
    "stamps",
    [range(100), range(100, 0, -1), [n // 2 for n in range(100)], [n % 3 for n in range(100)]],
    ids=["rising", "falling", "twice each", "looping"],
)
def test_other_stamps_are_nobodys_business(stamps):
    watch = StampWatch()
    assert not any(watch.see(stamp) for stamp in stamps)
