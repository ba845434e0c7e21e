# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What all recipes with a trainer do alike: resume, validate, and write from one process."""

import itertools
from pathlib import Path

import pytest
import torch
from labelled import small_yolo
from safetensors.torch import load_file

from sc2_ros.training import validation
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.config import RunOptions, TrainConfig
from sc2_ros.training.recipes import image_codec, light_detector, recipe
from sc2_ros.training.sources import SourceConfig
from sc2_ros.training.trainer import TrainerConfig, Validation


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _config(
    out: Path, data: object, settings: dict | None = None, **trainer: object
) -> TrainConfig:
    return TrainConfig(
        out=str(out),
        sources=(SourceConfig(str(data), 1),),
        augment=AugmentConfig(crop=64),
        trainer=TrainerConfig(**{"max_steps": 4, **trainer}),
        settings=settings or {},
    )


BASELINES = {
    "image_codec": (image_codec, "codec_loss"),
    "light_detector": (light_detector, "light_loss"),
}


@pytest.mark.parametrize("name", BASELINES)
def test_a_broken_run_ends_in_the_same_weights_as_an_unbroken_one(tmp_path, monkeypatch, name):
    data = small_yolo(tmp_path / "data")
    unbroken = load_file(recipe(name)(_config(tmp_path / "a", data), RunOptions()))
    module, loss_name = BASELINES[name]
    loss, calls = getattr(module, loss_name), []

    def stops(*args: object) -> object:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return loss(*args)

    monkeypatch.setattr(module, loss_name, stops)
    with pytest.raises(KeyboardInterrupt):
        recipe(name)(_config(tmp_path / "b", data), RunOptions())
    resumed = load_file(recipe(name)(_config(tmp_path / "b", data), RunOptions(resume=True)))

    assert len(calls) == 5  # the third step was broken off and made again
    assert all(torch.equal(resumed[key], value) for key, value in unbroken.items())


@pytest.mark.parametrize("name", BASELINES)
def test_process_0_alone_writes(tmp_path, monkeypatch, name):
    data = small_yolo(tmp_path / "data")
    monkeypatch.setenv("RANK", "1")

    recipe(name)(_config(tmp_path / "run", data, max_steps=1), RunOptions())

    assert not list((tmp_path / "run").glob("*.*"))


VALIDATING = {
    "ground": ("default", {}),
    "segmentation_head": ("default", {"mask_classes": ["road", "person"]}),
    "light_detector": ("default", {}),
    "image_codec": (None, {}),
    "teacher": (None, {"task": "segmentation", "backbone": "resnet:8-16-24:1-1-1"}),
}


@pytest.mark.parametrize("name", VALIDATING)
def test_the_best_weights_are_those_that_are_written(tmp_path, monkeypatch, name):
    """Every loss is a real one, and a million higher than the one before: the first is the best."""
    init, settings = VALIDATING[name]
    made, turns = validation.validation_loss, itertools.count()

    def worse_and_worse(*args: object) -> Validation:
        validate = made(*args)
        return lambda model: {"score": validate(model)["score"] - 1e6 * next(turns)}

    monkeypatch.setattr(validation, "validation_loss", worse_and_worse)
    quick = {"lr": 0.05, "muon_lr": 0.05, "ema": 0.0, "validate_every": 0.25}
    config = _config(tmp_path / "run", "synthetic:1", settings, **quick)

    path = recipe(name)(config, RunOptions(init=init))

    best, last = (
        torch.load(tmp_path / "run" / file, weights_only=True) for file in ("best.pt", "last.pt")
    )
    assert (best["step"], last["step"]) == (1, 4)
    written = load_file(path)
    written |= {key.removeprefix("ground."): value for key, value in written.items()}  # a teacher's
    shared = [key for key, value in best["ema"].items() if key in written and value.numel()]
    assert len(shared) > 20

    def distance(state: dict[str, dict[str, torch.Tensor]]) -> float:
        pairs = [(written[key].double(), state["ema"][key].double()) for key in shared]
        return max(float(((a - b).abs() / (1 + b.abs())).max()) for a, b in pairs)

    assert distance(best) < 2e-3  # written as float16
    assert distance(last) > 1e-2
