# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoint files: round trip, identity, and clear words when something is wrong."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sc2_ros import checkpoint, checkpoint_file
from sc2_ros.errors import CheckpointError
from sc2_ros.network import channels, weights
from sc2_ros.network.saliency import SaliencyHead

_MODELS = checkpoint_file.find("default").parent


@pytest.fixture
def saved(tmp_path):
    """A checkpoint file of random networks, and its id."""
    torch.manual_seed(0)
    card = checkpoint.default_card()
    encoder, ground = checkpoint.build_networks(card)
    tables = checkpoint.untrained().tables
    path = tmp_path / "model.safetensors"
    return path, checkpoint.save(path, encoder, ground, tables, card)


def test_round_trip(saved) -> None:
    """What is loaded has the id, the card and the tables of what was saved."""
    path, number = saved
    loaded = checkpoint.load(path)
    assert loaded.id == number
    assert loaded.card["detection_classes"] == ["person", "car", "bicycle", "other_vehicle"]
    assert np.array_equal(loaded.tables.gains, checkpoint.untrained().tables.gains)


def test_id_is_that_of_encoder_and_tables_only(saved, tmp_path) -> None:
    """A new ground network keeps the id, a new encoder does not."""
    path, number = saved
    for part, same in (("ground.detection.box.bias", True), ("encoder.project.bias", False)):
        tensors = load_file(path)
        tensors[part] = tensors[part] + 1
        changed = tmp_path / "changed.safetensors"
        save_file(tensors, str(changed), _metadata(path))
        assert (checkpoint.load(changed).id == number) is same


def _metadata(path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(str(path), "pt") as file:
        return dict(file.metadata())


@pytest.mark.parametrize(
    "damage",
    ["missing", "text", "format", "truncated", "shape", "tables", "flat tables", "short card"],
)
def test_damage_is_told_in_a_sentence(saved, tmp_path, damage) -> None:
    """Every kind of damage ends in CheckpointError that names the file or the model."""
    path, _ = saved
    bad = tmp_path / "bad.safetensors"
    tensors, metadata = load_file(path), _metadata(path)
    if damage == "text":
        bad.write_text("not a checkpoint")
    elif damage == "format":
        save_file(tensors, str(bad), {"format": "other/9"})
    elif damage == "truncated":
        bad.write_bytes(path.read_bytes()[:1000])
    elif damage == "shape":
        tensors["encoder.project.bias"] = torch.zeros(3)
        save_file(tensors, str(bad), metadata)
    elif damage == "tables":
        del tensors["tables.context_cdfs"]
        save_file(tensors, str(bad), metadata)
    elif damage == "flat tables":
        tensors["tables.context_groups"] = tensors["tables.context_groups"][None]
        save_file(tensors, str(bad), metadata)
    elif damage == "short card":
        card = json.loads(metadata["card"])
        card["network"]["ground_widths"] = [1]
        save_file(tensors, str(bad), metadata | {"card": json.dumps(card)})
    with pytest.raises(CheckpointError, match=r"bad|tables"):
        checkpoint.load(bad)


@pytest.mark.parametrize(
    ("part", "kind", "says"),
    [
        ("encoder.project.bias", torch.bfloat16, "BF16"),
        ("ground.detection.box.bias", torch.bfloat16, "BF16"),
        ("tables.gains", torch.float8_e4m3fn, "F8_E4M3"),
    ],
)
def test_types_that_numpy_lacks_are_named(saved, tmp_path, part, kind, says) -> None:
    """With and without PyTorch, where the drone reads that part at all."""
    path, _ = saved
    tensors = load_file(path)
    tensors[part] = tensors[part].to(kind)
    save_file(tensors, str(tmp_path / "converted.safetensors"), _metadata(path))
    readers = [checkpoint.load]
    if not part.startswith("ground."):
        readers.append(checkpoint_file.load)
    for read in readers:
        with pytest.raises(CheckpointError, match=f"converted.*{part} is of type {says}.*float16"):
            read(tmp_path / "converted.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        {"encoder_depths": [9000, 2, 3]},
        {"ground_widths": [4000, 4000, 64]},
    ],
)
def test_a_card_that_asks_for_more_than_the_file_has_builds_no_networks(
    saved, tmp_path, change
) -> None:
    path, _ = saved
    metadata = _metadata(path)
    card = json.loads(metadata["card"])
    card["network"] |= change
    bad = tmp_path / "bad.safetensors"
    save_file(load_file(path), str(bad), metadata | {"card": json.dumps(card)})
    with pytest.raises(
        CheckpointError, match=r"bad.*do not fit its card.*at least, but the file has"
    ):
        checkpoint.load(bad)


def test_tables_of_other_channels_than_the_encoders_are_told(saved, tmp_path) -> None:
    path, _ = saved
    bad = tmp_path / "bad.safetensors"
    tensors = load_file(path)
    shipped = load_file(checkpoint_file.find("default"))
    tensors |= {name: value for name, value in shipped.items() if name.startswith("tables.")}
    save_file(tensors, str(bad), _metadata(path))
    for read in (checkpoint.load, checkpoint_file.load):
        with pytest.raises(CheckpointError, match=r"bad.*25 channels, but .* is \(64, 128"):
            read(bad)


