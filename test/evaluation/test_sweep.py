# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole chain with random weights: real packets, real losses, real image files."""

import numpy as np
import pytest

from sc2_ros import checkpoint as checkpoints
from sc2_ros.evaluation.baselines import ImageSystem
from sc2_ros.evaluation.image_codecs import parse_codec
from sc2_ros.evaluation.stream import StreamSystem
from sc2_ros.evaluation.sweep import choose, sweep
from sc2_ros.training.datasets import Sample, open_dataset


@pytest.fixture(scope="module")
def checkpoint():
    return checkpoints.untrained(seed=0)


def _sample(height=90, width=130, grey=False, seed=0):
    shape = (height, width) if grey else (height, width, 3)
    image = np.random.default_rng(seed).integers(0, 255, shape, np.uint8)
    return Sample(
        image,
        "noise",
        np.array([[10, 10, 30, 40]], np.float32),
        np.array([1]),
        mask=np.zeros((height, width), np.uint8),
    )


@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
def test_stream_counts_wire_bytes_and_gives_boxes_in_source_pixels(checkpoint, grey):
    sample = _sample(grey=grey)
    few, many = (StreamSystem(checkpoint, rate).run(sample) for rate in (0.0, 1.0))

    assert 24 < few.size_bytes <= many.size_bytes
    assert many.mask is not None
    assert many.boxes.shape == (len(many.scores), 4)
    assert len(many.labels) == len(many.scores)
    assert (many.boxes >= -0.5).all()
    assert (many.boxes <= [130.5, 90.5, 130.5, 90.5]).all()


def test_all_packets_lost_is_an_empty_outcome_that_still_costs(checkpoint):
    system = StreamSystem(checkpoint, 1.0, loss=1.0)

    outcome = system.run(_sample())

    assert outcome.size_bytes > 24
    assert len(outcome.boxes) == 0
    assert outcome.mask is None


def test_losses_follow_the_seed_and_hit_only_some_packets(checkpoint):
    samples = [_sample(480, 640, seed=i) for i in range(3)]
    # Random weights give one class everywhere; without its bias the mask follows the latents.
    checkpoint.ground.segmentation.classify.bias.zero_()

    def run(loss, seed):
        system = StreamSystem(checkpoint, 1.0, loss=loss, seed=seed)
        return [system.run(sample) for sample in samples]

    first, again, whole = run(0.5, 1), run(0.5, 1), run(0.0, 1)

    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.scores, b.scores)
    assert [a.size_bytes for a in first] == [w.size_bytes for w in whole]
    assert any(not np.array_equal(a.mask, w.mask) for a, w in zip(first, whole, strict=True))


def test_the_image_path_is_the_same_network_without_quantisation(checkpoint):
    # At the highest rate the quantised latents are close to the exact ones, so nearly all of the
    # mask agrees; through a ruined JPEG it does not have to.
    sample = _sample(96, 128)
    exact = ImageSystem(checkpoint, parse_codec("uncompressed")).run(sample)
    streamed = StreamSystem(checkpoint, 1.0).run(sample)

    assert exact.size_bytes == sample.image.nbytes + 8
    assert exact.mask.shape == streamed.mask.shape
    assert (exact.mask == streamed.mask).mean() > 0.8


def test_rows_have_exactly_the_agreed_keys(checkpoint):
    systems = [StreamSystem(checkpoint, 0.5), ImageSystem(checkpoint, parse_codec("jpeg:30"))]
    seen = []

    rows = sweep(systems, open_dataset("synthetic:1", "val"), 1, lambda *p: seen.append(p))

    assert [list(row) for row in rows] == 2 * [
        *[
            [
                "system",
                "rate_index",
                "loss",
                "frames",
                "bytes_per_frame",
                "ap50",
                "mean_ap50",
                "miou",
            ]
        ]
    ]
    assert [(row["system"], row["rate_index"]) for row in rows] == [
        ("sc2_ros", 0.5),
        ("jpeg:30", None),
    ]
    assert all(row["frames"] == 1 and row["miou"] is not None for row in rows)
    assert seen == [(1, 1)]


def test_choose_spreads_over_the_split():
    assert choose(10, None) == list(range(10))
    assert choose(10, 20) == list(range(10))
    assert choose(10, 3) == [0, 3, 6]
