# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The score that is read from the bag of a run."""

from pathlib import Path

import numpy as np
import pytest

from sc2_ros.data import DETECTION_CLASSES
from sc2_ros.evaluation.session.log import SessionLog
from sc2_ros.evaluation.session.video import render_and_score
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.messages import boxes_message, header


@pytest.mark.parametrize(
    ("known", "mean_ap50"),
    [(("bus", "car"), 1.0), (DETECTION_CLASSES, 0.5), (("bus",), None)],
)
def test_a_class_that_the_detector_does_not_know_is_no_miss_of_it(
    tmp_path: Path, known: tuple[str, ...], mean_ap50: float | None
) -> None:
    """A car and a person are there, and the car is found."""
    boxes = np.array([(10, 10, 30, 30), (50, 50, 60, 80)], np.float32)
    truth, score = (
        np.array([DETECTION_CLASSES.index(name) for name in ("car", "person")]),
        [1.0, 1.0],
    )
    with BagWriter(tmp_path / "results") as bag:
        for topic, count in (("/truth/detections", 2), ("/detections", 1)):
            message = boxes_message(
                boxes[:count],
                truth[:count],
                np.array(score[:count], np.float32),
                DETECTION_CLASSES,
                header(5, "camera"),
            )
            bag.write_message(topic, message, 5)

    found = render_and_score(tmp_path / "results", SessionLog(), tmp_path / "a.mp4", known)

    assert found.mean_ap50 == (mean_ap50 if mean_ap50 is None else pytest.approx(mean_ap50))
