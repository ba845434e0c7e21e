# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many bags of packets, decoded by the processes of this machine and by a Dask cluster."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from helpers.dask_cluster import DEADLINE_S, dask_cluster

from sc2_ros import checkpoint_file
from sc2_ros.cli.api.archive import Outcome, Task, find_bags, replay_archive
from sc2_ros.errors import InputError, ParameterError
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.messages import packet_message
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

parquet = pytest.importorskip("pyarrow.parquet")

FRAMES = 3
START_NS = 1_700_000_000 * 10**9
PERIOD_NS = 200_000_000


@pytest.fixture(scope="module")
def bags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight bags, and one file that is none."""
    folder = tmp_path_factory.mktemp("season")
    noise = np.random.default_rng(1)
    config = OnboardConfig(rate_mode="fixed", rate_index=0.3, rate_temporal=False)
    for number in range(8):
        sender = OnboardPipeline(checkpoint_file.load("default"), config)
        with BagWriter(folder / f"flight{number}.mcap") as bag:
            for frame in range(FRAMES):
                stamp_ns = START_NS + frame * PERIOD_NS
                image = noise.integers(0, 256, (96, 128, 3), np.uint8)
                for packet in sender.process(CameraFrame(image, stamp_ns, "camera"), frame / 5):
                    bag.write_message("features", packet_message(packet), stamp_ns)
    (folder / "broken.mcap").write_bytes(b"this is no bag")
    return folder


def model_and_options() -> tuple[str, None, str, str, None]:
    return str(checkpoint_file.find("default").resolve()), None, "cpu", "fp32", None


def tasks_of(bags: Path, out: Path) -> list[Task]:
    return [Task(str(bag), str(out), *model_and_options()) for bag in find_bags([str(bags)])]


def check_complete(out: Path, outcomes: list[Outcome]) -> None:
    """Every bag once: eight are decoded, one failed with its reason, no row is missing or twice."""
    good = [outcome for outcome in outcomes if not outcome.error]
    (bad,) = (outcome for outcome in outcomes if outcome.error)
    assert "broken.mcap" in bad.bag
    assert "not a ROS bag" in bad.error
    assert [outcome.frames for outcome in good] == [FRAMES] * 8
    told = parquet.read_table(out / "bags.parquet").to_pylist()
    assert [(row["bag"], row["error"]) for row in told] == [(o.bag, o.error) for o in outcomes]
    rows = parquet.read_table(out / "detections.parquet").to_pylist()
    assert len(rows) == sum(outcome.detections for outcome in good)
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    assert {row["stamp_ns"] for row in rows} <= {START_NS + i * PERIOD_NS for i in range(FRAMES)}
    left = sorted(path.name for path in (out / "bags").iterdir())
    names = [f"{outcome.key}{end}" for outcome in good for end in ("", ".json", ".parquet")]
    assert left == sorted(names)


def test_a_folder_is_decoded_and_the_same_again_decodes_nothing(bags: Path, tmp_path: Path) -> None:
    outcomes = replay_archive(tasks_of(bags, tmp_path), "local:2", lambda *_: None)
    check_complete(tmp_path, outcomes)

    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "bags").iterdir()}
    next(
        path for path in files if path.name.startswith("flight3") and path.suffix == ".json"
    ).unlink()
    again = replay_archive(tasks_of(bags, tmp_path), "local:1", lambda *_: None)

    check_complete(tmp_path, again)
    newer = {path.stem for path, before in files.items() if path.stat().st_mtime_ns != before}
    assert {name.partition("-")[0] for name in newer} == {"flight3"}


def test_what_a_killed_worker_left_is_removed(bags: Path, tmp_path: Path) -> None:
    tasks = tasks_of(bags, tmp_path)
    key = tasks[-1].key
    left = [tmp_path / "bags" / name for name in (f".unfinished-{key}-x1", f"{key}.json.7.part")]
    (left[0] / key).mkdir(parents=True)
    left[1].write_bytes(b"half of it")

    replay_archive(tasks, "local:1", lambda *_: None)

    assert not any(path.exists() for path in left)


def test_inputs_are_bags_folders_and_patterns(bags: Path) -> None:
    assert len(find_bags([str(bags / "flight[0-2].mcap"), str(bags / "flight1.mcap")])) == 3
    with pytest.raises(InputError, match="no folder of bags"):
        find_bags([str(bags / "nothing*")])


def test_results_that_lie_among_the_inputs_are_no_inputs(bags: Path, tmp_path: Path) -> None:
    season, given = tmp_path / "season", [str(tmp_path / "season")]
    shutil.copytree(bags, season, ignore=shutil.ignore_patterns("broken*", "flight[2-7]*"))
    flights = find_bags(given)
    for out in (season, season / "out"):
        tasks = [Task(str(bag), str(out), *model_and_options()) for bag in find_bags(given, out)]
        replay_archive(tasks, "local:1", lambda *_: None)
        shutil.copytree(next((out / "bags").glob("flight0*/")), out / "results")  # of one bag
        assert len(find_bags(given)) > len(flights)
        assert find_bags(given, out) == flights
        assert find_bags([str(season / "**" / "*.mcap")], out) == flights
        with pytest.raises(InputError, match="give another --out"):
            find_bags([str(out / "bags")], out)
        shutil.rmtree(out / "bags")
        shutil.rmtree(out / "results")


def test_ctrl_c_leaves_nothing_that_is_half_written(bags: Path, tmp_path: Path) -> None:
    tasks = tasks_of(bags, tmp_path)
    left = [tmp_path / "bags" / f".unfinished-{tasks[-1].key}-x1", tmp_path / "bags" / "mine.part"]
    left[0].mkdir(parents=True)
    left[1].write_bytes(b"of another program")

    def interrupted(_outcome: Outcome, _done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay_archive(tasks, "local:2", interrupted)

    assert not list((tmp_path / "bags").glob(".unfinished-*"))
    assert left[1].exists()
    left[1].unlink()
    check_complete(tmp_path, replay_archive(tasks, "local:2", lambda *_: None))


def test_a_cluster_that_is_none_is_named(bags: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="local:N"):
        replay_archive(tasks_of(bags, tmp_path), "local:many", lambda *_: None)


def test_a_dask_worker_that_is_killed_loses_nothing_and_doubles_nothing(
    bags: Path, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    out = tmp_path / "out"
    with dask_cluster(tmp_path) as (address, workers):

        def kill(outcome: Outcome, done: int) -> None:
            if done == 3:
                workers[0].send_signal(signal.SIGKILL)

        outcomes = replay_archive(tasks_of(bags, out), address, kill)
        assert workers[0].wait(DEADLINE_S) == -signal.SIGKILL
    check_complete(out, outcomes)
