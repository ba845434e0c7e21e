# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows from processes are those of this one, and none is measured twice."""

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from weights import write_untrained

from sc2_ros.data import DETECTION_CLASSES, open_dataset
from sc2_ros.errors import ParameterError
from sc2_ros.evaluation.sweep.jobs import Plan, code_digest, images_digest, measure
from sc2_ros.evaluation.systems.registry import Context, build, check
from sc2_ros.split import checkpoint as split_checkpoint

SPECS = ["sc2_ros:0.5", "jpeg:20", "onboard-only"]
BOTTLENECK = Path(__file__).parents[2] / "split" / "my_bottleneck.py"
BASELINE = """
from pathlib import Path
from sc2_ros.evaluation.systems.system import Outputs

class Fixed:
    name = "fixed"
    detection_classes = mask_classes = image_classes = ()

    def __init__(self, setting):
        self.setting = setting
        self.weights = Path(__file__).with_name("weights.bin").read_bytes()

    def encode(self, image):
        return [self.weights]

    def decode(self, packets):
        return Outputs()

def build(setting, context):
    return Fixed(setting)
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    path = write_untrained(tmp_path_factory.mktemp("weights") / "untrained.safetensors")
    return Plan(Context(str(path), "synthetic:1", "val"), limit=2)


@pytest.fixture(scope="module")
def rows(plan):
    return measure(SPECS, plan)


def test_processes_give_the_same_rows_and_fill_the_cache(plan, rows, tmp_path):
    seen = []

    first = measure(SPECS, plan, jobs=2, cache=tmp_path, on_progress=lambda *p: seen.append(p))

    assert first == rows
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)
    assert len(list(tmp_path.glob("*.json"))) == 3


def test_the_workers_of_a_dask_cluster_give_the_same_rows(plan, rows, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path)
    ) as cluster:
        found = measure(SPECS, plan, cluster=cluster.scheduler_address, cache=tmp_path / "cache")

    assert found == rows
    assert len(list((tmp_path / "cache").glob("*.json"))) == 3


def test_a_cluster_that_is_none_is_refused(plan):
    with pytest.raises(ParameterError, match="local:N"):
        measure(SPECS, plan, cluster="local:many")


def test_a_run_goes_on_where_it_stopped(plan, tmp_path):
    measure(["jpeg:20"], plan, cache=tmp_path)
    (file,) = tmp_path.iterdir()
    known = json.loads(file.read_text()) | {"bytes_per_frame": 1.0}
    file.write_text(json.dumps(known))

    old, new = measure(["jpeg:20", "jpeg:21"], plan, cache=tmp_path)

    assert old["bytes_per_frame"] == 1.0  # taken from the cache, not measured again
    assert new["bytes_per_frame"] > 1000
    (other,) = measure(["jpeg:20"], replace(plan, limit=1), cache=tmp_path)
    assert other["bytes_per_frame"] > 1000  # other images, another key


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Write a module and the metadata of its package, as pip does; returns their folder."""
    names = []

    def install(module, source, group, entry):
        site = tmp_path / "site"
        info = site / f"{module}-1.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (site / f"{module}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{entry} = {module}:build\n")
        monkeypatch.syspath_prepend(str(site))
        sys.modules.pop(module, None)
        importlib.invalidate_caches()
        names.append(module)
        return site

    yield install
    for name in names:
        sys.modules.pop(name, None)


def test_a_baseline_of_another_package_is_measured_every_time(plan, tmp_path, installed):
    site = installed("fixed_baseline", BASELINE, "sc2_ros.baselines", "fixed")
    sizes = []
    for size in (100, 900):
        (site / "weights.bin").write_bytes(bytes(size))
        rows = measure(["fixed:1", "png"], plan, cache=tmp_path / "cache")
        sizes.append(rows[0]["bytes_per_frame"])

    assert sizes == [100, 900]
    assert len(list((tmp_path / "cache").glob("*.json"))) == 1  # that of png


def _student(path, bottleneck, **options):
    card = split_checkpoint.make_card(
        recipe="sc2",
        task="detection",
        classes=DETECTION_CLASSES,
        backbone="resnet:8-16-24:1-1-1",
        bottleneck={"name": bottleneck, "options": options},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        split_checkpoint.save(path, split_checkpoint.build_network(card), card)
    return Plan(Context(str(path), "synthetic:1", "val"), limit=1)


def test_a_bottleneck_of_another_package_is_measured_every_time(tmp_path, installed):
    source = BOTTLENECK.read_text()
    cache = tmp_path / "cache"
    sizes = []
    for more in ("", "bytes(900) + "):
        line = "return [bytes((pairs"
        assert line in source
        changed = source.replace(line, f"return [{more}bytes((pairs")
        installed("nibble_package", changed, "sc2_ros.bottlenecks", "nibbles")
        student = _student(tmp_path / "theirs.safetensors", "nibbles", channels=2)
        sizes.append(measure(["split"], student, cache=cache)[0]["bytes_per_frame"])

    assert sizes[1] == sizes[0] + 900
    assert not list(cache.glob("*.json"))
    measure(["split"], _student(tmp_path / "ours.safetensors", "channel_reduction"), cache=cache)
    assert len(list(cache.glob("*.json"))) == 1


def test_a_scale_is_seen_by_every_system_and_is_another_row(plan, tmp_path):
    (whole,) = measure(["png"], replace(plan, limit=1), cache=tmp_path)
    (half,) = measure(["png"], replace(plan, limit=1, scale=0.5), cache=tmp_path)

    assert half["bytes_per_frame"] < 0.5 * whole["bytes_per_frame"]
    assert len(list(tmp_path.glob("*.json"))) == 2


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A folder that code_digest takes for the package."""
    files = ("__init__.py", "link/on_air.py", "codec/csrc/kernel.c", "codec/csrc/rans.h")
    for name in (*files, "cli/main.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    monkeypatch.setattr("sc2_ros.__file__", str(tmp_path / "__init__.py"))
    return tmp_path


@pytest.mark.parametrize("name", ["link/on_air.py", "codec/csrc/kernel.c", "codec/csrc/rans.h"])
def test_the_digest_follows_what_counts_bytes_and_the_kernel_in_c(package, name):
    before = code_digest.__wrapped__()
    (package / name).write_text("2")

    assert code_digest.__wrapped__() != before


def test_the_digest_leaves_out_the_command_line(package):
    before = code_digest.__wrapped__()
    (package / "cli/main.py").write_text("2")

    assert code_digest.__wrapped__() == before


def test_the_digest_follows_the_pixels():
    data = open_dataset("synthetic:1", "val")

    assert images_digest(data, [0, 1]) == images_digest(data, [0, 1])
    assert images_digest(data, [0, 1]) != images_digest(data, [0, 2])


@pytest.mark.parametrize("spec", ["gif:3", "", "jpeg", "feature-avif:3", "onboard-only:heavy"])
def test_unknown_names_are_refused(plan, spec):
    with pytest.raises(ParameterError, match="not a baseline"):
        check(spec)
    with pytest.raises(ParameterError, match="not a baseline"):
        build(spec, plan.context)
