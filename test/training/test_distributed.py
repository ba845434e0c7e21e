# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two processes over gloo learn what one would from their batches together."""

import subprocess
import sys
from pathlib import Path

import ddp_peer
import pytest
import torch
from labelled import small_yolo

from sc2_ros import checkpoint

PEER = Path(ddp_peer.__file__)


def _torchrun(*arguments: str) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*command, "--nproc-per-node", "2", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.processes
def test_two_processes_equal_one_with_the_batch_of_both(tmp_path):
    torch.set_num_threads(1)

    _torchrun(str(PEER), str(tmp_path))
    ranks = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in range(2)]
    alone = ddp_peer.train(tmp_path / "alone", ddp_peer.whole_batches(2), seed=0, minutes=10.0)

    for part in ("model", "ema"):
        for key, value in ranks[0][part].items():
            assert torch.equal(value, ranks[1][part][key]), key
            expected = getattr(alone, part).state_dict()[key]
            torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-6)
    assert ranks[0]["minutes"] == ranks[1]["minutes"]
    pairs = zip(ranks[0]["grad"], alone.model["used"].parameters(), strict=True)
    for gradient, parameter in pairs:
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-4, atol=1e-6)
    assert {p.name for p in (tmp_path / "run0").glob("*.pt")} == {"last.pt", "best.pt"}
    assert not list((tmp_path / "run1").iterdir())


@pytest.mark.processes
def test_torchrun_trains_a_recipe_and_process_0_writes(tmp_path):
    data = small_yolo(tmp_path / "data")
    config = tmp_path / "train.yaml"
    config.write_text(
        f"out: {tmp_path / 'run'}\nsources: [{{path: {data}, per_batch: 2}}]\n"
        "augment: {crop: 64}\ntrainer: {max_steps: 2}\n"
        "settings: {context: {steps: 2, hidden: 8, rates: 2}, "
        "skip: {steps: 2, hidden: 8, pair_rates: 1}}\n"
    )

    _torchrun("-m", "sc2_ros.cli.main", "train", "sc2_ros", "--config", str(config))

    made = checkpoint.load(tmp_path / "run" / "checkpoint.safetensors")
    assert made.card["steps"] == 2
    state = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    assert set(state) >= {"model", "ema", "optimizers", "step", "minutes", "config", "rng"}
