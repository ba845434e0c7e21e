# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where `sc2 train` finds a recipe's configuration, and which options a recipe takes."""

from pathlib import Path

import pytest
import torch

from sc2_ros import plugins
from sc2_ros.cli.main import main
from sc2_ros.cli.train import default_config
from sc2_ros.share import shared_folders
from sc2_ros.training.config import RunOptions, TrainConfig
from sc2_ros.training.recipes import recipes


@pytest.mark.parametrize("recipe", recipes())
def test_a_recipe_has_a_configuration_wherever_it_is_started(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_config(recipe).is_file()


def test_a_configuration_of_this_folder_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = Path("config/train/sc2_ros.yaml")
    own.parent.mkdir(parents=True)
    own.write_text("out: here\n")
    assert default_config("sc2_ros").samefile(own)


def test_what_ships_is_also_looked_for_in_ros_workspaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMENT_PREFIX_PATH", "/ws/install/sc2_ros:/opt/ros/jazzy")
    folders = shared_folders("config")
    assert Path("/ws/install/sc2_ros/share/sc2_ros/config") in folders
    assert Path("/opt/ros/jazzy/share/sc2_ros/config") in folders


TAKEN = {
    "adapt": "init resume input teacher freeze_encoder",
    "context": "init",
    "entropic_student": "init resume teacher",
    "fcos": "resume",
    "frankensplit": "init resume teacher",
    "ground": "init resume teacher",
    "image_codec": "resume",
    "light_detector": "init resume",
    "preview_head": "init resume",
    "rate_estimator": "init resume teacher",
    "saliency": "init",
    "sc2": "init resume teacher",
    "sc2_ros": "init resume teacher",
    "segmentation_head": "init resume",
    "skip": "init",
    "teacher": "init resume",
}
GIVEN = {
    "init": ["--init", "nosuch.safetensors"],
    "resume": ["--resume"],
    "input": ["--input", "nosuch.mp4"],
    "teacher": ["--teacher", "nosuch.safetensors"],
    "freeze_encoder": ["--freeze-encoder"],
}


@pytest.mark.parametrize("recipe", recipes())
def test_options_that_a_recipe_would_pass_over_are_refused(
    recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "train.yaml"
    config.write_text(f"out: {tmp_path / 'run'}\n")
    taken = TAKEN[recipe].split()
    for option, words in GIVEN.items():
        assert main(["train", recipe, "--config", str(config), *words]) == 2
        error = capsys.readouterr().err
        refused = f"the recipe {recipe} does not take {words[0]}; it takes --" in error
        assert refused is (option not in taken), error
    # Steps are of trainings, which can be resumed; what is fitted in one go has none.
    assert main(["train", recipe, "--config", str(config), "--max-steps", "3"]) == 2
    refused = f"{recipe} does not take --max-steps" in capsys.readouterr().err
    assert refused is ("resume" not in taken)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("recipe", recipes())
@pytest.mark.parametrize(
    ("text", "option"), [("teacher: x.pt2", "teacher"), ("trainer: {validate_every: 1}", "resume")]
)
def test_a_configuration_for_what_a_recipe_has_not_is_refused(
    recipe: str, text: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is a flag is refused as such; the same in the file would be passed over."""
    config = tmp_path / "train.yaml"
    config.write_text(f"out: {tmp_path / 'run'}\n{text}\n")

    assert main(["train", recipe, "--config", str(config)]) == 2

    error = capsys.readouterr().err
    refused = (
        f"the recipe {recipe} has no use for {text.partition(': {')[0].split(':')[0]}" in error
    )
    assert refused is (option not in TAKEN[recipe].split()), error


def test_a_process_of_torchrun_is_given_its_own_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it puts anything there. The GPUs are pretended; nothing is computed on them."""
    seen: list[str] = []

    def run(config: TrainConfig, options: RunOptions) -> Path:
        seen.append(options.device)
        return Path(config.out)

    monkeypatch.setattr(plugins, "load", lambda group, name: run)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: seen.append(str(device)))
    monkeypatch.setattr(torch.distributed, "init_process_group", seen.append)
    for name, value in {"WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    config = tmp_path / "train.yaml"
    config.write_text("out: run\n")

    assert main(["train", "foreign", "--config", str(config), "--device", "cuda"]) == 0

    assert seen == ["cuda:1", "nccl", "cuda:1"]


def test_a_recipe_of_another_package_that_declares_nothing_is_given_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[RunOptions] = []

    def run(config: TrainConfig, options: RunOptions) -> Path:
        seen.append(options)
        return Path(config.out)

    monkeypatch.setattr(plugins, "load", lambda group, name: run)
    config = tmp_path / "train.yaml"
    config.write_text("out: run\n")
    words = [word for given in GIVEN.values() for word in given]
    assert main(["train", "foreign", "--config", str(config), *words]) == 0
    assert seen[0].freeze_encoder
    assert seen[0].input == "nosuch.mp4"
