# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every recipe of the papers for a few steps: real data, real gradients, real packets."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from sc2_ros.codec.wire import MAX_PACKET_BYTES
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.evaluation.systems.split_system import SplitSystem
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split.network import SplitNetwork
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.config import RunOptions, TrainConfig
from sc2_ros.training.recipes import recipe, recipes
from sc2_ros.training.sources import SourceConfig
from sc2_ros.training.trainer import TrainerConfig

BACKBONE = "resnet:8-16-24:1-1-1"
STEPS = 6


def make_shapes(folder):
    """An ImageFolder of discs, bars and crosses on noise."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("val", 4)):
        for name in ("bar", "cross", "disc"):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                image = rng.integers(0, 90, (48, 48, 3), np.uint8)
                x, y = (int(v) for v in rng.integers(16, 32, 2))
                if name == "disc":
                    cv2.circle(image, (x, y), 10, (250, 250, 250), -1)
                else:
                    cv2.line(image, (x - 12, y), (x + 12, y), (250, 250, 250), 5)
                if name == "cross":
                    cv2.line(image, (x, y - 12), (x, y + 12), (250, 250, 250), 5)
                cv2.imwrite(str(folder / split / name / f"{number}.png"), image)
    return folder


def make_config(out, data, settings, teacher=None, steps=STEPS):
    return TrainConfig(
        out=str(out),
        sources=(SourceConfig(str(data), per_batch=6),),
        augment=AugmentConfig(crop=32),
        trainer=TrainerConfig(max_steps=steps, optimizer="adamw", lr=3e-3),
        teacher=None if teacher is None else str(teacher),
        settings=settings,
    )


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return make_shapes(tmp_path_factory.mktemp("shapes"))


@pytest.fixture(scope="module")
def teacher(shapes, tmp_path_factory):
    out = tmp_path_factory.mktemp("teacher")
    settings = {"task": "classification", "backbone": BACKBONE}
    return recipe("teacher")(make_config(out, shapes, settings, steps=40), RunOptions())


def image_of(seed=0, size=(48, 48, 3)):
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


def state(path, part):
    network = split_checkpoint.load(path).network
    return {k: v for k, v in network.state_dict().items() if k.startswith(part)}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


STUDENTS = {
    "entropic_student": {"beta": 0.5, "options": {"channels": 6}},
    "sc2": {"bottleneck": "scale_hyperprior", "options": {"channels": 6, "hyper_channels": 4}},
    "sc2-mean": {
        "bottleneck": "mean_scale_hyperprior",
        "options": {"channels": 6, "hyper_channels": 4},
    },
    "sc2-answers": {
        "bottleneck": "sc2_ros_encoder",
        "stage1": "answers",
        "options": {"channels": 8, "width": 16},
    },
    "sc2-cr": {"bottleneck": "channel_reduction", "options": {"channels": 3}},
    "rate_estimator": {"channels": 4, "step": 0.5},
    "rate_estimator-sup": {"channels": 4, "supervised": True, "split": 1},
    "frankensplit": {"channels": 8},
}


@pytest.fixture(scope="module", params=list(STUDENTS))
def student(request, shapes, teacher, tmp_path_factory):
    out = tmp_path_factory.mktemp(request.param)
    name = request.param.partition("-")[0]
    config = make_config(out, shapes, STUDENTS[request.param], teacher)
    return recipe(name)(config, RunOptions())


def test_what_one_object_encodes_another_decodes_to_the_same_features(student):
    drone, ground = SplitSystem.load(student), SplitSystem.load(student)
    image = image_of(size=(32, 32, 3))  # what a classifier of crop 32 sees
    packets = drone.encode(image)
    assert packets
    assert all(24 < len(packet) <= MAX_PACKET_BYTES for packet in packets)
    with torch.inference_mode():
        wanted, bits = drone.bottleneck(drone._padded(image), noise=False)
        strings = drone.bottleneck.compress(drone._padded(image))
        found = ground.bottleneck.decompress(strings, (32, 32))
    assert torch.equal(found, wanted)
    assert sum(map(len, packets)) >= sum(map(len, strings)) + 24 + 8
    assert ground.decode(packets).category in range(3)
    if split_checkpoint.load(student).card["recipe"] != "rate_estimator":  # static tables
        # The rate that training saw is that of the real strings, but for words of four bytes.
        assert float(bits) / 8 == pytest.approx(sum(map(len, strings)), rel=0.3, abs=24)


def test_lost_and_damaged_packets_give_no_answer_and_no_error(student):
    system = SplitSystem.load(student)
    packets = system.encode(image_of())
    damaged = packets[0][:-1] + bytes([packets[0][-1] ^ 1])
    assert system.decode([]).category is None
    assert system.decode([damaged, *packets[1:]]).category is None
    assert system.frames_failed == 2


def test_the_card_says_the_recipe_and_the_file_loads_by_it(student, teacher):
    loaded = split_checkpoint.load(student)
    assert loaded.card["recipe"] in recipes()
    assert loaded.card["task"] == "classification"
    assert loaded.card["classes"] == ["bar", "cross", "disc"]
    assert isinstance(loaded.network, SplitNetwork)
    assert loaded.card["teacher"] == f"{split_checkpoint.load(teacher).id:08x}"
    assert split_checkpoint.is_split(student)


def test_the_teacher_learns_and_stands_alone(teacher, shapes):
    system = SplitSystem.load(teacher)
    hits = 0
    for number, name in enumerate(("bar", "cross", "disc")):
        for path in (shapes / "train" / name).iterdir():
            chip = cv2.resize(cv2.imread(str(path)), (32, 32), interpolation=cv2.INTER_AREA)
            hits += system.decode(system.encode(chip)).category == number
    assert hits > 20  # of 36; chance is 12


def test_the_first_stage_lowers_its_loss_and_leaves_the_ground_as_the_teacher_has_it(
    shapes, teacher, tmp_path
):
    from sc2_ros.papers.entropic_student import recipe as es
    from sc2_ros.training.split_training import batches as stream
    from sc2_ros.training.split_training import load_teacher, sources_for, start_student

    config = make_config(tmp_path, shapes, {}, teacher)
    known = load_teacher(config, RunOptions())
    sources, _ = sources_for("classification", config)
    torch.manual_seed(0)
    student = start_student(known, "entropic_student", {"channels": 6}, None)
    student.freeze("ground")
    before = {k: v.clone() for k, v in student.ground.state_dict().items()}
    optimizer = torch.optim.Adam([p for p in student.parameters() if p.requires_grad], 3e-3)
    batch = next(stream(sources, config))
    losses = []
    for _ in range(25):
        student.train()
        loss, _parts = es.features_loss(student, batch, known, 0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    assert same(before, student.ground.state_dict())


def test_the_second_stage_leaves_encoder_and_prior_alone(shapes, teacher, tmp_path):
    settings = {"options": {"channels": 6}, "stage2_share": 0.5}
    config = make_config(tmp_path, shapes, settings, teacher)
    path = recipe("entropic_student")(config, RunOptions())
    first = torch.load(tmp_path / "stage1" / "last.pt", weights_only=True)["ema"]
    encoder = state(path, "bottleneck.encoder.")
    assert same(encoder, {k: first[k] for k in encoder})
    ground = state(path, "ground.")
    assert not same(ground, {k: first[k] for k in ground})


def test_the_rate_estimator_moves_its_unit_alone(shapes, teacher, tmp_path):
    config = make_config(tmp_path, shapes, {"channels": 4}, teacher)
    path = recipe("rate_estimator")(config, RunOptions())
    theirs = split_checkpoint.load(teacher).ground.backbone.state_dict()
    head = state(path, "bottleneck.encoder.0.backbone.")
    assert head
    for key, value in head.items():
        assert torch.equal(value, theirs[key.removeprefix("bottleneck.encoder.0.backbone.")])


def test_one_encoder_serves_two_ground_backbones_with_the_same_bytes(shapes, teacher, tmp_path):
    config = make_config(tmp_path / "one", shapes, {"channels": 8}, teacher)
    one = recipe("frankensplit")(config, RunOptions())
    other_teacher = recipe("teacher")(
        make_config(
            tmp_path / "t",
            shapes,
            {"task": "classification", "backbone": "resnet:6-12-20-24:1-1-1-1"},
        ),
        RunOptions(),
    )
    settings = {"channels": 8, "encoder_from": str(one), "blueprint": "swin"}
    config = make_config(tmp_path / "two", shapes, settings, other_teacher)
    two = recipe("frankensplit")(config, RunOptions())
    packets = SplitSystem.load(one).encode(image_of())
    assert SplitSystem.load(two).encode(image_of()) == packets  # the checkpoint id too
    assert SplitSystem.load(two).decode(packets).category in range(3)


@pytest.mark.parametrize("task", ["detection", "segmentation"])
def test_dense_tasks_train_and_answer_at_the_images_size(task, tmp_path):
    settings = {"task": task, "backbone": BACKBONE}
    config = make_config(tmp_path / "t", "synthetic:1", settings, steps=2)
    config = replace(config, augment=AugmentConfig(crop=64))
    known = recipe("teacher")(config, RunOptions())
    student = make_config(tmp_path / "s", "synthetic:1", {"channels": 8}, known, steps=2)
    path = recipe("frankensplit")(replace(student, augment=AugmentConfig(crop=64)), RunOptions())
    system = SplitSystem.load(path)
    outputs = system.decode(system.encode(image_of(size=(72, 104))))
    if task == "segmentation":
        assert outputs.mask.shape == (18, 26)
    else:
        assert outputs.boxes.shape == (len(outputs.scores), 4)
        assert outputs.boxes.max(initial=0) <= 104


def test_a_run_that_was_stopped_goes_on(shapes, teacher, tmp_path):
    config = make_config(tmp_path, shapes, {"options": {"channels": 6}}, teacher)
    first = state(recipe("entropic_student")(config, RunOptions()), "")
    again = state(recipe("entropic_student")(config, RunOptions(resume=True)), "")
    assert same(again, first)  # both stages were over: nothing is trained anew


@pytest.mark.parametrize("name", ["teacher", "rate_estimator", "entropic_student"])
def test_there_is_nothing_to_resume_where_no_stage_was_begun(shapes, teacher, tmp_path, name):
    settings = {"task": "classification", "backbone": BACKBONE} if name == "teacher" else {}
    config = make_config(tmp_path, shapes, settings, teacher)
    with pytest.raises(CheckpointError, match="nothing to resume"):
        recipe(name)(config, RunOptions(resume=True))


def test_a_later_stage_may_begin_where_the_first_one_is_resumed(shapes, teacher, tmp_path):
    config = make_config(tmp_path, shapes, {"options": {"channels": 6}}, teacher, steps=2)
    first = state(recipe("entropic_student")(config, RunOptions()), "")
    (tmp_path / "stage2" / "last.pt").unlink()
    again = state(recipe("entropic_student")(config, RunOptions(resume=True)), "")
    assert same(again, first)


def test_a_new_run_does_not_go_on_with_a_later_stage_of_the_old_one(
    shapes, teacher, tmp_path, monkeypatch
):
    """Ctrl-C in stage 1 of it, then --resume: stage 2 is trained on what stage 1 has now."""
    from sc2_ros.papers.entropic_student import recipe as es

    def stopped(*args, **more):
        raise KeyboardInterrupt

    settings = {"options": {"channels": 6}}
    recipe("entropic_student")(
        make_config(tmp_path / "a", shapes, settings, teacher, steps=2), RunOptions()
    )
    config = make_config(tmp_path / "a", shapes, settings, teacher, steps=4)
    with monkeypatch.context() as patch:
        patch.setattr(es, "features_loss", stopped)
        with pytest.raises(KeyboardInterrupt):
            recipe("entropic_student")(config, RunOptions())

    found = recipe("entropic_student")(config, RunOptions(resume=True))

    wanted = recipe("entropic_student")(replace(config, out=str(tmp_path / "b")), RunOptions())
    assert same(state(found, ""), state(wanted, ""))
    assert split_checkpoint.load(found).card["steps"] == 4


def test_mistakes_are_named(shapes, teacher, tmp_path, student):
    with pytest.raises(ParameterError, match="needs a teacher"):
        recipe("sc2")(make_config(tmp_path, shapes, {}), RunOptions())
    with pytest.raises(CheckpointError, match="is no teacher"):
        recipe("sc2")(make_config(tmp_path, shapes, {}, student), RunOptions())
    unknown = make_config(tmp_path, shapes, {"bottleneck": "x"}, teacher)
    with pytest.raises(ParameterError, match="no bottleneck 'x'; known are channel_reduction"):
        recipe("sc2")(unknown, RunOptions())
    wrong = make_config(tmp_path, shapes, {"options": {"colour": 1}}, teacher)
    with pytest.raises(ParameterError, match="it takes channels"):
        recipe("entropic_student")(wrong, RunOptions())
    with pytest.raises(ParameterError, match="settings: unknown betta"):
        recipe("entropic_student")(
            make_config(tmp_path, shapes, {"betta": 1}, teacher), RunOptions()
        )
    with pytest.raises(ParameterError, match="needs boxes"):
        recipe("teacher")(make_config(tmp_path, shapes, {"task": "detection"}), RunOptions())


def test_the_papers_recipes_are_listed():
    known = recipes()
    wanted = ("teacher", "entropic_student", "sc2", "rate_estimator", "frankensplit", "sc2_ros")
    assert [name for name in wanted if name not in known] == []


def test_one_encoder_serves_two_tasks_with_the_same_bytes(shapes, teacher, tmp_path):
    options = {"options": {"channels": 6}, "beta": 0.5}
    one = recipe("entropic_student")(
        make_config(tmp_path / "one", shapes, options, teacher, steps=2), RunOptions()
    )
    dense = {"task": "segmentation", "backbone": BACKBONE}
    config = make_config(tmp_path / "t", "synthetic:1", dense, steps=1)
    other = recipe("teacher")(config, RunOptions())
    taken = options | {"encoder_from": str(one)}
    config = make_config(tmp_path / "two", "synthetic:1", taken, other, steps=2)
    two = recipe("entropic_student")(config, RunOptions())
    image = image_of(size=(32, 32, 3))
    packets = SplitSystem.load(one).encode(image)
    assert SplitSystem.load(two).encode(image) == packets
    assert SplitSystem.load(one).decode(packets).category in range(3)
    assert SplitSystem.load(two).decode(packets).mask.shape == (8, 8)
