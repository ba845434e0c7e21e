# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decodes many bags of packets again, on the processes of this machine or on a Dask cluster.

::

    bags -> one task each -> OUT/bags/KEY/, KEY.parquet   -> OUT/detections.parquet
                                                            -> OUT/bags.parquet, a row for each bag

A bag's files appear when all of it is decoded, under a key of its contents' place, size and time,
of the checkpoint and of the options: what is there is not decoded again, and a task that is run
twice because its worker died leaves one result.
"""

from __future__ import annotations

import glob
import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sc2_ros.errors import InputError, Sc2Error, not_installed
from sc2_ros.evaluation.cluster import executor, is_local
from sc2_ros.files import write_whole
from sc2_ros.media.bag import is_bag

if TYPE_CHECKING:
    from sc2_ros.checkpoint import Checkpoint

_ROUNDS = 3
"""How often a bag is tried whose process dies."""
_UNFINISHED = ".unfinished-"
_BAGS = "bags"


@dataclass(frozen=True)
class Task:
    """A bag to be decoded: paths as text, since they go to other processes and machines."""

    bag: str
    folder: str
    checkpoint: str
    topic: str | None
    device: str
    precision: str
    seconds: float | None
    key_file: str = ""

    @property
    def key(self) -> str:
        """Names the result of this bag, this checkpoint's file and these options."""
        files = [Path(self.bag), *sorted(Path(self.bag).glob("*")), Path(self.checkpoint)]
        known = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        told = json.dumps([asdict(self) | {"folder": ""}, known])
        return f"{Path(self.bag).stem}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Outcome:
    """What became of a bag; error: why nothing did."""

    bag: str
    key: str
    frames: int = 0
    detections: int = 0
    seconds: float = 0.0
    error: str = ""


def find_bags(inputs: list[str], out: Path | None = None) -> list[Path]:
    """The bags that inputs name: bags, folders of bags, and globs.

    Args:
        inputs: each names one bag or more.
        out: the folder of the results; the bags of earlier results in it are left out.

    Raises:
        InputError: an input names none, or all of them are results.
    """
    from sc2_ros.cli.api.report import BAG  # not for the workers: it loads matplotlib

    found: dict[Path, None] = {}
    for given in inputs:
        path = Path(given).expanduser()
        if path.exists():
            bags = [path] if _is_one(path) else sorted(path.rglob("*")) if path.is_dir() else []
        else:
            bags = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
        bags = [bag.resolve() for bag in bags if _is_one(bag)]
        if not bags:
            raise InputError(f"{given} is no bag, no folder of bags and no pattern of their names")
        # A bag that is a folder has its own files in it.
        found |= {bag: None for bag in bags if bag.parent not in bags}
    if out is None:
        return list(found)
    results = [(out / part).resolve() for part in (_BAGS, BAG)]
    wanted = [bag for bag in found if not any(map(bag.is_relative_to, results))]
    if not wanted:
        raise InputError(
            f"all of these bags are in {out}/{_BAGS} or {out}/{BAG}, where the results go; "
            "give another --out"
        )
    return wanted


def _is_one(path: Path) -> bool:
    """Whether a path is one bag: a file, or a folder with a bag's metadata."""
    return is_bag(path) and (path.is_file() or (path / "metadata.yaml").exists())


def replay_archive(
    tasks: list[Task], cluster: str, tell: Callable[[Outcome, int], None]
) -> list[Outcome]:
    """Decode the bags of all tasks, then write the two tables into their folder.

    Args:
        tasks: all with the same folder.
        cluster: "local:N", or the address of a Dask scheduler, such as tcp://host:8786.
        tell: called with each outcome as it comes, and how many there are.

    Raises:
        ParameterError: there is no such cluster.
        InputError: a library is missing.
    """
    _import_pyarrow()
    folder = Path(tasks[0].folder)
    (folder / _BAGS).mkdir(parents=True, exist_ok=True)
    outcomes: dict[str, Outcome] = {}
    left = {task.bag: task for task in tasks}
    try:
        _decode_all(left, cluster, outcomes, tell)
    except KeyboardInterrupt:
        if is_local(cluster):  # the workers of a Dask cluster finish what they have begun
            _sweep(folder, [task.key for task in left.values() if Path(task.bag).exists()])
        raise
    ordered = [outcomes[task.bag] for task in tasks]
    _sweep(folder, [outcome.key for outcome in ordered if outcome.key])
    _write_tables(folder, ordered)
    return ordered


def _decode_all(
    left: dict[str, Task],
    cluster: str,
    outcomes: dict[str, Outcome],
    tell: Callable[[Outcome, int], None],
) -> None:
    """Decode the bags that are `left`; they move to `outcomes` as they are done."""
    for attempt in range(_ROUNDS):
        # A process that dies takes a pool of its own with it, so that the culprit shows itself.
        with executor(cluster, alone=attempt > 0) as submit:
            futures = {submit(decode_bag, task): task for task in left.values()}
            for future in as_completed(futures):
                outcome = _outcome(future, futures[future], last=attempt == _ROUNDS - 1)
                if outcome is not None:
                    outcomes[outcome.bag] = outcome
                    del left[outcome.bag]
                    tell(outcome, len(outcomes))
        if not left:
            return


