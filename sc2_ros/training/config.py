# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training configuration: YAML into the dataclasses that the pieces declare."""

from __future__ import annotations

import dataclasses
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from sc2_ros.data.registry import located
from sc2_ros.errors import InputError, ParameterError
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.sc2_model import LossConfig
from sc2_ros.training.sources import SourceConfig
from sc2_ros.training.trainer import TrainerConfig

T = TypeVar("T")

# Type of a field -> what YAML may give for it, and what that is called.
_KINDS: dict[Any, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number, such as 0.002 or 2.0e-3"),
    str: ((str,), "a text"),
    dict: ((dict,), "a mapping"),
    tuple: ((list, tuple), "a list"),
    type(None): ((type(None),), "nothing"),
}


@dataclass(frozen=True)
class TrainConfig:
    """A whole training: where it writes, what it reads, how it learns; card goes into the file.

    floor_gain: factor on the gains at rate index 0 after training, so that the lowest rates lie
    below those trained for. teacher: whose answers are learned, for recipes that distil
    (`teachers.load_teacher`). settings: what only this recipe knows, checked by the recipe itself.
    """

    out: str
    sources: tuple[SourceConfig, ...] = ()
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    card: dict[str, Any] = field(default_factory=dict)
    floor_gain: float = 1.0
    teacher: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ParameterError for gains of nothing."""
        if not 0 < self.floor_gain < math.inf:
            raise ParameterError(f"floor_gain is {self.floor_gain:g}; give a factor above 0")


@dataclass(frozen=True)
class RunOptions:
    """What the command line adds to a configuration.

    teacher: in place of the configuration's; input and freeze_encoder: for adapt.
    """

    device: str = "cpu"
    resume: bool = False
    init: str | None = None
    input: str | None = None
    teacher: str | None = None
    freeze_encoder: bool = False


def build(kind: type[T], values: Any, where: str) -> T:
    """A dataclass from a mapping. Raises ParameterError naming what is unknown or wrong."""
    if not isinstance(values, dict):
        raise ParameterError(f"{where} must be a mapping, got {type(values).__name__}")
    known = {item.name for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - known):
        raise ParameterError(
            f"{where}: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )
    for name, hint in get_type_hints(kind).items():
        if name in values and (wanted := _wanted(values[name], hint)):
            raise ParameterError(f"{where}: {name} is {values[name]!r}; give {wanted}")
    try:
        return kind(**values)
    except ParameterError as error:
        raise ParameterError(f"{where}: {error}") from error
    except TypeError as error:  # only a key that has no default can be missing here
        missing = str(error).partition(": ")[2] or str(error)
        raise ParameterError(f"{where}: missing {missing}") from error


def check_settings(settings: dict[str, Any], *known: str) -> None:
    """Raise ParameterError if a recipe's settings have other names than those known."""
    if unknown := sorted(set(settings) - set(known)):
        names = ", ".join(sorted(known)) or "none"
        raise ParameterError(f"settings: unknown {', '.join(unknown)}; known are {names}")


def _wanted(value: Any, hint: Any) -> str:
    """What a field takes, where a value is not of it; "" where it is, or is built by itself."""
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    kinds = [get_origin(member) or member for member in members]
    if any(one not in _KINDS for one in kinds):
        return ""
    fits = tuple(kind for one in kinds for kind in _KINDS[one][0])
    is_nan = value != value  # which passes every check of a range
    if isinstance(value, fits) and not is_nan and (bool in kinds or not isinstance(value, bool)):
        return ""
    return " or ".join(_KINDS[one][1] for one in kinds)


def data_root(given: str | None) -> Path:
    """The folder of the data sets: --data, $SC2_DATA or ../shared/data."""
    return Path(given or os.environ.get("SC2_DATA") or "../shared/data")


def read(path: str | Path, data: str | None = None, max_steps: int | None = None) -> TrainConfig:
    """Read a YAML file; paths of data sets and footage in it are relative to the data folder.

    Raises InputError where it cannot be read, ParameterError where a key is unknown or a
    value is none that it can have.
    """
    try:
        values = yaml.safe_load(Path(path).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"cannot read the training configuration {path} ({error})") from error
    config = build(TrainConfig, values, str(path))
    root = data_root(data)
    augment = build(AugmentConfig, values.get("augment", {}), f"{path}: augment")
    sources = []
    for number, entry in enumerate(config.sources):
        where = f"{path}: sources[{number}]"
        source = build(SourceConfig, entry, where)
        try:
            source.augmentation(augment)
        except ParameterError as error:  # its scale and that of all, which do not go together
            raise ParameterError(f"{where}: {error}") from error
        sources.append(dataclasses.replace(source, path=located(source.path, root)))
    trainer = build(TrainerConfig, values.get("trainer", {}), f"{path}: trainer")
    if max_steps is not None:
        trainer = dataclasses.replace(trainer, max_steps=max_steps, max_minutes=math.inf)
    settings = dict(config.settings)
    if isinstance(patterns := settings.get("footage"), list):  # anything else the recipe refuses
        settings["footage"] = [located(p, root) if isinstance(p, str) else p for p in patterns]
    return dataclasses.replace(
        config,
        sources=tuple(sources),
        augment=augment,
        loss=build(LossConfig, values.get("loss", {}), f"{path}: loss"),
        trainer=trainer,
        settings=settings,
    )
