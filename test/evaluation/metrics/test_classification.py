# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Top-1 by names, not by numbers."""

from sc2_ros.evaluation.metrics.classification import ClassificationScore


def test_answers_are_compared_by_name_and_lost_ones_are_wrong():
    score = ClassificationScore(("car", "person"), ("person", "car", "boat"))
    score.add(0, 1)  # person, right
    score.add(1, 1)  # car, said person
    score.add(1, None)  # lost
    score.add(2, 0)  # a boat, which the system has no name for

    assert score.top1() == 1 / 3


def test_without_common_classes_there_is_no_figure():
    score = ClassificationScore((), ("person",))
    score.add(0, None)

    assert score.top1() is None
