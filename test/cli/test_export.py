# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`sc2 export` writes files that a runtime without torch reads, and tells how close they come."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors import SafetensorError
from weights import write_untrained

from sc2_ros import checkpoint as checkpoints
from sc2_ros.cli.main import main
from sc2_ros.onboard.engine import OnnxEngine

OPTIONS = ("--frames", "2", "--size", "96x64", "--input", "synthetic:3")


def _export(folder: Path, precision: str) -> tuple[dict, Path]:
    path = write_untrained(folder / "mine.safetensors")
    out = folder / precision
    assert main(["export", str(path), "--out", str(out), "--precision", precision, *OPTIONS]) == 0
    return json.loads((out / "parity.json").read_text()), out


def test_fp32_gives_the_symbols_of_the_checkpoint(tmp_path: Path) -> None:
    report, out = _export(tmp_path, "fp32")
    assert report["encoder"]["latent_max_difference"] < 1e-3
    assert max(report["encoder"]["symbols_that_differ"]) < 1e-3
    assert max(report["ground"]["max_difference"].values()) < 1e-3
    model = checkpoints.load(tmp_path / "mine.safetensors")
    told = OnnxEngine((out / "encoder.onnx").read_bytes(), "cpu").metadata
    assert told["checkpoint_id"] == f"{model.id:08x}"
    assert told["detection_classes"].startswith("person,car")


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_fewer_bits_are_fewer_bytes_and_nearly_the_same(tmp_path: Path, precision: str) -> None:
    exact, _ = _export(tmp_path / "exact", "fp32")
    report, _ = _export(tmp_path / "rough", precision)
    assert report["encoder"]["size_bytes"] < 0.6 * exact["encoder"]["size_bytes"]
    assert 1e-5 < report["encoder"]["latent_rms_difference"] < 0.2


def test_the_files_take_frames_of_any_size_and_old_runtimes_read_them(tmp_path: Path) -> None:
    _, out = _export(tmp_path, "fp32")
    for name in ("encoder.onnx", "ground.onnx"):
        model = onnx.load(out / name)
        assert model.opset_import[0].version <= 17  # TensorRT 8.6
        assert model.ir_version <= 9  # ONNX Runtime 1.16
    engine = OnnxEngine((out / "encoder.onnx").read_bytes(), "cpu")
    channels, *_ = engine.encode(np.zeros((16, 16, 3), np.uint8)).latent.shape
    assert engine.encode(np.zeros((80, 33, 3), np.uint8)).latent.shape == (channels, 5, 3)
    ground = onnxruntime.InferenceSession(str(out / "ground.onnx"))
    for height, width in ((3, 5), (8, 2)):
        latent = np.zeros((1, channels, height, width), np.float32)
        heatmap, *_ = ground.run(None, {"latent": latent, "received": latent[:, :1]})
        assert heatmap.shape[2:] == (4 * height, 4 * width)


@pytest.mark.parametrize("name", ["ground.onnx", "mine.safetensors"])
def test_a_full_disk_leaves_the_older_files_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, name: str
) -> None:
    _, out = _export(tmp_path, "fp32")
    before = (out / name).read_bytes()
    write_bytes = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if not path.name.startswith("ground"):
            return write_bytes(path, data)
        write_bytes(path, data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full_of_tensors(_tensors: object, path: str, _metadata: object) -> None:
        write_bytes(Path(path), b"half")
        raise SafetensorError("I/O error: No space left on device")

    if name == "ground.onnx":
        monkeypatch.setattr(Path, "write_bytes", full)
    else:
        monkeypatch.setattr("sc2_ros.checkpoint.save_file", full_of_tensors)
    assert main(["export", str(tmp_path / "mine.safetensors"), "--out", str(out), *OPTIONS]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "No space left on device" in line
    assert (out / name).read_bytes() == before
    assert not list(out.glob("*.part"))


@pytest.mark.parametrize("linked", [False, True])
def test_the_checkpoint_itself_is_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture, linked: bool
) -> None:
    path = write_untrained(tmp_path / "models" / "mine.safetensors")
    out = tmp_path / "out" if linked else tmp_path / "models"
    if linked:
        out.symlink_to(tmp_path / "models")
    before = path.read_bytes()
    assert main(["export", str(path), "--out", str(out), "--precision", "int8", *OPTIONS]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "give another --out" in line
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_input_without_pictures_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "empty").mkdir()
    options = ["--out", str(tmp_path / "out"), "--input", str(tmp_path / "empty")]
    path = write_untrained(tmp_path / "mine.safetensors")
    assert main(["export", str(path), *options]) == 2
    assert "empty" in capsys.readouterr().err
