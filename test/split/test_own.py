# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""docs/bring_your_own.md, run: a bottleneck of another package trains, evaluates and streams."""

import importlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sc2_ros import plugins
from sc2_ros.codec.wire import Geometry
from sc2_ros.data import open_dataset
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.evaluation.session.virtual import VirtualRun
from sc2_ros.evaluation.sweep.run import sweep
from sc2_ros.evaluation.systems import chunks
from sc2_ros.evaluation.systems.split_stream import SplitGround, SplitOnboard
from sc2_ros.evaluation.systems.split_system import SplitSystem
from sc2_ros.link.sim.spec import parse_link
from sc2_ros.media.frames import SourceFrame
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split.registry import GROUP
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.config import RunOptions, TrainConfig
from sc2_ros.training.recipes import recipe, recipes
from sc2_ros.training.sources import SourceConfig
from sc2_ros.training.trainer import TrainerConfig

EXAMPLE = Path(__file__).parent / "my_bottleneck.py"
PAGE = Path(__file__).parents[2] / "docs" / "bring_your_own.md"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The example as an installed package: its module and the metadata that pip writes."""
    site = tmp_path / "site"
    info = site / "my_bottleneck-1.dist-info"
    info.mkdir(parents=True)
    shutil.copy(EXAMPLE, site)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-bottleneck\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[sc2_ros.bottlenecks]\nnibbles = my_bottleneck:build\nbroken = my_bottleneck:nothing\n"
        "[sc2_ros.recipes]\nmy_recipe = my_bottleneck:run\n"
    )
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield site
    sys.modules.pop("my_bottleneck", None)


def train(tmp_path, name, settings, teacher=None):
    config = TrainConfig(
        out=str(tmp_path / name),
        sources=(SourceConfig("synthetic:1", per_batch=2),),
        augment=AugmentConfig(crop=64),
        trainer=TrainerConfig(max_steps=2, optimizer="adamw"),
        teacher=teacher,
        settings=settings,
    )
    return recipe("teacher" if teacher is None else "sc2")(config, RunOptions())


class Log:
    def __init__(self):
        self.sizes, self.results = [], []

    def camera(self, frame, time_s): ...

    def capacity(self, bits_per_s, time_s): ...

    def delivered(self, packet, time_s): ...

    def sent(self, packet, time_s):
        self.sizes.append(len(packet))

    def result(self, result, time_s, latency_ms):
        self.results.append((result, latency_ms))


def test_it_trains_evaluates_and_streams(installed, tmp_path):
    teacher = train(tmp_path, "teacher", {"task": "detection", "backbone": "resnet:8-16-24:1-1-1"})
    settings = {"bottleneck": "nibbles", "beta": 0.0, "options": {"channels": 4}}
    path = train(tmp_path, "student", settings, str(teacher))

    (row,) = sweep([SplitSystem.load(path)], open_dataset("synthetic:1", "val"), limit=2)
    positions = 640 // 8 * 480 // 8
    assert row["bytes_per_frame"] == positions * 4 / 2 + 8 + 24 * 9  # nibbles, size, nine packets
    assert row["mean_ap50"] is not None

    image = np.random.default_rng(0).integers(0, 255, (96, 128), np.uint8)
    frames = [SourceFrame(image, number * 50_000_000, "camera") for number in range(6)]
    log = Log()
    run = VirtualRun(
        SplitOnboard(SplitSystem.load(path)),
        SplitGround(SplitSystem.load(path)),
        parse_link("300kbit,40ms"),
        log,
    )
    run.run(frames)
    assert [result.stamp_ns for result, _ in log.results] == [frame.stamp_ns for frame in frames]
    assert all(latency_ms >= 40 for _, latency_ms in log.results)
    assert sum(log.sizes) == sum(result.size_bytes for result, _ in log.results)


def test_frames_with_a_lost_packet_are_counted_and_left_out(installed, tmp_path):
    teacher = train(tmp_path, "teacher", {"task": "detection", "backbone": "resnet:8-16-24:1-1-1"})
    settings = {"bottleneck": "nibbles", "beta": 0.0, "options": {"channels": 4}}
    path = train(tmp_path, "student", settings, str(teacher))
    onboard, ground = SplitOnboard(SplitSystem.load(path)), SplitGround(SplitSystem.load(path))
    image = np.zeros((480, 640), np.uint8)
    results = []
    for number in range(3):
        frame = SourceFrame(image, number, "camera")
        packets = onboard.process(frame, number * 0.1)
        for packet in packets[number == 1 :]:  # the second frame loses its first packet
            results += ground.receive(packet, number * 0.1)
    assert ground.receive(b"nonsense", 0.3) == []
    ground.poll(9.0)
    assert [result.frame for result in results] == [0, 2]
    assert ground.stats.incomplete_frames == 1
    assert ground.stats.bad_packets == {"damaged": 1}


def test_forged_frames_are_counted_and_left_out(installed, tmp_path):
    teacher = train(tmp_path, "teacher", {"task": "detection", "backbone": "resnet:8-16-24:1-1-1"})
    settings = {"beta": 0.0, "options": {"channels": 4}, "bottleneck": "entropic_student"}
    system = SplitSystem.load(train(tmp_path, "student", settings, str(teacher)))
    ground = SplitGround(system)
    forged = [
        (bytes(6), (64, 64)),  # no whole words
        (bytes(8), (4096, 4096)),  # more than anybody sends
        (b"", (64, 64)),
    ]
    for frame, (payload, size) in enumerate(forged):
        for packet in chunks.split(
            payload, Geometry(size, size), checkpoint_id=system.id, frame=frame
        ):
            assert ground.receive(packet, 0.0) == []
    assert ground.stats.bad_packets == {"damaged": len(forged)}
    assert ground.stats.frames == 0
    onboard = SplitOnboard(SplitSystem.load(tmp_path / "student" / "checkpoint.safetensors"))
    frame = SourceFrame(np.zeros((64, 64), np.uint8), 0, "camera")
    results = [r for p in onboard.process(frame, 0.0) for r in ground.receive(p, 0.1)]
    assert len(results) == 1  # and the ground goes on


def test_the_example_on_the_page_is_the_one_that_is_tested():
    code = PAGE.read_text().split("```python\n")[1].split("```")[0]
    assert EXAMPLE.read_text().endswith(code)


def test_what_is_decoded_is_what_was_quantised(installed):
    from my_bottleneck import Nibbles

    prior = Nibbles(3)
    latent = torch.randn(1, 3, 5, 7) * 6
    assert torch.equal(prior.decompress(prior.compress(latent), (5, 7)), prior.quantise(latent))


def test_foreign_names_are_listed_and_mistakes_named(installed, tmp_path):
    assert "nibbles" in plugins.names(GROUP)
    assert "cannot be loaded" in recipes()["my_recipe"]
    teacher = train(tmp_path, "teacher", {"task": "detection", "backbone": "resnet:8-16-24:1-1-1"})
    with pytest.raises(ParameterError, match="'broken' .*cannot be loaded"):
        train(tmp_path, "student", {"bottleneck": "broken"}, str(teacher))
    with pytest.raises(ParameterError, match="'my_recipe' .*cannot be loaded"):
        recipe("my_recipe")


@pytest.mark.parametrize("code", ["raise OSError('libcudart.so: no such file')", "def ("])
def test_a_package_that_fails_while_it_is_imported_is_named(installed, code):
    (installed / "my_bottleneck.py").write_text(code + "\n")
    with pytest.raises(ParameterError, match="'nibbles' .*cannot be loaded: "):
        plugins.load(GROUP, "nibbles")


def test_a_checkpoint_without_its_package_says_so(installed, tmp_path, monkeypatch):
    teacher = train(tmp_path, "teacher", {"task": "detection", "backbone": "resnet:8-16-24:1-1-1"})
    settings = {"bottleneck": "nibbles", "beta": 0.0}
    path = train(tmp_path, "student", settings, str(teacher))
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(installed)])
    importlib.invalidate_caches()
    with pytest.raises(CheckpointError, match="no bottleneck 'nibbles'"):
        split_checkpoint.load(path)
