# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Teachers of every kind answer alike; what cannot be had is said in one sentence."""

import json

import pytest
import torch
from torch import nn
from weights import write_untrained

from sc2_ros import checkpoint
from sc2_ros.data import DETECTION_CLASSES
from sc2_ros.errors import CheckpointError, InputError, ParameterError
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.training.teachers import load_teacher


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        mask = self.conv(image)
        return {"mask": mask, "mean": mask.mean((2, 3))}


def test_a_checkpoint_answers_as_the_ground_without_quantisation(tmp_path):
    path = write_untrained(tmp_path / "ours.safetensors")
    image = torch.rand(2, 3, 32, 48)

    teacher = load_teacher(str(path))
    with torch.no_grad():
        answer = teacher(image)

    loaded = checkpoint.load(path)
    with torch.inference_mode():
        latent = loaded.encoder(image)
        whole = loaded.ground(latent, torch.ones_like(latent[:, :1]))
    assert teacher.mask_classes == tuple(loaded.card["mask_classes"])
    for key, value in whole.items():
        torch.testing.assert_close(answer[key], value, atol=2e-4, rtol=2e-4)
    assert {key: answer[key].shape[2] for key in ("latent", "x16", "x8", "x4")} == {
        "latent": 2,
        "x16": 2,
        "x8": 4,
        "x4": 8,
    }
    with pytest.raises(InputError, match="multiples of 16"):
        teacher(torch.rand(1, 3, 30, 48))


def test_a_teacher_never_learns(tmp_path):
    teacher = load_teacher(str(write_untrained(tmp_path / "ours.safetensors")))
    around = nn.ModuleList([teacher]).train()
    before = {key: value.clone() for key, value in teacher.state_dict().items()}

    around[0](torch.rand(1, 3, 32, 32))

    assert not any(p.requires_grad for p in around.parameters())
    assert all(torch.equal(before[key], value) for key, value in teacher.state_dict().items())


def test_a_classifier_of_torchvision_gives_features_by_module_name():
    teacher = load_teacher("torchvision:resnet18:none@layer1,layer2.0")
    image = torch.rand(2, 3, 64, 64)

    answer = teacher(image)

    assert {key: tuple(value.shape) for key, value in answer.items()} == {
        "logits": (2, 1000),
        "layer1": (2, 64, 16, 16),
        "layer2.0": (2, 128, 8, 8),
    }
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    torch.testing.assert_close(answer["logits"], teacher.network((image - mean) / std))


@pytest.mark.parametrize(
    ("task", "key", "channels"), [("detection", "heatmap", 4), ("segmentation", "mask", 2)]
)
def test_what_the_recipe_teacher_wrote_answers_at_any_size(tmp_path, task, key, channels):
    classes = DETECTION_CLASSES if task == "detection" else ("water", "land")
    card = split_checkpoint.make_card(
        recipe="teacher", task=task, classes=classes, backbone="resnet:8-16-32:1-1-1"
    )
    network = split_checkpoint.build_network(card).eval()
    split_checkpoint.save(tmp_path / "t.safetensors", network, card)
    image = torch.rand(1, 3, 64, 80)

    teacher = load_teacher(str(tmp_path / "t.safetensors"))
    answer = teacher(image)

    assert answer[key].shape == (1, channels, 16, 20)
    assert {"stage0", "stage1"} < set(answer)
    square = image[..., :64]
    torch.testing.assert_close(teacher(square)[key], network(square)[key])
    named = teacher.detection_classes if task == "detection" else teacher.mask_classes
    assert named == classes


def test_a_segmenter_and_a_detector_of_torchvision():
    image = torch.rand(2, 3, 64, 64)

    mask = load_teacher("torchvision:lraspp_mobilenet_v3_large:none")(image)["mask"]
    found = load_teacher("torchvision:ssdlite320_mobilenet_v3_large:none")(image)

    assert mask.shape == (2, 21, 64, 64)
    assert found["boxes"].shape == (len(found["image"]), 4)
    assert len(found["scores"]) == len(found["labels"]) == len(found["image"]) > 0
    assert set(found["image"].tolist()) <= {0, 1}


