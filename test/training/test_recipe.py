# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sc2_ros recipe from data to a checkpoint that loads, resumes and decodes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from labelled import small_yolo

from sc2_ros import checkpoint
from sc2_ros.cli.main import main
from sc2_ros.codec.frame.decoder import PacketDecoder
from sc2_ros.codec.frame.encoder import FrameEncoder
from sc2_ros.codec.frame.symbols import round_latent
from sc2_ros.codec.wire import Geometry, parse
from sc2_ros.errors import ParameterError
from sc2_ros.media.flight import SyntheticFlight
from sc2_ros.training.adaptation import FixedStream
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.batches import SourceConfig, open_sources
from sc2_ros.training.config import RunOptions, TrainConfig
from sc2_ros.training.recipes import recipe
from sc2_ros.training.recipes.segmentation_head import segmentation_loss
from sc2_ros.training.sc2_model import TrainingModel
from sc2_ros.training.trainer import TrainerConfig

CONFIG = """
out: {out}
sources: [{{path: "{data}", per_batch: 2}}]
augment: {{crop: 96}}
trainer: {{max_steps: 3, optimizer: {optimizer}, save_every_s: 1000, validate_every: {validate}}}
settings: {{{settings}}}
card: {{licence: test}}
"""


def _write(path: Path, out: Path, data: object = "synthetic:1", **more: object) -> Path:
    values = {"optimizer": "muon", "validate": 0, "settings": "", **more}
    path.write_text(CONFIG.format(out=out, data=data, **values))
    return path


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(("optimizer", "validate"), [("muon", 0), ("adamw", 0.5)])
def test_train_resume_and_stream(tmp_path, capsys, quick, optimizer, validate) -> None:
    """Three steps make a checkpoint; resuming goes on from there; its packets decode."""
    data = small_yolo(tmp_path / "data")
    config = _write(
        tmp_path / "train.yaml",
        tmp_path / "run",
        data,
        optimizer=optimizer,
        validate=validate,
        settings=quick,
    )

    assert main(["train", "sc2_ros", "--config", str(config)]) == 0
    first = checkpoint.load(tmp_path / "run" / "checkpoint.safetensors")
    arguments = ["train", "sc2_ros", "--config", str(config), "--resume", "--max-steps", "5"]
    assert main(arguments) == 0
    second = checkpoint.load(tmp_path / "run" / "checkpoint.safetensors")

    assert (first.card["steps"], second.card["steps"]) == (3, 5)
    assert second.card["licence"] == "test"
    assert validate or first.id != second.id
    assert (tmp_path / "run" / "best.pt").exists() == bool(validate)
    assert "boxes of car" in capsys.readouterr().out
    image = SyntheticFlight(5, width=128, height=96).frame(0).image
    with torch.inference_mode():
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
        latent = second.encoder(pixels)[0].numpy()
    rounded = round_latent(latent, second.tables.gains[64]).symbols
    for data in _packets(second, latent, 64):
        piece = PacketDecoder(second.tables, second.id).decode(parse(data))
        height, width = piece.symbols.shape[1:]
        there = rounded[:, piece.y0 : piece.y0 + height, piece.x0 : piece.x0 + width]
        agree = np.mean(there == piece.symbols)
        assert agree > 0.95  # symbols that are not coded are zero


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nonsense"], "no recipe 'nonsense'"),
        (["train"], "which recipe?"),
        (["train", "sc2_ros", "--config", "missing.yaml"], "missing.yaml"),
        (["train", "sc2_ros", "--device", "tpu"], "device 'tpu' is unknown"),
    ],
)
def test_mistakes_are_one_line(arguments, words, capsys) -> None:
    """A wrong name or file is one sentence and exit status 2."""
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "name",
    ["sc2_ros", "segmentation_head", "preview_head", "ground", "context", "skip", "saliency"],
)
def test_unknown_settings_are_named(name, tmp_path) -> None:
    config = TrainConfig(out=str(tmp_path), settings={"mask_clases": "own"})
    with pytest.raises(ParameterError, match="unknown mask_clases"):
        recipe(name)(config, RunOptions(init="default"))


@pytest.mark.parametrize("name", ["light_detector", "image_codec", "context", "saliency"])
def test_a_training_without_sources_says_so(name, tmp_path) -> None:
    start = None if name == "image_codec" else "default"
    with pytest.raises(ParameterError, match="sources in the configuration is empty"):
        recipe(name)(TrainConfig(out=str(tmp_path)), RunOptions(init=start))


