# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small labelled data sets, made on the spot."""

from pathlib import Path

import cv2
import numpy as np


def small_yolo(folder: Path, count: int = 6, side: int = 96) -> Path:
    """Noise with one car in each picture; frames of one sequence, so the last fifth is val."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    (folder / "x.names").write_text("car\n")
    for number in range(count):
        picture = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
        picture[30:50, 30 + number : 60 + number] = (20, 20, 220)
        assert cv2.imwrite(str(folder / "images" / f"f{number}.png"), picture)
        x = (45 + number) / side
        label = f"0 {x:.4f} {40 / side:.4f} {30 / side:.4f} {20 / side:.4f}\n"
        (folder / "labels" / f"f{number}.txt").write_text(label)
    return folder
