# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream and a teacher on our own trunk are one network under two sets of names."""

import pytest
import torch

from sc2_ros import checkpoint
from sc2_ros.cli.main import main
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split import efficientnet
from sc2_ros.split.backbones import DEFAULT, OWN
from sc2_ros.training.config import TrainConfig
from sc2_ros.training.mask_classes import mask_classes_of
from sc2_ros.training.recipes.sc2_ros import start, unpacked
from sc2_ros.training.sc2_model import TrainingModel
from sc2_ros.training.sources import SourceConfig
from sc2_ros.training.starting import (
    begin_with,
    ground_shape_of,
    teacher_weights_of,
    weights_of,
)
from sc2_ros.training.teachers import load_teacher


def make_stream(path):
    """A stream's file with random weights and statistics."""
    torch.manual_seed(0)
    card = checkpoint.default_card()
    encoder, ground = checkpoint.build_networks(card)
    for module in [*encoder.modules(), *ground.modules()]:
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    checkpoint.save(path, encoder, ground, checkpoint.untrained().tables, card)
    return path


def make_teacher(path, backbone=OWN, task="detection", classes=("a", "b", "c", "d")):
    torch.manual_seed(1)
    card = split_checkpoint.make_card(
        recipe="teacher", task=task, classes=classes, backbone=backbone
    )
    network = split_checkpoint.build_network(card)
    split_checkpoint.save(path, network, card)
    return network.eval()


