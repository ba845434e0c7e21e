# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Models of torchvision as teachers, by their name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import models

from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.training.teacher import Teacher

# ImageNet's mean and deviation of RGB in [0, 1], on which torchvision's weights were trained.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class TorchvisionTeacher(Teacher):
    """A classifier, segmenter or detector of torchvision, with the features of chosen modules."""

    def __init__(self, name: str, weights: str, modules: tuple[str, ...] = ()) -> None:
        """name: as torchvision.models.list_models() has it; weights: default, none or a file."""
        super().__init__()
        self.name = name
        if name not in models.list_models():
            close = difflib.get_close_matches(name, models.list_models(), 5)
            raise ParameterError(
                f"torchvision has no model '{name}'; near it are {', '.join(close) or 'none'} "
                "(all: torchvision.models.list_models())"
            )
        self.network, categories = _build(name, weights)
        self.detects = name in models.list_models(module=models.detection)
        segments = name in models.list_models(module=models.segmentation)
        if self.detects:
            self.detection_classes = categories
        elif segments:
            self.mask_classes = categories
        else:
            self.image_classes = categories
        self._seen: dict[str, Tensor] = {}
        for path in modules:
            try:
                module = self.network.get_submodule(path)
            except AttributeError:
                known = ", ".join(child for child, _ in self.network.named_children())
                raise ParameterError(f"{name} has no module '{path}'; it has {known}") from None
            module.register_forward_hook(self._keep(path))
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(STD)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Features of the chosen modules, and logits, mask or boxes."""
        self._seen = {}
        if self.detects:  # detectors normalise by themselves
            return _flat_boxes(self.network(list(image))) | self._seen
        out = self.network((image - self.get_buffer("mean")) / self.get_buffer("std"))
        answer = {"mask": out["out"]} if isinstance(out, dict) else {"logits": out}
        return answer | self._seen

    def _keep(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, dict):
                self._seen.update({f"{path}.{key}": value for key, value in output.items()})
            else:
                self._seen[path] = output

        return hook


def _build(name: str, weights: str) -> tuple[nn.Module, tuple[str, ...]]:
    """A model of torchvision and the names of its classes, as far as its weights tell them."""
    if weights == "default":
        chosen: Any = models.get_model_weights(name)["DEFAULT"]
        try:
            network = models.get_model(name, weights=chosen)
        except OSError as error:  # urllib's errors are all of this kind
            raise CheckpointError(
                f"cannot download the weights of {name} ({error}); on a machine with internet "
                f"fetch {chosen.url} and give torchvision:{name}:FILE"
            ) from error
        return network, tuple(chosen.meta["categories"])
    classifies = not any(
        name in models.list_models(module=kind) for kind in (models.detection, models.segmentation)
    )
    # Detectors and segmenters would otherwise download weights for their backbone.
    parts = {} if classifies else {"weights_backbone": None}
    network = models.get_model(name, weights=None, **parts)
    if weights != "none":
        try:
            state = torch.load(weights, map_location="cpu", weights_only=True)
            network.load_state_dict(state)
        except (OSError, RuntimeError, TypeError, AttributeError) as error:
            reason = str(error).splitlines()[0]
            raise CheckpointError(f"{weights} holds no weights of {name} ({reason})") from error
        names = models.get_model_weights(name)["DEFAULT"].meta["categories"]
        return network, tuple(names)
    return network, ()


def _flat_boxes(found: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Torchvision's list of dicts, one per image -> boxes, scores, labels, image."""
    image = [torch.full_like(one["labels"], number) for number, one in enumerate(found)]
    keys = ("boxes", "scores", "labels")
    flat = {key: torch.cat([one[key] for one in found]) for key in keys}
    return flat | {"image": torch.cat(image)}