def test_a_card_without_end_is_told_in_a_sentence(saved, tmp_path) -> None:
    path, _ = saved
    bad = tmp_path / "bad.safetensors"
    save_file(load_file(path), str(bad), _metadata(path) | {"card": "[" * 100_000})
    for read in (checkpoint.load, checkpoint_file.load, checkpoint.read_card):
        with pytest.raises(CheckpointError, match=r"bad.*card"):
            read(bad)


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody_of_that_name/model.safetensors"])
def test_a_name_that_no_file_can_have_is_that_of_no_checkpoint(name) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint"):
        checkpoint_file.find(name)


@pytest.mark.parametrize("card", ["{", "[1]", "null", "[" * 100_000])
def test_weights_of_a_baseline_with_a_damaged_card_are_told(tmp_path, card) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(2)}, str(path), {"format": "sc2_ros/light_detector", "card": card})
    with pytest.raises(CheckpointError, match="no readable card"):
        weights.load(path, "light_detector")


def test_a_file_from_before_the_first_release_says_so(saved, tmp_path) -> None:
    """Its bitstream is no longer read, whatever else is in it."""
    path, _ = saved
    old = tmp_path / "old.safetensors"
    save_file(load_file(path), str(old), _metadata(path) | {"format": "sc2_ros/1"})
    for read in (checkpoint.load, checkpoint.read_card):
        with pytest.raises(CheckpointError, match=r"old.*before the first release.*train it again"):
            read(old)


@pytest.mark.parametrize(
    ("kind", "system"), [("light_detector", "onboard-only:light"), ("image_codec", "compressai:Q")]
)
def test_the_network_of_a_baseline_is_named_as_that(tmp_path, kind, system) -> None:
    weights.save(tmp_path / "a.safetensors", torch.nn.Linear(2, 2), kind, {})
    for read in (checkpoint.load, checkpoint.read_card):
        with pytest.raises(CheckpointError, match=f"a baseline.*--baselines {system}"):
            read(tmp_path / "a.safetensors")


def test_channels_that_are_left_out_change_no_answer(tmp_path) -> None:
    """Of an encoder the others stay as they are; a ground network never saw but zeros of them."""
    parts = _parts()
    kept = [5, 60, 3, 11]
    fewer = checkpoint.with_channels(parts, kept)
    image = torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        latent = parts.encoder.eval()(image)
        small = fewer.encoder.eval()(image)
        torch.testing.assert_close(small, latent[:, kept])
        alive = torch.zeros_like(latent)
        alive[:, kept] = small
        received = torch.ones(1, 1, 2, 3)
        wanted, found = parts.ground.eval()(alive, received), fewer.ground.eval()(small, received)
        for name, answer in wanted.items():
            torch.testing.assert_close(found[name], answer, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(
            fewer.saliency(small), parts.saliency(alive), rtol=1e-4, atol=1e-5
        )
    assert fewer.card["network"]["channels"] == 4


def test_widening_is_the_inverse_of_leaving_out() -> None:
    """The channels that training needs are there again, and are zero."""
    parts = _parts()
    state = {f"encoder.{k}": v for k, v in parts.encoder.state_dict().items()}
    state |= {f"ground.{k}": v for k, v in parts.ground.state_dict().items()}
    kept = list(range(22))
    wide = channels.widened(channels.kept(state, kept))
    assert {k: v.shape for k, v in wide.items()} == {k: v.shape for k, v in state.items()}
    again = channels.kept(wide, kept)
    fewer = channels.kept(state, kept)
    assert all(torch.equal(again[name], fewer[name]) for name in fewer)
    assert not wide["encoder.project.weight"][22:].any()


def _parts() -> checkpoint.Parts:
    torch.manual_seed(0)
    card = checkpoint.default_card()
    encoder, ground = checkpoint.build_networks(card)
    return checkpoint.Parts(
        encoder, ground, checkpoint.untrained().tables, card, 0, None, SaliencyHead()
    )


def test_untrained_is_the_same_every_time() -> None:
    """Tests that use it see the same weights, and the global random state is left alone."""
    state = torch.get_rng_state()
    first, second = checkpoint.untrained(3), checkpoint.untrained(3)
    assert first.id == second.id != checkpoint.untrained(4).id
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("name", sorted(p.stem for p in _MODELS.glob("*.safetensors")))
def test_a_shipped_model_is_small_flies_without_torch_and_says_what_may_be_done_with_it(
    name,
) -> None:
    """At most 12 MB, its encoder within, and whether it is for non-commercial use in its name."""
    path = checkpoint_file.find(name)
    licence = checkpoint.read_card(path)["licence"]
    assert path.stat().st_size <= 12e6
    assert checkpoint_file.load(path).exported
    assert ("NON-COMMERCIAL" in licence) == name.endswith("_nc")