@pytest.mark.parametrize("task", ["detection", "segmentation"])
def test_teacher_of_a_stream_answers_like_it(tmp_path, task) -> None:
    """The same image, the same logits: no layer was left out or put in another's place."""
    path = str(make_stream(tmp_path / "stream.safetensors"))
    classes = checkpoint.DETECTION_CLASSES if task == "detection" else checkpoint.MASK_CLASSES
    network = make_teacher(tmp_path / "teacher.safetensors", task=task, classes=classes)
    begin_with(network, teacher_weights_of(path), path)
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        ours, theirs = network(image), load_teacher(path)(image)
    for name in ("heatmap", "box") if task == "detection" else ("mask",):
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("split", [1, 2, 3])
def test_own_trunk_splits_behind_every_stage(tmp_path, split) -> None:
    """What is left behind a split answers as the whole."""
    network = make_teacher(tmp_path / "teacher.safetensors")
    assert network.latest_split() == 3
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        features = network.backbone.head(image, split)
        found = network.without(split).eval().behind(features, split)
        assert features.shape[2:] == (64 // 2 ** (split + 1), 96 // 2 ** (split + 1))
        assert torch.equal(found["heatmap"], network(image)["heatmap"])


def test_there_and_back_again(tmp_path, capsys) -> None:
    """A stream begun with a teacher that was begun with a stream has that stream's weights."""
    path = str(make_stream(tmp_path / "stream.safetensors"))
    card = split_checkpoint.make_card(
        recipe="teacher", task="detection", classes=("a", "b", "c", "d"), backbone=OWN
    )
    network = split_checkpoint.build_network(card)
    begin_with(network, teacher_weights_of(path), path)
    teacher = tmp_path / "teacher.safetensors"
    split_checkpoint.save(teacher, network, card)
    model = TrainingModel(mask_classes=3)
    capsys.readouterr()
    begin_with(model, weights_of(str(teacher)), str(teacher))
    afresh = capsys.readouterr().out

    was = weights_of(path)
    now = model.state_dict()
    gone = {key for key in now if key not in was or not torch.equal(now[key], was[key])}
    kinds = {".".join(key.split(".")[:2]) for key in gone if not key.startswith("bottleneck.")}
    assert kinds == {"ground.preview", "ground.segmentation"}
    assert "ground.preview, ground.segmentation" in afresh


def test_head_for_other_classes_begins_afresh(tmp_path) -> None:
    """Only the layer that names classes stays; a backbone of another shape is refused."""
    path = str(make_stream(tmp_path / "stream.safetensors"))
    network = make_teacher(tmp_path / "t.safetensors", task="segmentation", classes=("a", "b"))
    before = {k: v.clone() for k, v in network.state_dict().items()}
    begin_with(network, teacher_weights_of(path), path)
    same = {k for k, v in network.state_dict().items() if torch.equal(v, before[k])}
    assert {k for k in same if k.startswith("segment.classify")} == {
        "segment.classify.weight",
        "segment.classify.bias",
    }
    assert {k for k in same if before[k].dim() == 4} == {"segment.classify.weight"}


def test_what_does_not_fit_is_refused(tmp_path) -> None:
    """Another backbone, a student, or a file of something else."""
    path = tmp_path / "resnet.safetensors"
    make_teacher(path, DEFAULT)
    with pytest.raises(CheckpointError, match="settings.backbone: sc2_ros"):
        weights_of(str(path))
    network = make_teacher(tmp_path / "small.safetensors", "resnet:8-16:1-1")
    with pytest.raises(CheckpointError, match="of another shape: backbone"):
        begin_with(network, teacher_weights_of(str(path)), str(path))
    with pytest.raises(CheckpointError, match="no weight of this network"):
        begin_with(torch.nn.Linear(2, 2), teacher_weights_of(str(path)), str(path))


@pytest.mark.parametrize("content", [b"nothing", b"", b"step: 3\n", [1], {"ema": 3}])
def test_what_is_no_last_pt_is_refused(tmp_path, content) -> None:
    """Whatever a file of that name holds."""
    path = tmp_path / "last.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"no last\.pt"):
        weights_of(str(path))


def test_stream_for_a_data_sets_own_mask_classes(tmp_path, capsys, quick) -> None:
    """`mask_classes: own` makes a stream that answers in the data set's classes."""
    names = ["building", "road"]
    config = tmp_path / "train.yaml"
    config.write_text(
        f"out: {tmp_path / 'run'}\nsources: [{{path: 'synthetic:1', per_batch: 2}}]\n"
        "augment: {crop: 96}\ntrainer: {max_steps: 2, optimizer: adamw}\n"
        f"settings: {{mask_classes: {names}, {quick}}}\n"
    )
    assert main(["train", "sc2_ros", "--config", str(config)]) == 0
    loaded = checkpoint.load(tmp_path / "run" / "checkpoint.safetensors")
    assert loaded.card["mask_classes"] == names
    with torch.inference_mode():
        out = loaded.ground(torch.randn(1, loaded.tables.channels, 3, 4), torch.ones(1, 1, 3, 4))
    assert out["mask"].shape[1] == 2


def test_stream_learns_from_a_teacher_too(tmp_path, capsys, quick) -> None:
    """A teacher's masks are in the loss; one without our classes is refused by name."""
    config = tmp_path / "train.yaml"
    config.write_text(
        f"out: {tmp_path / 'run'}\nsources: [{{path: 'synthetic:1', per_batch: 2}}]\n"
        "augment: {crop: 96}\ntrainer: {max_steps: 2, optimizer: adamw}\n"
        f"settings: {{{quick}}}\n"
    )
    teacher = tmp_path / "teacher.safetensors"
    run = ["train", "sc2_ros", "--config", str(config), "--teacher", str(teacher)]
    make_teacher(teacher, task="segmentation", classes=("this", "that"))
    assert main(run) == 2
    assert "answers neither with maps of person" in capsys.readouterr().err
    make_teacher(teacher, task="segmentation", classes=checkpoint.MASK_CLASSES)
    assert main(run) == 0
    assert "distil" in capsys.readouterr().out


def test_a_stream_gets_the_later_blocks_of_a_teacher_on_efficientnet(
    tmp_path, capsys, quick
) -> None:
    """It begins with the teacher's, learns what feeds them, and its file has them unchanged."""
    pytest.importorskip("efficientnet_lite_pytorch")
    teacher = tmp_path / "teacher.safetensors"
    network = make_teacher(teacher, efficientnet.NAME, classes=checkpoint.DETECTION_CLASSES)
    config = tmp_path / "train.yaml"
    config.write_text(
        f"out: {tmp_path / 'run'}\nsources: [{{path: 'synthetic:1', per_batch: 2}}]\n"
        "augment: {crop: 96}\ntrainer: {max_steps: 2, optimizer: adamw}\n"
        f"settings: {{ground: {{semantics: true}}, {quick}}}\n"
    )
    base = make_stream(tmp_path / "stream.safetensors")
    run = ["train", "sc2_ros", "--config", str(config), "--init", f"{base},{teacher}"]
    assert main([*run, "--teacher", str(teacher)]) == 0
    assert "imitate" in capsys.readouterr().out
    path = str(tmp_path / "run" / "checkpoint.safetensors")
    found = checkpoint.read(path).ground.backbone.semantics
    block = network.backbone.stages[3][1]
    assert torch.equal(found.deep[1].expand.weight, block._expand_conv.weight.half().float())
    assert ground_shape_of(weights_of(path))["semantics"]


def test_a_ground_network_gets_the_later_blocks_and_loses_them_again(tmp_path) -> None:
    """What `settings.ground` says goes, also where the checkpoint's card says otherwise."""
    path = make_stream(tmp_path / "stream.safetensors")
    for wanted in ("true", "false"):
        config = tmp_path / "ground.yaml"
        config.write_text(
            f"out: {tmp_path / wanted}\nsources: [{{path: 'synthetic:1', per_batch: 2}}]\n"
            "augment: {crop: 96}\ntrainer: {max_steps: 1, optimizer: adamw}\n"
            f"settings: {{ground: {{semantics: {wanted}}}}}\n"
        )
        assert main(["train", "ground", "--config", str(config), "--init", str(path)]) == 0
        path = tmp_path / wanted / "checkpoint.safetensors"
        has_them = checkpoint.read(path).ground.backbone.semantics is not None
        assert has_them == (wanted == "true")


def test_later_files_take_the_place_of_earlier_ones(tmp_path) -> None:
    """Gains of a stream under the networks of a teacher."""
    path = make_stream(tmp_path / "stream.safetensors")
    network = make_teacher(tmp_path / "teacher.safetensors")
    model = TrainingModel()
    start(model, f"{path},{tmp_path / 'teacher.safetensors'}")
    gains = torch.tensor(checkpoint.read(path).tables.gains[[0, 64]])
    torch.testing.assert_close(model.bottleneck.log_gain[[0, -1]].exp(), gains)
    assert torch.equal(model.encoder.project.weight, network.neck.project.weight)


def test_new_head_has_the_data_sets_classes_and_the_stream_stays(tmp_path) -> None:
    """A head for two classes on a stream that had six: same id, same boxes, two logits."""
    base = make_stream(tmp_path / "stream.safetensors")
    config = tmp_path / "head.yaml"
    config.write_text(
        f"out: {tmp_path / 'run'}\nsources: [{{path: 'synthetic:1', per_batch: 2}}]\n"
        "augment: {crop: 96}\ntrainer: {max_steps: 2, optimizer: adamw}\n"
        "settings: {mask_classes: [building, road]}\n"
    )
    run = ["train", "segmentation_head", "--config", str(config), "--init", str(base)]
    assert main(run) == 0
    before = checkpoint.load(base)
    after = checkpoint.load(tmp_path / "run" / "checkpoint.safetensors")
    assert (after.id, after.card["mask_classes"]) == (before.id, ["building", "road"])
    latent, received = torch.randn(1, 64, 3, 4), torch.ones(1, 1, 3, 4)
    with torch.inference_mode():
        old, new = before.ground(latent, received), after.ground(latent, received)
    assert torch.equal(old["heatmap"], new["heatmap"])
    assert (old["mask"].shape[1], new["mask"].shape[1]) == (6, 2)


def test_mask_classes_are_names(tmp_path) -> None:
    """All that the data sets have, in their order; one class, or a class twice, is a mistake."""
    sources = (SourceConfig("synthetic:1", 1),)

    def classes(**settings):
        return mask_classes_of(TrainConfig("out", sources, settings=settings))

    assert classes() == classes(mask_classes="own") == checkpoint.MASK_CLASSES
    for wrong in (["road"], ["road", "road"], "road", [], 3):
        with pytest.raises(ParameterError, match="two names or more"):
            classes(mask_classes=wrong)


def test_a_deeper_ground_network_begins_with_the_answers_of_the_shallow_one(tmp_path) -> None:
    """Further residual blocks change nothing before they learn; a file of them is gone on from."""
    path = str(make_stream(tmp_path / "stream.safetensors"))
    image, received = torch.rand(2, 3, 64, 96), torch.ones(2, 1, 4, 6)
    shallow, deep = TrainingModel(), TrainingModel(depths=(5, 3, 1))
    start(shallow, path)
    start(deep, path)
    with torch.no_grad():
        for model in (shallow, deep):
            model.eval()
        latent = shallow.encoder(image)
        wanted, found = (model.ground(latent, received) for model in (shallow, deep))
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value)

    card = checkpoint.default_card()
    card["network"] |= {"ground_depths": [5, 3, 1]}
    deeper = tmp_path / "deeper.safetensors"
    parts = checkpoint.read(path)
    checkpoint.save(deeper, parts.encoder, deep.ground, parts.tables, card)
    again = unpacked(checkpoint.read(deeper))
    assert again.ground.backbone.depths == (5, 3, 1)
    assert weights_of(str(deeper)).keys() >= {f"ground.{key}" for key in again.ground.state_dict()}


