# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole chain with random weights: real packets, real losses, real image files."""

import numpy as np
import pytest

from sc2_ros import checkpoint as checkpoints
from sc2_ros.data import Dataset, Sample, open_dataset
from sc2_ros.data.splits import choose
from sc2_ros.evaluation.sweep.run import sweep
from sc2_ros.evaluation.systems.baselines import ImageSystem
from sc2_ros.evaluation.systems.image_codecs import ImageCodec, parse_codec
from sc2_ros.evaluation.systems.image_network import WholeNetwork
from sc2_ros.evaluation.systems.split_system import SplitSystem
from sc2_ros.evaluation.systems.stream import StreamSystem
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split.checkpoint import SplitCheckpoint


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


class Noise(Dataset):
    """Pictures of noise with one car each."""

    detection_classes = ("car",)
    mask_classes = ("road",)

    def __init__(self, count, height=90, width=130):
        self.count, self.size, self.read = count, (height, width), []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.read.append(index)
        return _sample(*self.size, seed=index)


def _size(packets):
    return sum(map(len, packets))


@pytest.mark.parametrize("task", ["detection", "segmentation", "classification"])
def test_what_a_network_does_not_answer_has_no_figure(task):
    card = split_checkpoint.make_card(
        recipe="teacher",
        task=task,
        classes=("car", "road"),
        backbone="resnet:8-12-16:1-1-1",
        crop=64,
    )
    network = split_checkpoint.build_network(card).eval()
    system = SplitSystem(SplitCheckpoint(network, card, 1))
    (row,) = sweep([system], Noise(2))
    assert (row["mean_ap50"] is not None) is (task == "detection")
    assert (row["miou"] is not None) is (task == "segmentation")


@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
def test_stream_counts_wire_bytes_and_gives_boxes_in_source_pixels(checkpoint, grey):
    image = _sample(grey=grey).image
    low, high = StreamSystem(checkpoint, 0.0), StreamSystem(checkpoint, 1.0)
    few, many = low.encode(image), high.encode(image)
    outputs = high.decode(many)

    assert 24 < _size(few) <= _size(many)
    assert outputs.mask is not None
    assert outputs.boxes.shape == (len(outputs.scores), 4)
    assert len(outputs.labels) == len(outputs.scores)
    assert (outputs.boxes >= -0.5).all()
    assert (outputs.boxes <= [130.5, 90.5, 130.5, 90.5]).all()


def test_a_frame_of_which_nothing_arrives_is_empty(checkpoint):
    system = StreamSystem(checkpoint, 1.0)
    packets = system.encode(_sample().image)

    for arrived in ([], [b"rubbish"], [packets[0][:-1]]):
        outputs = system.decode(arrived)
        assert len(outputs.boxes) == 0
        assert outputs.mask is None
    whole = system.decode(system.encode(_sample().image))
    assert whole.mask is not None


def test_losses_follow_the_seed_and_hit_only_some_packets():
    # Random weights give one class everywhere; without its bias the mask follows the latents.
    checkpoint = checkpoints.untrained(seed=0)
    checkpoint.ground.segmentation.classify.bias.zero_()

    def run(loss, seed):
        rows = sweep([StreamSystem(checkpoint, 1.0)], Noise(3, 480, 640), loss=loss, seed=seed)
        return rows[0]

    first, again, other, whole = run(0.5, 1), run(0.5, 1), run(0.5, 2), run(0.0, 1)

    assert first == again
    assert first["bytes_per_frame"] == whole["bytes_per_frame"]
    assert first["miou"] != whole["miou"]
    assert other["miou"] != first["miou"]


def test_the_image_path_is_the_same_network_without_quantisation(checkpoint):
    # At the highest rate the quantised latents are close to the exact ones, so nearly all of the
    # mask agrees; through a ruined JPEG it does not have to.
    image = _sample(96, 128).image
    exact = ImageSystem(WholeNetwork(checkpoint), parse_codec("uncompressed"))
    stream = StreamSystem(checkpoint, 1.0)
    packets = exact.encode(image)
    one, other = exact.decode(packets), stream.decode(stream.encode(image))

    assert _size(packets) == image.nbytes + 8 + 4 * len(packets)
    assert max(map(len, packets)) <= 1200
    assert one.mask.shape == other.mask.shape
    assert (one.mask == other.mask).mean() > 0.8
    assert exact.decode(packets[1:]).mask is None
    assert np.array_equal(exact.decode(packets[::-1]).mask, one.mask)


def test_rows_have_the_agreed_keys_and_baselines_lose_nothing(checkpoint):
    systems = [
        StreamSystem(checkpoint, 0.5),
        ImageSystem(WholeNetwork(checkpoint), parse_codec("jpeg:30")),
    ]
    seen = []

    rows = sweep(
        systems, open_dataset("synthetic:1", "val"), 1, lambda *p: seen.append(p), loss=0.1
    )

    agreed = ["system", "rate_index", "loss", "frames", "bytes_per_frame"]
    agreed += ["ap50", "mean_ap50", "miou"]
    assert [list(row)[:8] for row in rows] == [agreed, agreed]
    assert [(row["system"], row["rate_index"], row["loss"]) for row in rows] == [
        ("sc2_ros", 0.5, 0.1),
        ("jpeg:30", None, 0.0),
    ]
    assert all(row["frames"] == 1 and row["miou"] is not None for row in rows)
    assert [row["setting"] for row in rows] == ["0.5", "30"]
    assert seen == [(1, 1)]


class Counting(ImageCodec):
    """Sends the number of pictures it has seen, as a codec does that predicts from the last."""

    sequential = True
    seen = 0

    def encode(self, image):
        self.seen += 1
        self.image = image
        return bytes(self.seen)

    def decode(self, data):
        return self.image


def test_what_predicts_sees_every_frame_and_counts_only_those_chosen(checkpoint):
    data = Noise(7)
    system = ImageSystem(WholeNetwork(checkpoint, mask=False), Counting("counting"))

    (row,) = sweep([system], data, 3)

    assert data.read == [0, 1, 2, 3, 4]
    assert row["frames"] == 3
    assert row["bytes_per_frame"] == pytest.approx((1 + 3 + 5) / 3 + 4)


def test_choose_spreads_over_the_split():
    assert choose(10, None) == list(range(10))
    assert choose(10, 20) == list(range(10))
    assert choose(10, 3) == [0, 3, 6]
