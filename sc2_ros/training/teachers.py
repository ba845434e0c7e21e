# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks to learn from: our own checkpoints, torchvision's models, any torch.export file.

    default | FILE.safetensors                     a checkpoint, its latents not quantised, or what
                                                   `sc2 train teacher` wrote
    torchvision:NAME[:WEIGHTS][@MODULE,MODULE]     WEIGHTS is default, none or a .pth file
    FILE.pt2                                       what torch.export.save wrote

Each is called alike: images (B, 3, H, W) in [0, 1] -> dict of tensors by name.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from sc2_ros import checkpoint
from sc2_ros.data import DETECTION_CLASSES
from sc2_ros.errors import CheckpointError, InputError, ParameterError
from sc2_ros.network.imaging import STRIDE
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.training.imitation import IMITATED
from sc2_ros.training.sc2_model import Answers
from sc2_ros.training.teacher import Teacher
from sc2_ros.training.torchvision_teacher import TorchvisionTeacher

_KINDS = ("detection_classes", "mask_classes", "image_classes")


class StreamTeacher(Teacher):
    """One of our checkpoints without quantisation and without loss.

    ::

        image -> encoder -> latent -> backbone -> x16, x8, x4 -> heads -> heatmap, box, mask
    """

    def __init__(self, parts: checkpoint.Parts) -> None:
        """parts: of the checkpoint."""
        super().__init__()
        self.name = parts.path.stem
        self.encoder, self.ground = parts.encoder, parts.ground
        self.detection_classes = tuple(parts.card["detection_classes"])
        self.mask_classes = tuple(parts.card["mask_classes"])

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Latent, features at strides 16, 8, 4, and the heads' answers; H, W multiples of 16."""
        if image.shape[2] % STRIDE or image.shape[3] % STRIDE:
            raise InputError(
                f"images of {image.shape[3]}x{image.shape[2]} px; both sides must be multiples "
                f"of {STRIDE}"
            )
        latent = self.encoder(image)
        received = torch.ones_like(latent[:, :1])
        x16, x8, x4 = self.ground.backbone(latent, received)
        heatmap, box = self.ground.detection(x4)
        mask = self.ground.segmentation(x16, x8, x4)
        preview = self.ground.preview(latent, received, x8, x4)
        features = {"latent": latent, "x16": x16, "x8": x8, "x4": x4}
        return features | {"heatmap": heatmap, "box": box, "mask": mask, "preview": preview}


class ExportedTeacher(Teacher):
    """A program of torch.export: one image input; a tensor, tuple or dict of tensors out.

    Outputs without a name are out0, out1 and so on. A program exported for one image at a time is
    run image by image. Class names are taken from a JSON file beside it (FILE.json) with
    detection_classes, mask_classes or image_classes.
    """

    def __init__(self, path: Path) -> None:
        """path: of the .pt2 file."""
        super().__init__()
        self.name = path.stem
        try:
            program = torch.export.load(str(path))
        except Exception as error:  # a damaged archive raises whatever its parts raise
            raise CheckpointError(
                f"{path} is not a torch.export file ({str(error).splitlines()[0]}); write one "
                "with torch.export.save"
            ) from error
        self.network = program.module()
        user = set(program.graph_signature.user_inputs)
        nodes = [n for n in program.graph.nodes if n.op == "placeholder" and n.name in user]
        shapes = [tuple(n.meta["val"].shape) for n in nodes]
        if len(shapes) != 1 or len(shapes[0]) != 4:
            raise CheckpointError(f"{path} takes {shapes}; a teacher takes one (B, 3, H, W) tensor")
        # Sizes that were exported as fixed are plain integers.
        self.shape = tuple(side if isinstance(side, int) else None for side in shapes[0])
        card = path.with_suffix(".json")
        if card.is_file():
            for kind, names in _class_names(card).items():
                setattr(self, kind, names)

    def frozen(self, device: str | torch.device) -> Teacher:
        """The teacher on its device; an exported program has no train mode to leave."""
        self.network.requires_grad_(False)
        self.network.to(device)
        return self

    def train(self, mode: bool = True) -> Any:
        """An exported program has one mode only."""
        return self

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """What the program says."""
        if any(
            w is not None and w != h for w, h in zip(self.shape[1:], image.shape[1:], strict=True)
        ):
            raise InputError(
                f"{self.name} was exported for images of {self.shape[1:]}, got "
                f"{tuple(image.shape[1:])}; export it with dynamic sizes or train at that size"
            )
        batch = self.shape[0]
        if batch is not None and batch != len(image):
            if batch != 1:
                raise InputError(
                    f"{self.name} was exported for {batch} images at a time, got {len(image)}; "
                    "export it with a dynamic batch"
                )
            answers = [_named(self.network(one[None])) for one in image]
            return {key: torch.cat([a[key] for a in answers]) for key in answers[0]}
        return _named(self.network(image))