def test_a_training_that_goes_on_keeps_the_shape_of_the_ground_network(
    tmp_path, capsys, quick
) -> None:
    """No setting repeats it; what another shape has no place for is named."""
    card = checkpoint.default_card()
    card["network"] |= {"ground_widths": [32, 24, 16], "ground_depths": [5, 2, 1]}
    deeper = tmp_path / "deeper.safetensors"
    checkpoint.save(deeper, *checkpoint.build_networks(card), checkpoint.untrained().tables, card)
    config = tmp_path / "train.yaml"
    config.write_text(
        f"out: {tmp_path / 'run'}\nsources: [{{path: 'synthetic:1', per_batch: 2}}]\n"
        "augment: {crop: 96}\ntrainer: {max_steps: 2, optimizer: adamw}\n"
        f"settings: {{{quick}}}\n"
    )
    assert main(["train", "sc2_ros", "--config", str(config), "--init", str(deeper)]) == 0
    backbone = checkpoint.load(tmp_path / "run" / "checkpoint.safetensors").ground.backbone
    assert (tuple(backbone.widths), tuple(backbone.depths)) == ((32, 24, 16), (5, 2, 1))
    assert "left out" not in capsys.readouterr().out
    begin_with(
        TrainingModel(widths=(32, 24, 16), depths=(4, 2, 1)), weights_of(str(deeper)), "deeper"
    )
    assert "left out of it: ground.backbone.blocks16.4\n" in capsys.readouterr().out


def test_channels_that_were_left_out_learn_again() -> None:
    """A training that goes on may use more of the latent; its answers begin as they were."""
    idle = unpacked(checkpoint.read("default"))
    model = TrainingModel(depths=idle.ground.backbone.depths)
    start(model, "default")
    image, received = torch.rand(2, 3, 64, 96), torch.ones(2, 1, 4, 6)
    with torch.no_grad():
        for network in (idle, model):
            network.eval()
        wanted = idle.ground(idle.encoder(image), received)
        found = model.ground(model.encoder(image), received)
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value)
    # They cost nothing where bits are dear, else the rate term would have them out again at once.
    with torch.no_grad():
        latent = model.encoder(image)
        low, high = (
            (latent * model.bottleneck.gains(rate)).round()[:, 22:]
            for rate in (torch.zeros(2), torch.ones(2))
        )
    assert not low.any()
    assert high.any(0).flatten(1).any(1).all()

    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    before = model.encoder.project.weight.detach().clone()
    for _ in range(2):
        out = model(image, torch.ones(2), received)
        optimizer.zero_grad()
        out["preview"].square().mean().backward()
        optimizer.step()
    moved = (model.encoder.project.weight - before).abs().amax((1, 2, 3))
    assert (moved[22:] > 0).all()
