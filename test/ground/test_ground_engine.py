# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground network's runtimes see the same in a latent."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from sc2_ros import checkpoint as checkpoints
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.export.onnx_files import export_ground
from sc2_ros.ground.engine import GroundEngine, OnnxGroundEngine, Seen, Wanted, warm_up
from sc2_ros.ground.maps import Window
from sc2_ros.ground.torch_engine import TorchGroundEngine, _read_on_device

WINDOW = Window((5, 3), (100, 70))
WANTED = Wanted(
    score_threshold=0.01, max_detections=50, classes=np.array([True, False, True, True])
)


@pytest.fixture(scope="module")
def checkpoint() -> checkpoints.Checkpoint:
    return checkpoints.untrained(seed=5)


@pytest.fixture(scope="module")
def latent(checkpoint: checkpoints.Checkpoint) -> np.ndarray:
    shape = (checkpoint.tables.channels, 5, 7)
    return np.random.default_rng(2).normal(0, 2, shape).astype(np.float32)


def _run(engine: GroundEngine, latent: np.ndarray, wanted: Wanted = WANTED) -> Seen:
    known = np.ones(latent.shape[1:], np.bool_)
    known[2:, :3] = False
    return engine.run(latent, known, WINDOW, wanted)


def _same(found: Seen, expected: Seen) -> None:
    assert len(found.boxes.scores) > 5
    np.testing.assert_allclose(found.boxes.scores, expected.boxes.scores, atol=1e-4)
    np.testing.assert_allclose(found.boxes.boxes, expected.boxes.boxes, atol=1e-2)
    assert np.mean(found.mask != expected.mask) < 0.01
    assert np.abs(found.preview.astype(int) - expected.preview).max() <= 1


def test_onnx_runtime_sees_what_pytorch_sees(
    checkpoint: checkpoints.Checkpoint, latent: np.ndarray
) -> None:
    exported = OnnxGroundEngine(export_ground(checkpoint.ground, len(latent), {}), threads=1)
    _same(_run(exported, latent), _run(TorchGroundEngine(checkpoint.ground, "cpu", "fp32"), latent))


def test_what_is_read_on_a_gpu_is_what_is_read_on_a_cpu(
    checkpoint: checkpoints.Checkpoint, latent: np.ndarray
) -> None:
    engine = TorchGroundEngine(checkpoint.ground, "cpu", "fp32")
    known = np.ones(latent.shape[1:], np.bool_)
    with torch.inference_mode():
        maps = engine._network(
            torch.from_numpy(latent)[None], torch.from_numpy(known)[None, None].float()
        )
        _same(_read_on_device(maps, WINDOW, WANTED), engine.run(latent, known, WINDOW, WANTED))


def test_bf16_sees_nearly_the_same(checkpoint: checkpoints.Checkpoint, latent: np.ndarray) -> None:
    exact = _run(TorchGroundEngine(checkpoint.ground, "cpu", "fp32"), latent)
    rough = _run(TorchGroundEngine(checkpoint.ground, "cpu", "bf16"), latent)
    assert np.mean(rough.mask != exact.mask) < 0.1
    assert not np.array_equal(rough.preview, exact.preview)  # or it was fp32 after all


def test_what_is_not_wanted_is_not_there(
    checkpoint: checkpoints.Checkpoint, latent: np.ndarray
) -> None:
    engine = TorchGroundEngine(checkpoint.ground, "cpu", "fp32")
    warm_up(engine, len(latent), (100, 70))
    found = _run(engine, latent, Wanted(mask=False, preview=False))
    assert found.mask is None
    assert found.preview is None


def test_a_gpu_that_is_not_there_is_refused() -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has a GPU")
    with pytest.raises(ParameterError, match="onnxruntime-gpu"):
        OnnxGroundEngine(b"", "cuda")


def test_a_file_that_is_no_graph_is_refused() -> None:
    with pytest.raises(CheckpointError, match="sc2 export"):
        OnnxGroundEngine(b"not a graph")
