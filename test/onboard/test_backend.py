# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The runtime that is meant is the one that encodes, and what is missing is said in a sentence."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sc2_ros import checkpoint, checkpoint_file
from sc2_ros.codec import wire
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.media.source import open_source
from sc2_ros.onboard import backend
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline


@pytest.fixture(scope="module")
def shipped() -> checkpoint_file.FlyingCheckpoint:
    return checkpoint_file.load("default")


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where PyTorch is not installed."""

    def found(name: str) -> object:
        return None if name == "torch" else find_spec(name)

    monkeypatch.setattr(backend, "find_spec", found)


def test_what_flies_is_read_as_the_whole_checkpoint_has_it(
    shipped: checkpoint_file.FlyingCheckpoint,
) -> None:
    whole = checkpoint.load("default")
    assert (shipped.id, shipped.card, shipped.path) == (whole.id, whole.card, whole.path)
    assert shipped.exported == whole.exported is not None
    for name, values in whole.tables.to_arrays().items():
        np.testing.assert_array_equal(shipped.tables.to_arrays()[name], values)


def test_the_shipped_checkpoint_flies_on_onnxruntime_and_gives_the_symbols_of_torch(
    shipped: checkpoint_file.FlyingCheckpoint,
) -> None:
    pipelines = [
        OnboardPipeline(shipped, OnboardConfig(backend=name, rate_index=0.4))
        for name in ("auto", "torch")
    ]
    assert [pipeline.engine_name.split()[0] for pipeline in pipelines] == ["ONNX", "PyTorch"]
    with open_source("synthetic:3", size=(320, 256)) as source:
        for number, frame in zip(range(3), source, strict=False):
            camera = CameraFrame(frame.image, number * 10**8, "camera")
            ours, theirs = (pipeline.process(camera, number / 10) for pipeline in pipelines)
            assert sum(map(len, ours)) == pytest.approx(sum(map(len, theirs)), rel=0.005)
            assert len(ours) > 0


def test_an_exported_encoder_does_not_change_the_id(tmp_path: Path) -> None:
    card = checkpoint.default_card()
    path = tmp_path / "model.safetensors"
    number = checkpoint.save(
        path, *checkpoint.build_networks(card), checkpoint.untrained().tables, card
    )
    checkpoint.write_exported(path, b"any bytes", path)
    for load in (checkpoint_file.load, checkpoint.load):
        assert (load(path).id, load(path).exported) == (number, b"any bytes")


@pytest.mark.usefixtures("no_torch")
@pytest.mark.parametrize("asked", ["auto", "onnxruntime"])
def test_a_checkpoint_without_its_exported_encoder_says_what_to_do(
    asked: str, shipped: checkpoint_file.FlyingCheckpoint
) -> None:
    bare = replace(shipped, exported=None)
    with pytest.raises(CheckpointError, match=r"sc2 export.*or install torch"):
        OnboardPipeline(bare, OnboardConfig(backend=asked))


def test_with_torch_a_checkpoint_without_its_exported_encoder_flies(
    shipped: checkpoint_file.FlyingCheckpoint,
) -> None:
    bare = replace(shipped, exported=None)
    assert OnboardPipeline(bare).engine_name.startswith("PyTorch")


@pytest.mark.usefixtures("no_torch")
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"backend": "torch"}, "pip install torch"),
        ({"precision": "bf16"}, "backend torch"),
        ({"device": "cuda"}, "onnxruntime-gpu"),
    ],
)
def test_without_torch_what_needs_it_is_refused(asked: dict[str, str], told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        OnboardConfig(**asked).validate()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"backend": "tflite"}, "auto, onnxruntime, torch"),
        ({"device": "npu"}, "auto, cpu, cuda, cuda:N, tensorrt"),
        ({"backend": "torch", "device": "tensorrt"}, "backend onnxruntime"),
        ({"backend": "onnxruntime", "precision": "bf16"}, "backend torch"),
        ({"device": "tensorrt"}, "install TensorRT"),
    ],
)
def test_what_does_not_go_together_is_refused(asked: dict[str, str], told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        OnboardConfig(**asked).validate()


def test_another_backend_is_taken_live(shipped: checkpoint_file.FlyingCheckpoint) -> None:
    pipeline = OnboardPipeline(shipped, OnboardConfig())
    image = np.zeros((64, 64), np.uint8)
    for name, runtime in (("torch", "PyTorch"), ("onnxruntime", "ONNX")):
        pipeline.configure(replace(pipeline.config, backend=name))
        assert pipeline.engine_name.startswith(runtime)
        packet = pipeline.process(CameraFrame(image, 0, "camera"), 0.0)[-1]
        assert wire.parse(packet).header.checkpoint_id == shipped.id


def test_the_engine_stays_where_nothing_of_it_changes(
    shipped: checkpoint_file.FlyingCheckpoint,
) -> None:
    pipeline = OnboardPipeline(shipped, OnboardConfig(device="cpu"))
    before = pipeline._engine
    pipeline.configure(replace(pipeline.config, precision="auto", rate_index=0.1))
    assert pipeline._engine is before


def test_an_encoder_exported_from_another_checkpoint_is_refused(tmp_path: Path) -> None:
    source = checkpoint_file.find("default")
    metadata, _ = checkpoint_file.read_tensors(source, checkpoint_file.FORMAT, "a test")
    tensors = load_file(source)
    tensors["encoder.project.bias"] = tensors["encoder.project.bias"] + np.float16(0.5)
    save_file(tensors, tmp_path / "other.safetensors", metadata)
    with pytest.raises(CheckpointError, match=r"export it again: sc2 export"):
        OnboardPipeline(checkpoint_file.load(tmp_path / "other.safetensors"))
