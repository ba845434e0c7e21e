# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
r"""What flies of a checkpoint file, read without PyTorch; checkpoint.py reads the networks, too.

encoder.*  float16 weights that fly            \\  checkpoint id = SHA-256 of these two,
tables.*   gains, integer context networks    //   so a newer ground network may share it
exported.encoder  uint8, the encoder and the saliency head as an ONNX file, if `sc2 export` made it
metadata   {"format": "sc2_ros/2", "card": JSON}
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from sc2_ros.codec.tables import CodingTables
from sc2_ros.errors import CheckpointError
from sc2_ros.share import shared_folders

FORMAT = "sc2_ros/2"
UNRELEASED_FORMAT = "sc2_ros/1"
"""Of the files before the first release, with bitstreams that are no longer read."""
SPLIT_FORMAT = "sc2_ros.split/1"
BASELINES = {
    "sc2_ros/light_detector": "onboard-only:light",
    "sc2_ros/image_codec": "compressai:Q",
}
"""Formats of network/weights.py -> the name of the baseline in `sc2 evaluate`."""
EXPORTED = "exported.encoder"
_IN_ID = ("encoder.", "tables.")
_LATENT = "encoder.project.weight"
"""Of the encoder's last layer: (C, cin, 1, 1)."""
_TYPES = ("BOOL", "F16", "F32", "F64", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64")
"""Of safetensors' types those that numpy has, too: ids and tables are made of its arrays."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class FlyingCheckpoint:
    """What the drone needs of a checkpoint.

    Attributes:
        tables: what latents are coded with.
        card: what the checkpoint says of itself.
        id: a uint32, the same on both ends of a link.
        path: the file it was read from; None: it was made in memory.
        exported: the encoder as an ONNX file; None: the file has none.
    """

    tables: CodingTables
    card: dict[str, Any]
    id: int
    path: Path | None = None
    exported: bytes | None = None


def models_folders() -> list[Path]:
    """Where shipped models are looked for: $SC2_MODELS, source tree, ROS or pip share."""
    first = [Path(os.environ["SC2_MODELS"])] if "SC2_MODELS" in os.environ else []
    return first + shared_folders("models")


def find(name: str | Path) -> Path:
    """The file of a checkpoint given by path, or by the name of a shipped one ("default")."""
    # Of os.path, which has False, not an error, for a name too long or a home that is not there.
    path = Path(os.path.expanduser(name))
    if os.path.isfile(path):
        return path
    if path.suffix != ".safetensors" and path.parent == Path("."):
        for folder in models_folders():
            if os.path.isfile(folder / f"{name}.safetensors"):
                return folder / f"{name}.safetensors"
    shipped = sorted(
        {p.stem for f in models_folders() if f.is_dir() for p in f.glob("*.safetensors")}
    )
    raise CheckpointError(
        f"no checkpoint '{name}': give a .safetensors file or one of the shipped models "
        f"({', '.join(shipped) or 'none found'})"
    )


def read_tensors(
    path: str | Path,
    expected: str,
    maker: str,
    *,
    prefixes: tuple[str, ...] = ("",),
    framework: str = "numpy",
) -> tuple[dict[str, str], dict[str, Any]]:
    """Metadata, and the tensors whose names begin as told, of a safetensors file of a format.

    Args:
        path: the file.
        expected: its format.
        maker: what makes files of that format, for people.
        prefixes: of the tensors' names; () reads none.
        framework: "numpy" or "pt".

    Raises:
        CheckpointError: missing, unreadable, of another format, or with types that numpy lacks.
    """
    try:
        with safe_open(str(path), framework) as file:
            metadata = file.metadata() or {}
            _check_format(metadata, path, expected, maker)
            keys = [key for key in file.keys() if key.startswith(prefixes)]  # noqa: SIM118
            for key in keys:
                kind = file.get_slice(key).get_dtype()
                if kind not in _TYPES:
                    raise CheckpointError(
                        f"{path}: {key} is of type {kind}; convert it to float16 or float32"
                    )
            tensors = {key: file.get_tensor(key) for key in keys}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is not a readable safetensors file ({error}); copy it again, or give one that "
            f"{maker} made"
        ) from error
    return metadata, tensors


def _check_format(metadata: Mapping[str, str], path: str | Path, expected: str, maker: str) -> None:
    if metadata.get("format") == UNRELEASED_FORMAT:
        raise CheckpointError(
            f"{path} was made before the first release, for a bitstream that is no longer read; "
            "use a checkpoint that ships with this version, or train it again"
        )
    if expected == FORMAT and metadata.get("format") == SPLIT_FORMAT:
        raise CheckpointError(
            f"{path} is a teacher or a paper's split network, for `sc2 evaluate` and `sc2 replay`; "
            "what the nodes, the demo and the export take comes from `sc2 train sc2_ros`"
        )
    if expected == FORMAT and metadata.get("format") in BASELINES:
        raise CheckpointError(
            f"{path} is the network of a baseline, for `sc2 evaluate --baselines "
            f"{BASELINES[metadata['format']]}`, which finds it; a checkpoint comes from "
            "`sc2 train sc2_ros`"
        )
    if metadata.get("format") != expected:
        raise CheckpointError(
            f"{path} has format '{metadata.get('format')}', expected '{expected}'; "
            f"it was not made by {maker}"
        )


def checkpoint_id(arrays: Mapping[str, Array]) -> int:
    """First 32 bits of the SHA-256 over encoder and tables, in the order of their names."""
    digest = hashlib.sha256()
    for key in sorted(arrays):
        if key.startswith(_IN_ID):
            digest.update(key.encode())
            digest.update(arrays[key].tobytes())
    return int.from_bytes(digest.digest()[:4], "little")


def card_of(metadata: Mapping[str, str], path: str | Path) -> dict[str, Any]:
    """The card in a file's metadata.

    Raises:
        CheckpointError: there is none that can be read.
    """
    try:
        return dict(json.loads(metadata["card"]))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} has no readable card ({error})") from error


def read_card(name: str | Path = "default") -> dict[str, Any]:
    """The card of a checkpoint by path or shipped name; the weights are left in the file.

    Raises:
        CheckpointError: missing, unreadable, of another format, or without a readable card.
    """
    path = find(name)
    return card_of(read_tensors(path, FORMAT, "sc2 train", prefixes=())[0], path)


def tables_of(arrays: Mapping[str, Array], path: Path) -> CodingTables:
    """The tables among a file's arrays.

    Raises:
        CheckpointError: they cannot be read, or are not for the latents of its encoder.
    """
    named = {
        key.removeprefix("tables."): np.asarray(value)
        for key, value in arrays.items()
        if key.startswith("tables.")
    }
    try:
        tables = CodingTables.from_arrays(named)
    except (CheckpointError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: its tables cannot be read ({error})") from error
    shape = np.shape(arrays[_LATENT]) if _LATENT in arrays else (tables.channels,)
    if shape[:1] != (tables.channels,):
        raise CheckpointError(
            f"{path}: its tables are for {tables.channels} channels, but {_LATENT} is {shape}: "
            "they are not of one training"
        )
    return tables


def exported_of(arrays: Mapping[str, Array]) -> bytes | None:
    """The exported encoder among a file's arrays, if it is there."""
    found = arrays.get(EXPORTED)
    return None if found is None else np.asarray(found).tobytes()


def load(name: str | Path = "default") -> FlyingCheckpoint:
    """What flies of a checkpoint, by path or shipped name.

    Raises:
        CheckpointError: missing, unreadable, of another format, or not fitting its own card.
    """
    path = find(name)
    wanted = (*_IN_ID, EXPORTED)
    metadata, arrays = read_tensors(path, FORMAT, "sc2 train", prefixes=wanted)
    tables = tables_of(arrays, path)
    card = card_of(metadata, path)
    return FlyingCheckpoint(tables, card, checkpoint_id(arrays), path, exported_of(arrays))
