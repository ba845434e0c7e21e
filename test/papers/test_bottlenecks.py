# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes, costs and strings of the papers' bottlenecks, untrained."""

import functools
import io
import struct

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from sc2_ros import plugins
from sc2_ros.errors import CheckpointError, InputError, PacketError, ParameterError
from sc2_ros.papers.rate_estimator.bottleneck import StaticPrior, static_tables
from sc2_ros.split.backbones import BackboneHead, build_backbone
from sc2_ros.split.feature_image import PicturePrior
from sc2_ros.split.heads import TaskNetwork
from sc2_ros.split.network import SplitNetwork
from sc2_ros.split.priors import LARGEST, ByteQuantiser, FactorisedPrior, HyperPrior
from sc2_ros.split.registry import GROUP, build_bottleneck

SMALL = "resnet:8-12-16:1-1-1"
SMALL_LATENT = (5, 6)


def macs(module, size):
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        module.eval().requires_grad_(False)(torch.zeros(1, 3, *size))
    return counter.get_total_flops() / 2


def test_costs_are_those_that_the_papers_state():
    backbone = build_backbone(SMALL)
    student = build_bottleneck("entropic_student", backbone, {}).encoder
    weights = sum(p.numel() for p in student.parameters())
    assert weights == 3 * 96 * 25 + 96 * 48 * 25 + 48 * 24 * 4 + 96 * 97 + 48 * 49
    assert macs(student, (224, 224)) == pytest.approx(0.59e9, rel=0.01)
    franken = build_bottleneck("frankensplit", backbone, {}).encoder
    assert sum(p.numel() for p in franken.parameters()) == 22_320 + 67_776 + 51_600
    own = build_bottleneck("sc2_ros_encoder", backbone, {}).encoder
    assert macs(own, (224, 224)) < macs(student, (224, 224)) / 10


@pytest.mark.parametrize("name", plugins.names(GROUP))
@pytest.mark.parametrize("size", [(64, 96), (96, 160)])
def test_features_have_the_backbones_shape_and_strings_carry_them(name, size):
    torch.manual_seed(0)
    backbone = build_backbone(SMALL)
    bottleneck = build_bottleneck(name, backbone, {})
    image = torch.rand(1, 3, *size)
    wanted = backbone.head(image, bottleneck.split)
    features, bits = bottleneck(image)
    assert features.shape == wanted.shape
    assert bits.shape == (1,)
    bottleneck.eval().fit([image])
    strings = bottleneck.compress(image)
    assert len(strings) == bottleneck.prior.strings
    with torch.inference_mode():
        quantised, _ = bottleneck(image, noise=False)
        assert torch.equal(bottleneck.decompress(strings, size), quantised)


@pytest.mark.parametrize(
    ("prior", "cut"),
    [
        (FactorisedPrior(4), 4),
        (HyperPrior(4), 3),
        (ByteQuantiser(4), 1),
        (PicturePrior(4, "jpeg", 50, unit_range=False), 12),
        (StaticPrior(4), 3),
    ],
)
def test_strings_that_do_not_fit_are_packet_errors(prior, cut):
    latent = torch.randn(1, 4, 5, 6) * 3
    prior.eval().fit([latent])
    strings = prior.compress(latent)
    with pytest.raises(PacketError):
        prior.decompress([string[:cut] for string in strings], (5, 6))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_hyperpriors_take_latents_of_any_size(height, width, means):
    prior = HyperPrior(2, 3, means=means).eval()
    prior.fit([])
    latent = torch.randn(1, 2, height, width) * 4
    with torch.inference_mode():
        strings = prior.compress(latent)
        assert torch.equal(prior.decompress(strings, (height, width)), prior.quantise(latent))


