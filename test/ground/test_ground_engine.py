# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground network's runtimes see the same in a latent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from sc2_ros import checkpoint as checkpoints
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.export.onnx_files import export_encoder, export_ground
from sc2_ros.ground.engine import GroundEngine, OnnxGroundEngine, Seen, Wanted, warm_up
from sc2_ros.ground.maps import Window
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.ground.torch_engine import TorchGroundEngine, _read_on_device
from sc2_ros.network import winograd
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

WINDOW = Window((5, 3), (100, 70))
WANTED = Wanted(
    score_threshold=0.01, max_detections=50, classes=np.array([True, False, True, True])
)


@pytest.fixture(scope="module")
def checkpoint() -> checkpoints.Checkpoint:
    untrained = checkpoints.untrained(seed=5)
    with torch.no_grad():  # or scores are equal to the last bit, in whatever order a runtime likes
        untrained.ground.detection.heatmap.weight.mul_(300)
    return untrained


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
    np.testing.assert_array_equal(found.boxes.labels, expected.boxes.labels)
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


@pytest.mark.skipif(not winograd.are_there(), reason="no NNPACK for this CPU")
def test_where_vectors_are_narrow_it_sees_the_same_by_winograd(
    checkpoint: checkpoints.Checkpoint, latent: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = []
    for capability in ("AVX2", "AVX512"):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda told=capability: told)
        engines.append(TorchGroundEngine(checkpoint.ground, "cpu", "fp32"))
    assert [engine.name.endswith("Winograd") for engine in engines] == [True, False]
    _same(_run(engines[0], latent), _run(engines[1], latent))


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


def test_a_gpu_that_onnx_runtime_quietly_does_without_is_refused(
    monkeypatch: pytest.MonkeyPatch, checkpoint: checkpoints.Checkpoint, latent: np.ndarray
) -> None:
    """onnxruntime-gpu without CUDA's libraries: the graph would run on the CPU."""
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has a GPU")
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: both)
    exported = export_ground(checkpoint.ground, len(latent), {})
    with (
        pytest.warns(UserWarning, match="not in available provider names"),
        pytest.raises(ParameterError, match="'cuda' is not there.*onnxruntime-gpu"),
    ):
        OnnxGroundEngine(exported, "cuda")


def test_a_file_that_is_no_graph_is_refused() -> None:
    with pytest.raises(CheckpointError, match="sc2 export"):
        OnnxGroundEngine(b"not a graph")


def test_a_graph_that_is_no_ground_networks_is_refused(
    checkpoint: checkpoints.Checkpoint,
) -> None:
    encoder = export_encoder(checkpoint.encoder, None, {})
    with pytest.raises(CheckpointError, match="makes latent of image, not .*sc2 export"):
        OnnxGroundEngine(encoder)


@pytest.fixture
def written(checkpoint: checkpoints.Checkpoint, tmp_path: Path) -> checkpoints.Checkpoint:
    """The checkpoint, with its exported ground network beside it."""
    metadata = {"checkpoint_id": f"{checkpoint.id:08x}"}
    exported = export_ground(checkpoint.ground, checkpoint.tables.channels, metadata)
    (tmp_path / "ground.onnx").write_bytes(exported)
    return replace(checkpoint, path=tmp_path / "own.safetensors")


def test_the_pipeline_sees_the_same_with_either_backend(
    written: checkpoints.Checkpoint,
) -> None:
    image = np.random.default_rng(3).integers(0, 256, (128, 160, 3), np.uint8)
    sender = OnboardPipeline(written, OnboardConfig(rate_mode="fixed", rate_index=0.5))
    packets = sender.process(CameraFrame(image, 1, "camera"), 0.0)
    results = []
    for backend in ("torch", "onnxruntime"):
        ground = GroundPipeline(written, GroundConfig(backend=backend, score_threshold=0.0))
        results += [result for packet in packets for result in ground.receive(packet, 0.0)]
    with_torch, with_onnxruntime = results
    np.testing.assert_allclose(with_torch.scores, with_onnxruntime.scores, atol=1e-4)
    np.testing.assert_array_equal(with_torch.mask, with_onnxruntime.mask)


def test_a_ground_network_that_was_not_exported_is_named_with_what_to_do(
    written: checkpoints.Checkpoint, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="sc2 export"):
        OnnxGroundEngine.beside(tmp_path / "gone" / "x.safetensors", written.id, "cpu")
    with pytest.raises(CheckpointError, match="sc2 export"):
        OnnxGroundEngine.beside(None, written.id, "cpu")
    with pytest.raises(CheckpointError, match="is that of checkpoint"):
        OnnxGroundEngine.beside(written.path, written.id ^ 1, "cpu")


def test_onnx_runtime_on_the_ground_has_fp32_only() -> None:
    with pytest.raises(ParameterError, match="needs backend torch"):
        GroundConfig(backend="onnxruntime", precision="fp16").check_backend()
