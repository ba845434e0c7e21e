# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many systems over one data set: in parallel processes or on a cluster, no row measured twice.

::

    specs --+-- in the cache --------------------------------------------> rows
            +-- missing --> processes, one system at a time each --> cache --^

A row's key is made of what it depends on: the images and labels themselves, the system's name and
setting, every weight, loss and seed, the code, and the versions of the libraries that matter. So a
run that was killed goes on where it stopped, and a changed file is never answered with an old row.
Systems of other packages are measured every time, because what they depend on is not known here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import sc2_ros
from sc2_ros.data import Dataset, open_dataset
from sc2_ros.data.scaled import ScaledDataset
from sc2_ros.data.splits import choose
from sc2_ros.evaluation.cluster import executor
from sc2_ros.evaluation.sweep import agreement
from sc2_ros.evaluation.sweep.row import Row
from sc2_ros.evaluation.sweep.run import sweep
from sc2_ros.evaluation.systems.registry import (
    Context,
    build,
    digest,
    network,
    runs_other_packages,
)
from sc2_ros.evaluation.systems.system import Outputs
from sc2_ros.files import write_whole

_PACKAGES = (
    "torch",
    "torchvision",
    "onnxruntime",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "av",
    "compressai",
    "pycocotools",
)
_NO_PART_OF_A_ROW = ("cli", "nodes", "runtime", "training")
_SOURCES = (".py", ".c", ".h")


@dataclass(frozen=True)
class Plan:
    """What is measured: the context of every system, and how the images are used.

    `agreement` is the score of the weakest box that counts as true where there are no labels to
    be used; None takes the labels. `scale` enlarges or reduces the images, boxes and all.
    """

    context: Context
    limit: int | None = None
    loss: float = 0.0
    seed: int = 0
    agreement: float | None = None
    scale: float = 1.0

    def open(self) -> Dataset:
        """The images, at their scale."""
        data = open_dataset(self.context.data, self.context.split)
        return data if self.scale == 1 else ScaledDataset(data, self.scale)


def default_cache() -> Path:
    """$XDG_CACHE_HOME/sc2_ros/evaluation, in the home folder's .cache where that is not set."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "sc2_ros" / "evaluation"


def measure(
    specs: Sequence[str],
    plan: Plan,
    *,
    jobs: int = 1,
    cluster: str = "",
    cache: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Row]:
    """One row per spec (see systems/registry.py), in their order.

    Args:
        specs: names of systems.
        plan: what they are measured on.
        jobs: processes; 1 stays in this one.
        cluster: where else to run, in place of `jobs` (cluster.py); it needs checkpoint and data
            under the same paths, the cache stays here.
        cache: folder of the rows of earlier runs, those of systems of other packages left out; None
            neither reads nor writes any.
        on_progress: called with the number of rows done and their total.

    Raises:
        Sc2Error: a system cannot be built, or the data cannot be read.
    """
    data = plan.open()
    files: dict[str, Path] = {}
    rows: dict[str, Row] = {}
    if cache is not None:
        images = images_digest(data, choose(len(data), plan.limit))
        known = [spec for spec in specs if not runs_other_packages(spec, plan.context)]
        files = {spec: cache / f"{_key(spec, plan, images)}.json" for spec in known}
        rows = {spec: row for spec, file in files.items() if (row := _read(file)) is not None}
    missing = [spec for spec in dict.fromkeys(specs) if spec not in rows]
    total = len(set(specs))
    on_progress(total - len(missing), total)

    def keep(spec: str, row: Row) -> None:
        rows[spec] = row
        if spec in files:
            write_whole(files[spec], json.dumps(row).encode())
        on_progress(len(rows), total)

    truth = _truth(plan, data) if missing and plan.agreement is not None else None
    if not cluster and (jobs <= 1 or len(missing) <= 1):
        for spec in missing:
            keep(spec, _run(spec, plan, truth))
        return [rows[spec] for spec in specs]
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with executor(cluster or f"local:{min(jobs, len(missing))}", threads=threads) as submit:
        running = {submit(_run, spec, plan, truth): spec for spec in missing}
        for done in as_completed(running):
            keep(running[done], done.result())
    return [rows[spec] for spec in specs]


def images_digest(data: Dataset, indices: Sequence[int]) -> str:
    """Of the pixels and the truth of the images that count, and of how many there are in all."""
    total = hashlib.sha256(f"{len(data)} {data.detection_classes} {data.mask_classes}".encode())
    for index in indices:
        sample = data[index]
        total.update(f"{index} {sample.image.shape} {sample.category}".encode())
        total.update(sample.image.tobytes())
        for array in (sample.boxes, sample.labels, sample.ignore, sample.mask):
            total.update(b"-" if array is None else array.tobytes())
    return total.hexdigest()


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Of the package's files that rows depend on, and of the libraries' versions."""
    root = Path(sc2_ros.__file__).resolve().parent
    total = hashlib.sha256()
    for file in sorted(root.rglob("*")):
        name = file.relative_to(root)
        if file.suffix in _SOURCES and name.parts[0] not in _NO_PART_OF_A_ROW:
            total.update(str(name).encode() + file.read_bytes())
    for package in _PACKAGES:
        try:
            total.update(f"{package} {version(package)}".encode())
        except PackageNotFoundError:
            total.update(package.encode())
    return total.hexdigest()


def _key(spec: str, plan: Plan, images: str) -> str:
    values = asdict(plan)
    # Where checkpoint and data lie does not matter, only what they are.
    values["context"] = {"mask": plan.context.mask, "weights": digest(spec, plan.context)}
    # Principal channels are found on the training images, so there the place does matter.
    values["data"] = plan.context.data if spec.startswith("crbq") else ""
    parts = json.dumps([spec, values, images, code_digest()], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def _truth(plan: Plan, data: Dataset) -> dict[int, Outputs]:
    return agreement.answers(network(plan.context), data, choose(len(data), plan.limit))


def _run(spec: str, plan: Plan, truth: dict[int, Outputs] | None) -> Row:
    """One system over the data set, in whatever process."""
    data = plan.open()
    if truth is not None:
        assert plan.agreement is not None
        whole = network(plan.context)
        data = agreement.AgreementDataset(data, truth, whole, plan.agreement)
    system = build(spec, plan.context)
    (row,) = sweep([system], data, plan.limit, loss=plan.loss, seed=plan.seed)
    return row


def _read(file: Path) -> Row | None:
    try:
        row: Row = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return row