def test_static_tables_cost_what_the_symbols_entropy_says():
    prior = StaticPrior(3, step=0.5).eval()
    latents = [torch.randn(1, 3, 40, 40) * torch.tensor([0.1, 1, 4]).view(1, 3, 1, 1) for _ in "ab"]
    prior.fit(latents)
    symbols = prior.symbols(latents[0])[0].flatten(1).long()
    entropy_bits = 0.0
    for row in symbols:
        share = torch.bincount(row + 127).double() / len(row)
        entropy_bits -= float((share[share > 0] * share[share > 0].log2()).sum()) * len(row)
    assert 8 * len(prior.compress(latents[0])[0]) == pytest.approx(entropy_bits, rel=0.03, abs=64)
    far = latents[0] * 0 + 60  # symbols that were never counted are escaped, not lost
    assert torch.equal(prior.decompress(prior.compress(far), (40, 40)), prior.quantise(far))


def test_strings_that_static_tables_do_not_use_up_are_packet_errors():
    prior = StaticPrior(3)
    latent = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 3
    prior.fit([latent])
    (data,) = prior.compress(latent)
    assert torch.equal(prior.decompress([data], (8, 8)), prior.quantise(latent))
    for forged, size in ((data + bytes(8), (8, 8)), (data, (4, 8))):
        with pytest.raises(PacketError, match="damaged"):
            prior.decompress([forged], size)


def test_static_tables_need_counts():
    with pytest.raises(CheckpointError, match="never fitted"):
        StaticPrior(2).compress(torch.zeros(1, 2, 4, 4))
    assert len(static_tables(np.zeros((2, 255), np.int64))) == 2


def test_noise_reaches_the_encoder_and_rounding_does_not():
    bottleneck = build_bottleneck("entropic_student", build_backbone(SMALL), {"channels": 4})
    image = torch.rand(2, 3, 32, 32)
    weight = bottleneck.encoder[1].weight
    bottleneck(image)[0].sum().backward()
    assert weight.grad is not None
    weight.grad = None
    bottleneck(image, noise=False)[0].sum().backward()
    assert weight.grad is None


def test_frozen_parts_stay_in_eval_mode():
    backbone = build_backbone(SMALL)
    network = TaskNetwork(backbone, "classification", 3)
    bottleneck = build_bottleneck("rate_estimator", backbone, {"channels": 2})
    student = SplitNetwork(bottleneck, network.without(2)).freeze("ground").train()
    head = student.bottleneck.encoder[0]
    assert isinstance(head, BackboneHead)
    assert not head.training
    assert not student.ground.training
    assert student.bottleneck.decoder.training
    trained = {n.split(".")[1] for n, p in student.named_parameters() if p.requires_grad}
    assert trained == {"encoder", "prior", "decoder"}


@pytest.mark.parametrize("name", ["resnet18", "swin_t", "convnext_tiny"])
def test_torchvisions_backbones_split_where_the_first_stages_end(name):
    backbone = build_backbone(f"torchvision:{name}").eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        stages = backbone(image)
        assert [64 // x.shape[2] for x in stages] == [4, 8, 16, 32]
        assert tuple(x.shape[1] for x in stages) == backbone.channels
        rest = backbone.without(2).tail(stages[1], 2)
    assert torch.equal(rest[-1], stages[-1])


def test_what_is_no_backbone_is_said():
    for spec in (
        "resnet:64:2",
        "resnet:64-x:1-1",
        "vgg",
        "torchvision:nothing",
        "torchvision:vgg11",
    ):
        with pytest.raises(ParameterError):
            build_backbone(spec)
    backbone = build_backbone(SMALL)
    late = build_bottleneck("rate_estimator", backbone, {"split": 3})
    network = TaskNetwork(backbone, "detection", 4)
    with pytest.raises(ParameterError, match="behind stage 2 at the latest"):
        SplitNetwork(late, network)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["factorised", "scale", "mean_scale", "static", "bytes", "jpeg", "webp"]),
    st.lists(st.binary(max_size=120), min_size=2, max_size=2),
    st.booleans(),
    st.integers(0, 255),
)
def test_forged_strings_give_a_latent_or_a_packet_error(kind, forged, mend, position):
    prior, strings = fitted(kind)
    if mend:  # a true string with some of its bytes replaced: the deeper parts of decoders
        at = position % len(strings[-1])
        forged = [*strings[:-1], strings[-1][:at] + forged[0] + strings[-1][at + len(forged[0]) :]]
    else:
        forged = [text + bytes(-len(text) % 4) for text in forged]
    try:
        latent = prior.decompress(forged[: prior.strings], SMALL_LATENT)
    except PacketError:
        return
    assert latent.shape == (1, 4, *SMALL_LATENT)
    assert torch.isfinite(latent).all()