@pytest.mark.parametrize("name", ["light_detector", "sc2_ros", "ground"])
def test_nothing_is_learned_from_pictures_without_labels(name, tmp_path) -> None:
    """Zero loss is not success."""
    pictures = small_yolo(tmp_path / "data") / "images"
    config = TrainConfig(
        out=str(tmp_path / "run"),
        sources=(SourceConfig(str(pictures), 1),),
        augment=AugmentConfig(crop=64),
        trainer=TrainerConfig(max_steps=1),
    )
    with pytest.raises(ParameterError, match="needs boxes or masks"):
        recipe(name)(config, RunOptions(init="default"))
    assert not (tmp_path / "run").exists()


def test_masks_of_other_classes_are_no_labels(tmp_path) -> None:
    names = ["cloud", "water"]
    source = SourceConfig("synthetic:1", 1)
    data = open_sources([source], AugmentConfig(crop=64), mask_classes=names, need=["boxes"])
    assert data[0].labelled.any()
    with pytest.raises(ParameterError, match="needs masks"):
        open_sources([source], AugmentConfig(crop=64), mask_classes=names, need=["masks"])


def test_unknown_key_is_named(tmp_path, capsys) -> None:
    """A mistyped key in the configuration is named beside those that exist."""
    config = tmp_path / "train.yaml"
    config.write_text("out: x\nsources: []\nloss: {lamda_low: 3}\n")
    assert main(["train", "sc2_ros", "--config", str(config)]) == 2
    error = capsys.readouterr().err
    assert "lamda_low" in error
    assert "lambda_low" in error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sources: 3", "sources is 3; give a list"),
        ("settings:", "settings is None; give a mapping"),
        ("trainer: {lr: 2e-3}", "lr is '2e-3'; give a number"),
        ("trainer: {lr: .nan}", "lr is nan; give a number"),
        ("trainer: {max_steps: 2.5}", "max_steps is 2.5; give a whole number"),
        ("trainer: {max_steps: -3}", "trainer: max_steps is -3; give 1 step or more"),
        ("trainer: {max_minutes: 0}", "trainer: max_minutes is 0; give more than 0"),
        ("trainer: {lr: -0.1}", "trainer: lr is -0.1; give 0 or more"),
        ("trainer: {muon_lr: .inf}", "trainer: muon_lr is inf; give 0 or more, but not infinite"),
        ("trainer: {warmup: 2}", "trainer: warmup is 2; give 0 to 1"),
        ("trainer: {seed: -1}", "trainer: seed is -1; give 0 or more"),
        ("floor_gain: 0", "floor_gain is 0; give a factor above 0"),
        ("augment: {crop: 0}", "augment: crop is 0; give a multiple of 16 px"),
        ("augment: {crop: 200}", "augment: crop is 200; give a multiple of 16 px"),
        ("augment: {crop: -32}", "crop is -32"),
        ("augment: {scale_min: 0}", "scale_min is 0"),
        ("sources: [{path: x, per_batch: 0}]", "sources[0]: per_batch is 0; give 1 crop or more"),
        ("sources: [{path: x, per_batch: 1, scale_min: 5}]", "scale_min is 5 and scale_max 1.3"),
        ("sources: [{path: x, per_batch: 1, scale_min: -1}]", "give scales above 0"),
        ("augment: {crop: yes}", "crop is True; give a whole number"),
        ("teacher: 3", "teacher is 3; give a text or nothing"),
    ],
)
def test_a_value_of_a_wrong_kind_is_named(tmp_path, capsys, text, words) -> None:
    """Before anything is read or trained; YAML takes 2e-3 for a text."""
    config = tmp_path / "train.yaml"
    config.write_text(f"out: x\n{text}\n")
    assert main(["train", "sc2_ros", "--config", str(config)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("head", ["mask", "preview"])
def test_a_new_head_keeps_the_stream(tmp_path, head) -> None:
    """Only that head learns: same id, the same answers of the others for the same latents."""
    recipe = {"mask": "segmentation_head", "preview": "preview_head"}[head]
    torch.manual_seed(0)
    card = checkpoint.default_card()
    encoder, ground = checkpoint.build_networks(card)
    base = tmp_path / "base.safetensors"
    checkpoint.save(base, encoder, ground, checkpoint.untrained().tables, card)
    config = _write(tmp_path / "head.yaml", tmp_path / "head")
    config.write_text(config.read_text().replace("crop: 96", "crop: 224"))
    assert main(["train", recipe, "--config", str(config), "--init", str(base)]) == 0
    before = checkpoint.load(base)
    after = checkpoint.load(tmp_path / "head" / "checkpoint.safetensors")

    assert before.id == after.id
    latent, received = torch.randn(1, 64, 3, 4), torch.ones(1, 1, 3, 4)
    with torch.inference_mode():
        old, new = before.ground(latent, received), after.ground(latent, received)
    for name, value in new.items():
        assert torch.equal(old[name], value) is (name != head), name


@pytest.mark.parametrize("recipe", ["segmentation_head", "preview_head"])
def test_a_head_wants_a_checkpoint(tmp_path, capsys, recipe) -> None:
    """Without --init it says what to give."""
    config = _write(tmp_path / "head.yaml", tmp_path / "head")
    assert main(["train", recipe, "--config", str(config)]) == 2
    assert "--init default" in capsys.readouterr().err


def test_the_preview_head_says_how_large_a_crop_it_needs(tmp_path, capsys) -> None:
    config = _write(tmp_path / "head.yaml", tmp_path / "head")
    assert main(["train", "preview_head", "--config", str(config), "--init", "default"]) == 2
    assert "needs 224 px or more" in capsys.readouterr().err


@pytest.mark.parametrize("ground", ["", "ground: {widths: [16, 16, 16], depths: [1, 1, 1]}"])
def test_a_ground_network_keeps_the_stream(tmp_path, capsys, ground) -> None:
    """The id and what flies stay; the ground answers otherwise, and in its own shape."""
    config = _write(tmp_path / "g.yaml", tmp_path / "run", settings=ground)
    assert main(["train", "ground", "--config", str(config), "--init", "default"]) == 0

    before = checkpoint.load("default")
    after = checkpoint.load(tmp_path / "run" / "checkpoint.safetensors")

    assert f"checkpoint id {before.id:08x} as before" in capsys.readouterr().out
    assert before.id == after.id
    assert after.card["network"]["ground_widths"] == ([16, 16, 16] if ground else [128, 96, 64])
    channels = before.card["network"]["channels"]
    latent, received = torch.randn(1, channels, 3, 4), torch.ones(1, 1, 3, 4)
    with torch.inference_mode():
        old, new = before.ground(latent, received), after.ground(latent, received)
    assert old.keys() == new.keys()
    assert not torch.equal(old["heatmap"], new["heatmap"])


def test_a_ground_network_learns_from_a_teacher_beside_the_labels(tmp_path, capsys) -> None:
    config = _write(tmp_path / "g.yaml", tmp_path / "run")
    command = ["train", "ground", "--config", str(config), "--init", "default"]
    assert main([*command, "--teacher", "default"]) == 0
    assert "distil" in capsys.readouterr().out
    assert main(command) == 0
    assert "distil" not in capsys.readouterr().out


def test_a_ground_network_goes_on_from_another_one(tmp_path) -> None:
    """After a comma: the stream is the first file's, the ground network the second one's."""
    config = _write(tmp_path / "g.yaml", tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.safetensors"
    assert main(["train", "ground", "--config", str(config), "--init", "default"]) == 0
    first = checkpoint.read(path)
    still = tmp_path / "still.yaml"
    still.write_text(
        config.read_text().replace("max_steps: 3", "max_steps: 1, lr: 0.0, muon_lr: 0.0")
    )

    assert main(["train", "ground", "--config", str(still), "--init", f"default,{path}"]) == 0
    second = checkpoint.read(path)

    assert first.id == second.id
    weights = dict(first.ground.named_parameters())
    for name, value in second.ground.named_parameters():
        torch.testing.assert_close(value, weights[name], rtol=1e-3, atol=1e-4)
    fresh = dict(checkpoint.read("default").ground.named_parameters())
    name = "backbone.enter.0.weight"
    assert not torch.equal(weights[name], fresh[name])


def test_a_ground_network_wants_a_stream_and_three_strides(tmp_path, capsys) -> None:
    config = _write(tmp_path / "g.yaml", tmp_path / "run", settings="ground: {widths: [8]}")
    assert main(["train", "ground", "--config", str(config)]) == 2
    assert "--init default" in capsys.readouterr().err
    assert main(["train", "ground", "--config", str(config), "--init", "default"]) == 2
    assert "three widths and three depths" in capsys.readouterr().err


def test_a_fixed_stream_shows_the_ground_rounded_latents() -> None:
    """What the ground learns from is what the codec brings: whole symbols over the rate's gain."""
    parts = checkpoint.read("default")
    model = FixedStream(parts).train()
    seen = {}

    def remember(module, inputs, output) -> None:
        seen["latent"] = inputs[0][:, :-1]  # the last says what was received

    parts.ground.backbone.enter.register_forward_hook(remember)
    model(torch.rand(2, 3, 64, 64), torch.ones(2), torch.ones(2, 1, 4, 4))

    assert parts.ground.training
    assert not parts.encoder.training
    assert not any(value.requires_grad for value in parts.encoder.parameters())
    symbols = seen["latent"] * torch.tensor(parts.tables.gains[-1])[:, None, None]
    torch.testing.assert_close(symbols, symbols.round(), rtol=0, atol=1e-4)
    assert symbols.abs().max() >= 1


def test_only_images_with_masks_go_through_the_mask_head(tmp_path) -> None:
    """What has no mask gives none of its loss a gradient, and the loss of the rest is the same."""
    torch.manual_seed(0)
    model = TrainingModel().eval()
    image = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        args = (image, torch.ones(3), torch.ones(3, 1, 4, 4))
        everything = model(*args)
        some = model(*args, torch.tensor([2]))
        none = model(*args, torch.tensor([], dtype=torch.long))
    torch.testing.assert_close(some["mask"], everything["mask"][2:])
    torch.testing.assert_close(some["heatmap"], everything["heatmap"])
    assert "mask" not in none


def test_segmentation_loss_rewards_the_truth() -> None:
    """The right mask costs next to nothing, also where half of it is void; a wrong one a lot."""
    truth = torch.randint(0, 6, (2, 8, 8))
    right = 20.0 * torch.nn.functional.one_hot(truth, 6).permute(0, 3, 1, 2).float()
    void = truth.clone()
    void[:, :4] = 255
    assert float(segmentation_loss(right, truth)) < 0.05
    assert float(segmentation_loss(right, void)) < 0.05
    assert float(segmentation_loss(-right, truth)) > 5
    assert float(segmentation_loss(right, torch.full_like(truth, 255))) == 0


def _packets(loaded: checkpoint.Checkpoint, latent: np.ndarray, code: int = 50) -> list[bytes]:
    """Of a keyframe, at a high rate."""
    encoder = FrameEncoder(loaded.tables, loaded.id)
    plan = encoder.plan(encoder.frame(latent, Geometry((128, 96), (128, 96))), code)
    return list(encoder.encode(plan, stream=0, frame=1, capture_time_ns=0).packets)


def test_a_new_skip_network_leaves_keyframes_as_they_are(tmp_path, capsys) -> None:
    """The networks and that of keyframes stay; the id changes, for both ends need the file."""
    data = small_yolo(tmp_path / "data")
    settings = "skip: {steps: 2, hidden: 8, pair_rates: 2}"
    config = _write(tmp_path / "skip.yaml", tmp_path / "run", data, settings=settings)

    assert main(["train", "skip", "--config", str(config), "--init", "default"]) == 0

    path = tmp_path / "run" / "checkpoint.safetensors"
    before, after = checkpoint.load("default"), checkpoint.load(path)
    assert f"checkpoint id {after.id:08x}" in capsys.readouterr().out
    assert after.id != before.id
    assert after.card["licence"] == "test"
    assert after.tables.skip is not None
    assert after.tables.skip.enter.shape[2] == 8
    for name, array in before.tables.to_arrays().items():
        if not name.startswith("skip_"):
            np.testing.assert_array_equal(after.tables.to_arrays()[name], array)
    for name, weight in before.encoder.state_dict().items():
        assert torch.equal(after.encoder.state_dict()[name], weight)
    image = SyntheticFlight(5, width=128, height=96).frame(0).image
    with torch.inference_mode():
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
        latent = after.encoder(pixels)[0].numpy()
    packets = [_packets(loaded, latent) for loaded in (before, after)]
    assert [len(data) for data in packets[0]] == [len(data) for data in packets[1]]
    pieces = [
        [PacketDecoder(loaded.tables, loaded.id).decode(parse(data)).symbols for data in given]
        for loaded, given in zip((before, after), packets, strict=True)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(*pieces, strict=True))


def test_new_context_networks_keep_the_stream_but_for_the_order_of_its_channels(tmp_path) -> None:
    """The ground gives the same answers to the same picture; nothing of it was trained."""
    data = small_yolo(tmp_path / "data")
    settings = "context: {steps: 2, hidden: 8}, skip: {steps: 2, hidden: 8, pair_rates: 2}"
    config = _write(tmp_path / "context.yaml", tmp_path / "run", data, settings=settings)

    assert main(["train", "context", "--config", str(config), "--init", "default"]) == 0

    path = tmp_path / "run" / "checkpoint.safetensors"
    before, after = checkpoint.load("default"), checkpoint.load(path)
    assert after.tables.channels == before.tables.channels
    assert after.tables.context.enter.shape[2] == after.tables.skip.enter.shape[2] == 8
    image = SyntheticFlight(5, width=128, height=96).frame(0).image
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    received = torch.ones(1, 1, 6, 8)
    with torch.inference_mode():
        old, new = (one.ground(one.encoder(pixels), received) for one in (before, after))
    for name, answer in old.items():
        torch.testing.assert_close(new[name], answer, rtol=1e-3, atol=1e-3)
    with torch.inference_mode():
        logits = [one.saliency(one.encoder(pixels)) for one in (before, after)]
    torch.testing.assert_close(logits[1], logits[0], rtol=1e-3, atol=1e-3)


def test_a_skip_network_wants_a_checkpoint(tmp_path, capsys) -> None:
    """What is missing is said."""
    config = _write(tmp_path / "skip.yaml", tmp_path / "run")

    assert main(["train", "skip", "--config", str(config)]) == 2
    assert "--init default" in capsys.readouterr().err
