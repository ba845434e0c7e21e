# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sc2_ros recipe from data to a checkpoint that loads, resumes and decodes."""

import numpy as np
import pytest
import torch

from sc2_ros import checkpoint
from sc2_ros.cli.main import main
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import parse
from sc2_ros.media.flight import SyntheticFlight

CONFIG = """
out: {out}
sources: [{{path: "synthetic:1", per_batch: 2}}]
augment: {{crop: 96}}
trainer: {{max_steps: 3, optimizer: {optimizer}, save_every_s: 1000}}
card: {{licence: test}}
"""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_train_resume_and_stream(tmp_path, capsys, optimizer) -> None:
    """Three steps make a checkpoint; resuming goes on from there; its packets decode."""
    config = tmp_path / "train.yaml"
    config.write_text(CONFIG.format(out=tmp_path / "run", optimizer=optimizer))

    assert main(["train", "sc2_ros", "--config", str(config)]) == 0
    first = checkpoint.load(tmp_path / "run" / "checkpoint.safetensors")
    arguments = ["train", "sc2_ros", "--config", str(config), "--resume", "--max-steps", "5"]
    assert main(arguments) == 0
    second = checkpoint.load(tmp_path / "run" / "checkpoint.safetensors")

    assert (first.card["steps"], second.card["steps"]) == (3, 5)
    assert second.card["licence"] == "test"
    assert first.id != second.id
    image = SyntheticFlight(5, width=128, height=96).frame(0).image
    with torch.inference_mode():
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
        latent = second.encoder(pixels)[0].numpy()
    codec = LatentCodec(second.tables, second.id)
    packets = codec.encode(
        latent,
        64,
        stream=0,
        frame=1,
        capture_time_ns=0,
        encoded_size=(128, 96),
        source_size=(128, 96),
    )
    for data in packets:
        piece = codec.decode(parse(data))
        height, width = piece.symbols.shape[1:]
        there = codec.quantise(latent, 64)[:, piece.y0 : piece.y0 + height]
        there = there[:, :, piece.x0 : piece.x0 + width]
        agree = np.mean(there == piece.symbols)
        assert agree > 0.95  # skipped symbols are zero


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nonsense"], "no recipe 'nonsense'"),
        (["train"], "which recipe?"),
        (["train", "sc2_ros", "--config", "missing.yaml"], "missing.yaml"),
    ],
)
def test_mistakes_are_one_line(arguments, words, capsys) -> None:
    """A wrong name or file is one sentence and exit status 2."""
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1


def test_unknown_key_is_named(tmp_path, capsys) -> None:
    """A mistyped key in the configuration is named beside those that exist."""
    config = tmp_path / "train.yaml"
    config.write_text("out: x\nsources: []\nloss: {lamda_low: 3}\n")
    assert main(["train", "sc2_ros", "--config", str(config)]) == 2
    error = capsys.readouterr().err
    assert "lamda_low" in error
    assert "lambda_low" in error
