# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of what is fitted after a training: checked before it, and where footage is found."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from labelled import small_yolo
from recordings import make_video

from sc2_ros.cli.main import main
from sc2_ros.training.config import read
from sc2_ros.training.fit_settings import fit_settings
from sc2_ros.training.pairs import footage


def _write(folder: Path, data: Path, settings: str, augment: str = "crop: 64") -> Path:
    config = folder / "train.yaml"
    config.write_text(
        f"out: {folder / 'run'}\nsources: [{{path: {data}, per_batch: 1}}]\n"
        f"augment: {{{augment}}}\ntrainer: {{max_steps: 1}}\nsettings: {{{settings}}}\n"
    )
    return config


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("context: {hiden: 32}", "settings: context: unknown hiden"),
        ("context: {hidden: 0}", "settings: context: hidden is 0; give 1 or more"),
        ("context: {rates: 66}", "settings: context: rates is 66; give 1 to 65"),
        ("context: 3", "mapping"),
        ("skip: {pair_rates: 0}", "settings: skip: pair_rates is 0; give 1 to 65"),
        ("skip: {lr: -1.0}", "settings: skip: lr is -1.0; give 0 or more"),
        ("footage: [nosuch/*.mp4]", "no footage at"),
        ("footage: video/*.mp4", "footage is 'video/*.mp4'; give a list of patterns"),
    ],
)
@pytest.mark.parametrize("recipe", ["sc2_ros", "adapt", "context", "skip"])
def test_a_mistake_is_told_before_anything_is_trained(
    tmp_path, capsys, recipe, settings, words
) -> None:
    data = small_yolo(tmp_path / "data")
    config = _write(tmp_path, data, settings)
    given = ["--init", "default", *(["--input", str(data / "images")] if recipe == "adapt" else [])]

    assert main(["train", recipe, "--config", str(config), *given]) == 2

    output = capsys.readouterr()
    lacks = {"skip": "context", "adapt": "footage"}.get(recipe, "none")
    assert ("unknown" if settings.startswith(lacks) else words) in output.err
    assert output.err.count("\n") == 1
    assert not output.out  # not even the data sets were read
    assert not (tmp_path / "run").exists()


def test_footage_is_looked_for_beside_the_data_sets(tmp_path, monkeypatch) -> None:
    """As --data has it, or SC2_DATA; an absolute path is what it is."""
    for folder, level in (("a", 0), ("b", 200)):
        (tmp_path / folder).mkdir()
        for number in range(2):
            frame = np.full((32, 48, 3), level, np.uint8)
            cv2.imwrite(str(tmp_path / folder / f"{number}.png"), frame)
    video = make_video(tmp_path / "flight.mp4")
    config = _write(tmp_path, tmp_path, f"footage: ['*.png', {video}]")
    monkeypatch.setenv("SC2_DATA", str(tmp_path / "a"))

    for given, level in ((None, 0), (str(tmp_path / "b"), 200)):
        settings = fit_settings(read(config, given).settings)
        still, *flight = footage(settings.footage)
        assert [int(image.mean()) for image in still] == [level, level]
        assert flight


def test_scales_of_a_set_and_of_all_must_go_together(tmp_path, capsys) -> None:
    config = _write(tmp_path, tmp_path, "", "scale_min: 2.0, scale_max: 3.0")
    assert read(config).sources[0].augmentation(read(config).augment).scale_max == 3.0
    config.write_text(config.read_text().replace("per_batch: 1", "per_batch: 1, scale_max: 1.5"))

    assert main(["train", "sc2_ros", "--config", str(config)]) == 2

    error = capsys.readouterr().err
    assert "sources[0]: scale_min is 2 and scale_max 1.5; give scales above 0" in error