class TaskTeacher(Teacher):
    """What `sc2 train teacher` wrote: a ground network without bottleneck, for one task."""

    def __init__(self, path: Path) -> None:
        """path: of the checkpoint. Raises CheckpointError where it is of another recipe."""
        super().__init__()
        loaded = split_checkpoint.load(path)
        self.name, self.network = path.stem, loaded.teacher()
        field = {"detection": "detection_classes", "segmentation": "mask_classes"}
        setattr(
            self, field.get(loaded.card["task"], "image_classes"), tuple(loaded.card["classes"])
        )

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Features of the stages as stage0, stage1, ..., and the answers of its task.

        Sides that are no multiples of 32 are padded; maps at stride 4 are cut to the image again.
        """
        height, width = image.shape[2:]
        padded = F.pad(image, (0, -width % 32, 0, -height % 32), mode="replicate")
        found: dict[str, Any] = dict(self.network(padded))
        features = {f"stage{number}": x for number, x in enumerate(found.pop("features"))}
        for key in {"heatmap", "box", "mask"} & set(found):
            found[key] = found[key][..., : -(-height // 4), : -(-width // 4)]
        return features | found


def load_teacher(spec: str, device: str | torch.device = "cpu") -> Teacher:
    """Open a teacher (see the top of this file), frozen and in eval mode.

    Raises:
        CheckpointError: the file is missing or damaged, or weights cannot be downloaded.
        ParameterError: torchvision has no such model or module.
    """
    if spec.startswith("torchvision:"):
        rest, _, nodes = spec.removeprefix("torchvision:").partition("@")
        name, _, weights = rest.partition(":")
        modules = tuple(node for node in nodes.split(",") if node)
        return TorchvisionTeacher(name, weights or "default", modules).frozen(device)
    if spec.endswith(".pt2"):
        path = Path(spec).expanduser()
        if not path.is_file():
            raise CheckpointError(f"no teacher at {path}: the file is missing")
        return ExportedTeacher(path).frozen(device)
    path = checkpoint.find(spec)
    if split_checkpoint.is_split(path):
        return TaskTeacher(path).frozen(device)
    return StreamTeacher(checkpoint.read(path)).frozen(device)


def answers_for(spec: str | None, mask_classes: tuple[str, ...], device: str) -> Answers | None:
    """A teacher's maps of the classes that a stream has too, to be learned beside the labels.

    spec: as of `load_teacher`; without one there is nothing to be learned.

    Raises:
        ParameterError: it answers nothing that this stream answers.
    """
    if spec is None:
        return None
    teacher = load_teacher(spec, device)
    names = ["heatmap", "box"] if teacher.detection_classes == DETECTION_CLASSES else []
    names += ["mask"] if teacher.mask_classes == mask_classes else []
    first = teacher(torch.zeros(1, 3, 64, 64, device=device))
    if not names or any(name not in first for name in names):
        raise ParameterError(
            f"teacher {spec} answers neither with maps of {', '.join(DETECTION_CLASSES)} nor of "
            f"{', '.join(mask_classes)}; a checkpoint of ours or one of `sc2 train teacher` does"
        )

    names += [name for name in IMITATED.values() if name in first]

    def answers(image: torch.Tensor) -> dict[str, torch.Tensor]:
        found = teacher(image)
        return {name: found[name] for name in names}

    return answers


def _class_names(path: Path) -> dict[str, tuple[str, ...]]:
    """Class names of a program by their kind. Raises CheckpointError where the file has others."""
    try:
        card = json.loads(path.read_text())
        names = {kind: card.get(kind, []) for kind in _KINDS}
        good = all(
            isinstance(some, list) and all(isinstance(name, str) for name in some)
            for some in names.values()
        )
        reason = "what it has is no list of names"
    except (OSError, ValueError, AttributeError) as error:
        good, reason = False, str(error)
    if not good:
        raise CheckpointError(
            f"{path} names no classes ({reason}); write a JSON object with lists of names under "
            f"{', '.join(_KINDS)}"
        )
    return {kind: tuple(some) for kind, some in names.items()}


def _named(output: Any) -> dict[str, Tensor]:
    """Any nest of one level -> dict of tensors."""
    if isinstance(output, dict):
        return output
    items = output if isinstance(output, (tuple, list)) else (output,)
    return {f"out{number}": value for number, value in enumerate(items)}