@functools.cache
def fitted(kind):
    """A prior of that kind with its tables, and the strings of a latent of its own."""
    torch.manual_seed(0)
    prior = {
        "factorised": lambda: FactorisedPrior(4),
        "scale": lambda: HyperPrior(4),
        "mean_scale": lambda: HyperPrior(4, means=True),
        "static": lambda: StaticPrior(4),
        "bytes": lambda: ByteQuantiser(4),
        "jpeg": lambda: PicturePrior(4, "jpeg", 50, unit_range=False),
        "webp": lambda: PicturePrior(4, "webp", 50, unit_range=False),
    }[kind]()
    latent = torch.randn(1, 4, *SMALL_LATENT) * 3
    prior.eval().fit([latent])
    return prior, prior.compress(latent)


@pytest.mark.parametrize("kind", ["factorised", "scale", "mean_scale"])
def test_values_that_no_encoder_makes_are_packet_errors(kind):
    prior, strings = fitted(kind)
    assert prior.decompress(strings, SMALL_LATENT).abs().max() < 100
    far = torch.full((1, 4, *SMALL_LATENT), 4 * LARGEST)
    with pytest.raises(PacketError, match="damaged or not ours"):
        prior.decompress(prior.compress(far), SMALL_LATENT)


@pytest.mark.parametrize("kind", ["bytes", "jpeg"])
@pytest.mark.parametrize("extremes", [(0.0, 3e38), (-3e38, 3e38), (0.0, np.inf), (np.nan, 1.0)])
def test_extremes_that_no_encoder_has_are_packet_errors(kind, extremes):
    prior, (data,) = fitted(kind)
    if kind == "bytes":
        data = data[:-1] + b"\xff"  # some of them are at the upper extreme
    with pytest.raises(PacketError, match="damaged or not ours"):
        prior.decompress([struct.pack("<ff", *extremes) + data[8:]], SMALL_LATENT)


def test_sizes_that_would_take_forever_are_packet_errors():
    bottleneck = build_bottleneck("entropic_student", build_backbone(SMALL), {"channels": 4})
    bottleneck.eval().fit([])
    strings = bottleneck.compress(torch.zeros(1, 3, 64, 64))
    with pytest.raises(PacketError, match="4096 x 4096"):
        bottleneck.decompress(strings, (4096, 4096))
    with pytest.raises(InputError, match="make it smaller"):
        bottleneck.compress(torch.zeros(1, 1, 1, 1).expand(1, 3, 4096, 4096))


def test_what_is_no_picture_is_a_packet_error_where_pillow_lacks_a_format(monkeypatch):
    prior, (data,) = fitted("jpeg")
    Image.init()
    monkeypatch.delitem(Image.OPEN, "AVIF", raising=False)  # as in Pillow before 11.3
    with pytest.raises(PacketError, match="not a picture"):
        prior.decompress([data[:8] + bytes(len(data) - 8)], SMALL_LATENT)


def test_a_picture_of_another_size_is_not_decoded():
    prior, _ = fitted("jpeg")
    buffer = io.BytesIO()
    Image.new("L", (16_000, 15_000)).save(buffer, "JPEG")  # a bomb, by Pillow's measure
    with pytest.raises(PacketError):
        prior.decompress([bytes(8) + buffer.getvalue()], SMALL_LATENT)
