# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The encoder's runtimes give what the network gives, and say what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from sc2_ros import checkpoint as checkpoints
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.export.onnx_files import export_encoder
from sc2_ros.network import imaging
from sc2_ros.network.imaging import network_input
from sc2_ros.network.saliency import SaliencyHead
from sc2_ros.onboard.engine import Engine, Image, OnnxEngine, warm_up
from sc2_ros.onboard.torch_engine import TorchEngine

SHAPES = [((48, 64, 3), (0, 0)), ((50, 70, 3), (0, 0)), ((41, 66), (13, 7))]


@pytest.fixture(scope="module")
def networks() -> tuple[torch.nn.Module, SaliencyHead]:
    torch.manual_seed(3)
    encoder = checkpoints.untrained().encoder
    channels = encoder(torch.zeros(1, 3, 16, 16)).shape[1]
    return encoder, SaliencyHead(channels).eval()


def _engine(kind: str, networks: tuple[torch.nn.Module, SaliencyHead]) -> Engine:
    if kind == "torch":
        return TorchEngine(*networks)
    return OnnxEngine(export_encoder(*networks, {}), "cpu", threads=1)


@pytest.mark.parametrize("kind", ["onnxruntime", "torch"])
@pytest.mark.parametrize(("shape", "origin"), SHAPES)
def test_a_frame_gives_what_the_network_gives(
    kind: str,
    shape: tuple[int, ...],
    origin: tuple[int, int],
    networks: tuple[torch.nn.Module, SaliencyHead],
) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    encoder, head = networks
    with torch.inference_mode():
        latent = encoder(imaging.to_tensor(image, origin=origin))
        logit = head(latent)
    found = _engine(kind, networks).encode(image, origin)
    np.testing.assert_allclose(found.latent, latent[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(found.logit, logit[0, 0].numpy(), atol=1e-4)


def test_a_checkpoint_without_a_saliency_head_gives_no_logit(
    networks: tuple[torch.nn.Module, SaliencyHead],
) -> None:
    engine = OnnxEngine(export_encoder(networks[0], None, {}), "cpu")
    assert engine.encode(np.zeros((16, 16, 3), np.uint8)).logit is None


def test_a_picture_that_cannot_be_written_to_is_encoded(
    networks: tuple[torch.nn.Module, SaliencyHead],
) -> None:
    frozen = np.frombuffer(bytes(32 * 32 * 3), np.uint8).reshape(32, 32, 3)
    for kind in ("onnxruntime", "torch"):
        assert _engine(kind, networks).encode(frozen).latent.shape[1:] == (2, 2)


def test_a_picture_that_fits_the_grid_is_not_copied() -> None:
    image = np.zeros((32, 48, 3), np.uint8)
    assert network_input(image, (0, 0)) is image


def test_warming_up_meets_every_shape_that_a_moving_grid_asks_for() -> None:
    met = set()

    class Noting:
        name = "noting"

        def encode(self, image: Image, origin: tuple[int, int] = (0, 0)) -> None:
            met.add(network_input(image, origin).shape[:2])

    warm_up(Noting(), 64, 50)
    expected = {
        network_input(np.zeros((50, 64, 3), np.uint8), (x, y)).shape[:2]
        for x in range(16)
        for y in range(16)
    }
    assert met == expected


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_a_device_that_is_not_there_is_named_with_what_to_install(device: str) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has a GPU")
    with pytest.raises(ParameterError, match="onnxruntime-gpu"):
        OnnxEngine(b"", device)


def test_auto_without_a_gpu_that_can_be_used_is_the_cpu(
    monkeypatch: pytest.MonkeyPatch, networks: tuple[torch.nn.Module, SaliencyHead]
) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has a GPU")
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: both)
    exported = export_encoder(*networks, {})
    with pytest.warns(UserWarning, match="not in available provider names"):
        engine = OnnxEngine(exported, "auto")
    assert "cpu (onnxruntime-gpu is installed, but finds no GPU" in engine.name
    assert engine.encode(np.zeros((64, 64, 3), np.uint8)).latent.shape[1:] == (4, 4)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ParameterError, match="use auto, cpu, cuda, tensorrt"):
        OnnxEngine(b"", "npu")


@pytest.mark.parametrize(("name", "other"), [("image", "picture"), ("latent", "features")])
def test_a_graph_that_is_no_encoders_is_refused(
    name: str, other: str, networks: tuple[torch.nn.Module, SaliencyHead]
) -> None:
    model = onnx.load_from_string(export_encoder(*networks, {}))
    for value in (*model.graph.input, *model.graph.output):
        value.name = other if value.name == name else value.name
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [other if one == name else one for one in names]
    with pytest.raises(CheckpointError, match="makes .*not latent of image.*sc2 export"):
        OnnxEngine(model.SerializeToString(), "cpu")


def test_a_file_that_is_no_graph_is_refused() -> None:
    with pytest.raises(CheckpointError, match="sc2 export"):
        OnnxEngine(b"not a graph", "cpu")


def test_the_engine_needs_no_torch() -> None:
    code = "import sys, sc2_ros.onboard.engine; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_onnx_runtime_tells_nobody_that_it_runs(
    tmp_path: Path, networks: tuple[torch.nn.Module, SaliencyHead]
) -> None:
    """Its telemetry would go over the radio; before that it writes an id into the home folder."""
    graph, home = tmp_path / "encoder.onnx", tmp_path / "home"
    graph.write_bytes(export_encoder(*networks, {}))
    home.mkdir()
    code = (
        "import pathlib\nfrom sc2_ros.onboard.engine import OnnxEngine\n"
        f"OnnxEngine(pathlib.Path({str(graph)!r}).read_bytes(), 'cpu', threads=1)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(home), "TMPDIR": str(home), "XDG_CACHE_HOME": ""}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)

    assert not list(home.iterdir())
