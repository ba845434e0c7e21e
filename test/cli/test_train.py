# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where `sc2 train` finds a recipe's configuration."""

from pathlib import Path

import pytest

from sc2_ros.cli.train import default_config
from sc2_ros.share import shared_folders
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
