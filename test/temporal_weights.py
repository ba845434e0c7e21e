# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An untrained checkpoint that predicts frames from earlier ones."""

from dataclasses import replace

import numpy as np

from sc2_ros import checkpoint
from sc2_ros.codec.packet import Geometry
from sc2_ros.codec.prediction import Motion, predict
from sc2_ros.codec.references import Reference
from sc2_ros.codec.temporal_fit import ContextShape, SymbolCounter, fit_temporal


def little_changes() -> checkpoint.Checkpoint:
    """With temporal tables for scenes in which little changes."""
    plain = checkpoint.untrained()
    levels = np.arange(plain.tables.contexts) // 3
    shape = ContextShape(levels.astype(np.uint8), np.array([2, 9], np.int32), (0, 32, 64))
    counter = SymbolCounter(plain.tables, shape)
    rng = np.random.default_rng(0)
    for _ in range(4):
        old = rng.laplace(0, 0.5, (64, 8, 8)).astype(np.float32)
        new = old + rng.normal(0, 0.02, old.shape).astype(np.float32)
        for row, code in enumerate(shape.codes):
            symbols = np.rint(old * plain.tables.code_gains[code][:, None, None])
            reference = Reference(
                0, code, Geometry((128, 128), (128, 128)), symbols.clip(-127, 127).astype(np.int8)
            )
            counter.add(new, predict(reference, Motion(), 8, 8), row)
    temporal = fit_temporal(plain.tables, shape, counter.counts, bank=40)
    return replace(plain, tables=replace(plain.tables, temporal=temporal))
