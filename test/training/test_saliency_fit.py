# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A saliency head learns, without labels, where the ground network finds objects."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sc2_ros import checkpoint
from sc2_ros.cli.main import main
from sc2_ros.training import saliency_fit


class SquareFinder(nn.Module):
    """A ground network that finds an object of 24 pixels wherever a channel peaks above 0."""

    def forward(self, latent, received, *, mask, preview):
        cells = F.interpolate(latent[:, :1], scale_factor=4.0, mode="bilinear")
        box = torch.full((1, 4, *cells.shape[2:]), 12.0)
        peaks = F.max_pool2d(cells, 3, 1, 1) == cells
        return {"heatmap": torch.where(peaks, cells * 20, -20.0), "box": box}


class Spots(nn.Module):
    """An encoder whose first channel is positive where the picture is bright."""

    def forward(self, image):
        brightness = F.avg_pool2d(image[:, :1], 16) - 0.5
        return brightness.repeat(1, 64, 1, 1) * torch.linspace(1, 2, 64)[:, None, None]


def scene(seed):
    image = np.zeros((160, 192, 3), np.uint8)
    rng = np.random.default_rng(seed)
    for row, column in zip(rng.integers(0, 10, 4), rng.integers(0, 12, 4), strict=True):
        image[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16] = 255
    return image


def test_it_finds_objects_in_pictures_that_it_has_not_seen():
    head = saliency_fit.fit(Spots(), SquareFinder(), [scene(seed) for seed in range(24)])

    latent = Spots()(torch.from_numpy(scene(99)).permute(2, 0, 1)[None].float() / 255)
    probability = head(latent)[0, 0].sigmoid()
    bright = latent[0, 0] > 0
    assert probability[bright].min() > 0.5
    assert probability[~bright].min() < 0.1


def test_there_is_no_head_where_nothing_is_found():
    dark = [np.zeros((64, 64, 3), np.uint8)] * 3

    assert saliency_fit.fit(Spots(), SquareFinder(), dark) is None


@pytest.mark.filterwarnings("ignore")
def test_the_recipe_keeps_the_id_and_needs_a_checkpoint(tmp_path, capsys):
    config = tmp_path / "saliency.yaml"
    config.write_text(f"out: {tmp_path}/out\nsources: [{{path: 'synthetic:1', per_batch: 1}}]\n")

    assert main(["train", "saliency", "--config", str(config)]) != 0
    assert "--init" in capsys.readouterr().err
    assert main(["train", "saliency", "--config", str(config), "--init", "default"]) == 0

    made = checkpoint.load(tmp_path / "out" / "checkpoint.safetensors")
    assert made.id == checkpoint.load("default").id
    assert made.saliency is not None
