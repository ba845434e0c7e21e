# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`sc2 train --check`: are the data sets of a configuration fit to train on?"""

from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from sc2_ros.data.check import Findings, examine, shared_images
from sc2_ros.data.registry import open_dataset
from sc2_ros.errors import InputError, ParameterError
from sc2_ros.training.config import TrainConfig
from sc2_ros.training.mask_classes import mask_classes_of
from sc2_ros.training.sources import labels_of


def check_data(config: TrainConfig) -> int:
    """Print what every source holds and write contact sheets below `check/` of the run's folder.

    Returns:
        0, or 1 where a data set cannot be opened, some of its images cannot be read, or its
        training split has no label.

    Raises:
        ParameterError: there is no source, or the configuration names no mask classes.
    """
    if not config.sources:
        raise ParameterError("the configuration has no sources, so there is nothing to check")
    own = config.settings.get("mask_classes") == "own"
    learned = () if own else mask_classes_of(config)
    console, out = Console(), Path(config.out) / "check"
    out.mkdir(parents=True, exist_ok=True)
    broken = False
    titles: list[str] = []
    for source in config.sources:
        title = ""
        splits: dict[str, Findings] = {}
        for split in ("train", "val"):
            try:
                data = open_dataset(source.path, split)
            except InputError as error:
                broken |= split == "train"
                console.print(f"{source.path}, {split}: {error}", markup=False)
                continue
            found, sheet = examine(data, data.mask_classes if own else learned)
            splits[split] = found
            broken |= bool(found.unreadable) or (split == "train" and not found.labelled)
            title = title or _unused(Path(data.name).name, titles)
            file = out / f"{title}_{split}.png"
            if not cv2.imwrite(str(file), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
                raise InputError(f"cannot write the contact sheet {file}: is the folder writable?")
            console.print(_table(found, labels_of(data)))
            for warning in found.warnings():
                console.print(f"  ! {warning}", style="yellow", markup=False)
            console.print(f"  images with labels: {file}", markup=False)
        if len(splits) == 2 and (shared := shared_images(splits["train"], splits["val"])):
            text = f"{len(shared)} images of train are in val, too: {', '.join(shared[:5])}"
            console.print(f"  ! {text}; val then says nothing", style="yellow", markup=False)
    return int(broken)


def _unused(name: str, titles: list[str]) -> str:
    """The name, or where another source has it the name with a number; added to `titles`."""
    title, number = name, 1
    while title in titles:
        number += 1
        title = f"{name}_{number}"
    titles.append(title)
    return title


def _table(found: Findings, labels: str) -> Table:
    title = (
        f"{found.name}: {found.images} images, {labels}, {found.ignored} regions to ignore;\n"
        "number of boxes (masks: share of pixels), width x height in px"
    )
    table = Table(title=title, title_justify="left")
    for heading in ("class", "boxes", "10 %", "median", "90 %"):
        table.add_column(heading, no_wrap=True)
    for name, sizes in found.boxes.items():
        cells = ["-", "-", "-"]
        if len(sizes):
            at = np.quantile(sizes, (0.1, 0.5, 0.9), axis=0)
            cells = [f"{width:.0f} x {height:.0f}" for width, height in at]
        table.add_row(name, f"{len(sizes):,}", *cells)
    for name, share in found.mask_shares.items():
        table.add_row(f"mask: {name}", f"{share:.1%}", "", "", "")
    return table