def _sweep(folder: Path, keys: list[str]) -> None:
    """Remove what workers left that were killed in the middle of a bag."""
    for key in map(glob.escape, keys):
        for left in (folder / _BAGS).glob(f"{_UNFINISHED}{key}-*"):
            shutil.rmtree(left, ignore_errors=True)
        for left in (folder / _BAGS).glob(f"{key}.*.part"):
            left.unlink(missing_ok=True)


def decode_bag(task: Task) -> Outcome:
    """Decode one bag; a failure of any kind is the outcome, not an exception."""
    try:
        key = task.key
        done = Path(task.folder, _BAGS, f"{key}.json")
        if done.is_file():
            return Outcome(**json.loads(done.read_text()))
        outcome = _decode(task, key)
        write_whole(done, json.dumps(asdict(outcome)).encode())
    except Exception as error:  # a bag may hold anything, and fails alone
        sentence = str(error) if isinstance(error, Sc2Error) else f"{type(error).__name__}: {error}"
        return Outcome(task.bag, "", error=" ".join(sentence.split()))
    return outcome


def _decode(task: Task, key: str) -> Outcome:
    import pyarrow
    from pyarrow import parquet

    from sc2_ros.cli.api.feature_replay import feed
    from sc2_ros.cli.api.replay_recorder import ReplayRecorder
    from sc2_ros.ground.pipeline import FrameResult, GroundConfig, GroundPipeline
    from sc2_ros.media.bag_writer import BagWriter
    from sc2_ros.media.feature_bag import open_features

    begun_s = time.perf_counter()
    key_file = Path(task.key_file) if task.key_file else None
    features = open_features(task.bag, task.topic, key_file, despite_camera=True)
    if features is None:
        raise InputError("it has no packets of features")
    checkpoint = _loaded(task.checkpoint, task.device)
    names = checkpoint.card["detection_classes"]
    config = GroundConfig(device=task.device, precision=task.precision, mask=False, preview=False)
    ground = GroundPipeline(checkpoint, config)
    rows: list[dict[str, Any]] = []

    class Recorder(ReplayRecorder):
        """Keeps the boxes of every frame, too."""

        def result(self, result: FrameResult, time_s: float, latency_ms: float | None) -> None:
            super().result(result, time_s, latency_ms)
            for label, score, box in zip(result.labels, result.scores, result.boxes, strict=True):
                place = dict(zip(("x1", "y1", "x2", "y2"), map(float, box), strict=True))
                rows.append(
                    {
                        "bag": task.bag,
                        "stream": result.stream,
                        "stamp_ns": result.stamp_ns,
                        "class": names[label],
                        "score": float(score),
                        **place,
                    }
                )

    target = Path(task.folder, _BAGS, key)
    with TemporaryDirectory(prefix=f"{_UNFINISHED}{key}-", dir=target.parent) as folder:
        with BagWriter(Path(folder, key)) as bag:
            feed(features, ground, Recorder(bag, checkpoint.card), task.seconds or math.inf)
        if not ground.stats.frames:
            why = ground.stats.main_error() or "it is empty"
            raise InputError(f"no frame came out of it: {why}")
        shutil.rmtree(target, ignore_errors=True)  # of a run that was broken off
        Path(folder, key).rename(target)
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=_schema(pyarrow)), sink)
    write_whole(target.with_name(f"{key}.parquet"), sink.getvalue().to_pybytes())
    spent_s = time.perf_counter() - begun_s
    return Outcome(task.bag, key, ground.stats.frames, len(rows), round(spent_s, 3))


@lru_cache(maxsize=1)
def _loaded(path: str, device: str) -> Checkpoint:
    """A checkpoint, which the bags of one process share."""
    from sc2_ros import checkpoint

    return checkpoint.load(path, device=device)


def _schema(pyarrow: Any) -> Any:
    kinds = {"bag": "string", "stream": "int32", "stamp_ns": "int64", "class": "string"}
    kinds |= dict.fromkeys(("score", "x1", "y1", "x2", "y2"), "float32")
    return pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in kinds.items()])


def _write_tables(folder: Path, outcomes: list[Outcome]) -> None:
    """OUT/detections.parquet of all bags, and OUT/bags.parquet."""
    import pyarrow
    from pyarrow import parquet

    with parquet.ParquetWriter(folder / "detections.parquet", _schema(pyarrow)) as writer:
        for outcome in outcomes:
            if not outcome.error:
                writer.write_table(parquet.read_table(folder / _BAGS / f"{outcome.key}.parquet"))
    rows = pyarrow.Table.from_pylist([asdict(outcome) for outcome in outcomes])
    parquet.write_table(rows, folder / "bags.parquet")


def _outcome(future: Future[Outcome], task: Task, *, last: bool) -> Outcome | None:
    """What a future holds; None where its process died and the bag may be tried again."""
    try:
        return future.result()
    except Exception as error:
        died = isinstance(error, BrokenProcessPool) or type(error).__name__ == "KilledWorker"
        if died and not last:
            return None
        return Outcome(task.bag, "", error=f"its process died: {type(error).__name__}")


def _import_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(not_installed(error, "archive")) from error
