# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Agreement with a teacher whose mask classes are not the checkpoint's."""

import numpy as np
import pytest
from weights import write_untrained

from sc2_ros import checkpoint as checkpoints
from sc2_ros.data import MASK_CLASSES, Sample
from sc2_ros.evaluation.sweep.adaptation import gain, measure
from sc2_ros.evaluation.systems.stream import StreamSystem

RATE = 0.5


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = write_untrained(tmp_path_factory.mktemp("weights") / "untrained.safetensors")
    return checkpoints.load(path)


@pytest.fixture(scope="module")
def frames(checkpoint):
    """Two images, with what the checkpoint itself answers as their masks."""
    system = StreamSystem(checkpoint, RATE)
    random = np.random.default_rng(0)
    images = [random.integers(0, 255, (64, 96), np.uint8) for _ in range(2)]
    return [Sample(i, "x", mask=system.decode(system.encode(i)).mask) for i in images]


def test_masks_are_compared_by_the_names_of_their_classes(checkpoint, frames):
    theirs = ("sky", *reversed(MASK_CLASSES))
    number = np.array([theirs.index(name) for name in MASK_CLASSES], np.uint8)
    renumbered = [Sample(f.image, f.name, mask=number[f.mask]) for f in frames]
    # "other" of a teacher with a class more is another rest; so none of it may be in the answers.
    assert not any((f.mask == MASK_CLASSES.index("other")).any() for f in frames)

    assert measure(checkpoint, frames, MASK_CLASSES, RATE).miou == 1.0
    assert measure(checkpoint, renumbered, theirs, RATE).miou == 1.0


@pytest.mark.parametrize("theirs", [("sky", "sea"), ()])
def test_without_a_class_in_common_the_figure_is_left_out_and_that_is_said(
    checkpoint, frames, theirs
):
    found = gain(checkpoint, checkpoint, frames, theirs, rates=[RATE])

    assert found.to_json()["mask_classes"] == []
    assert [point.miou for point in (*found.before, *found.after)] == [None, None]
    assert "no mask class in common" in found.lines()[-1]
    same = gain(checkpoint, checkpoint, frames, MASK_CLASSES, rates=[RATE])
    assert same.mask_classes == list(MASK_CLASSES)
    assert "in common" not in "\n".join(same.lines())