def test_weights_come_from_a_file(tmp_path):
    network = load_teacher("torchvision:mobilenet_v3_small:none").network
    torch.save(network.state_dict(), tmp_path / "w.pth")

    teacher = load_teacher(f"torchvision:mobilenet_v3_small:{tmp_path / 'w.pth'}")

    assert len(teacher.image_classes) == 1000
    image = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(
        teacher(image)["logits"],
        network((image - teacher.mean) / teacher.std),
    )
    with pytest.raises(CheckpointError, match="holds no weights of resnet18"):
        load_teacher(f"torchvision:resnet18:{tmp_path / 'w.pth'}")


def test_an_exported_program_and_its_class_names(tmp_path):
    tiny = Tiny().eval()
    any_size = ({0: torch.export.Dim.AUTO, 2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO},)
    program = torch.export.export(tiny, (torch.rand(2, 3, 32, 48),), dynamic_shapes=any_size)
    torch.export.save(program, tmp_path / "tiny.pt2")
    (tmp_path / "tiny.json").write_text(json.dumps({"mask_classes": ["a", "b", "c", "d", "e"]}))
    image = torch.rand(3, 3, 64, 32)

    teacher = load_teacher(str(tmp_path / "tiny.pt2"))
    answer = teacher(image)

    assert teacher.mask_classes == ("a", "b", "c", "d", "e")
    torch.testing.assert_close(answer["mask"], tiny(image)["mask"])
    assert answer["mean"].shape == (3, 5)


@pytest.mark.parametrize(
    "card", ["{", '["a", "b"]', '{"mask_classes": "ab"}', '{"mask_classes": [1, 2]}', b"\xff"]
)
def test_a_damaged_file_of_class_names_is_one_sentence(tmp_path, card):
    program = torch.export.export(Tiny().eval(), (torch.rand(1, 3, 32, 48),))
    torch.export.save(program, tmp_path / "tiny.pt2")
    (tmp_path / "tiny.json").write_bytes(card if isinstance(card, bytes) else card.encode())

    with pytest.raises(CheckpointError, match=r"tiny.json names no classes \(.*detection_classes"):
        load_teacher(str(tmp_path / "tiny.pt2"))


def test_a_program_of_fixed_size_runs_image_by_image(tmp_path):
    tiny = Tiny().eval()
    program = torch.export.export(tiny, (torch.rand(1, 3, 32, 48),))
    torch.export.save(program, tmp_path / "tiny.pt2")
    image = torch.rand(3, 3, 32, 48)

    teacher = load_teacher(str(tmp_path / "tiny.pt2"))

    torch.testing.assert_close(teacher(image)["mean"], tiny(image)["mean"])
    with pytest.raises(InputError, match=r"exported for images of \(3, 32, 48\)"):
        teacher(torch.rand(1, 3, 64, 48))


def test_weights_that_cannot_be_downloaded_say_where_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there

    with pytest.raises(CheckpointError) as caught:
        load_teacher("torchvision:squeezenet1_1")

    words = str(caught.value)
    assert "cannot download the weights of squeezenet1_1" in words
    assert "https://download.pytorch.org" in words
    assert "\n" not in words


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        (
            "torchvision:resnet19:none",
            ParameterError,
            "no model 'resnet19'; near it are .*resnet18",
        ),
        ("torchvision:resnet18:none@layer9", ParameterError, "no module 'layer9'.*layer4"),
        ("absent.pt2", CheckpointError, "absent.pt2"),
        ("absent.safetensors", CheckpointError, "no checkpoint"),
    ],
)
def test_mistakes_name_what_there_is(spec, error, words):
    with pytest.raises(error, match=words):
        load_teacher(spec)


def test_damaged_files_are_named(tmp_path):
    for name in ("x.pt2", "x.safetensors"):
        (tmp_path / name).write_bytes(b"nonsense")
        with pytest.raises(CheckpointError, match=name):
            load_teacher(str(tmp_path / name))
