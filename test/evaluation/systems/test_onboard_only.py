# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The message of a drone that looks for itself."""

import contextlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros import checkpoint as checkpoints
from sc2_ros.errors import PacketError
from sc2_ros.evaluation.systems import chunks
from sc2_ros.evaluation.systems.image_network import WholeNetwork
from sc2_ros.evaluation.systems.onboard_only import OnboardOnly, pack, unpack
from sc2_ros.evaluation.systems.system import Outputs


def _outputs(count, seed=0, mask=True):
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 600, (count, 2))
    boxes = np.concatenate((corner, corner + random.uniform(3, 60, (count, 2))), 1)
    classes = np.kron(random.integers(0, 6, (4, 5)), np.ones((16, 16), int)).astype(np.uint8)
    return Outputs(
        boxes.astype(np.float32),
        np.sort(random.uniform(0.05, 1, count))[::-1].astype(np.float32),
        random.integers(0, 4, count),
        classes if mask else None,
        3,
    )


@pytest.mark.parametrize("count", [0, 1, 40])
def test_answers_survive_the_message(count):
    sent = _outputs(count)
    message = pack(sent, 0.0)
    found = unpack(message)

    assert np.abs(found.boxes - sent.boxes).max(initial=0) <= 0.25
    assert np.abs(found.scores - sent.scores).max(initial=0) <= 0.5 / 255 + 1e-6
    assert np.array_equal(found.labels, sent.labels)
    assert np.array_equal(found.mask, sent.mask)
    assert found.category == 3
    assert len(message) < 10 * count + 400


@pytest.mark.parametrize("category", [0, 255, 300, 21_000])
def test_classifiers_of_many_classes_have_room(category):
    assert unpack(pack(replace(_outputs(0), category=category))).category == category


def test_half_a_category_is_damage():
    with pytest.raises(PacketError, match="1 bytes of a category"):
        unpack(chunks.pack_strings([b"\0", b"\7", b""]))


def test_weak_boxes_are_not_sent_and_cost_nothing():
    sent = _outputs(40, mask=False)
    few = unpack(pack(sent, 0.5))

    assert len(few.boxes) == (sent.scores >= 0.5).sum()
    assert (few.scores >= 0.49).all()
    assert len(pack(sent, 0.5)) < len(pack(sent, 0.0))


@given(st.binary(max_size=80))
def test_rubbish_is_a_packet_error(data):
    with contextlib.suppress(PacketError):
        unpack(data)


def test_the_whole_network_on_board_says_what_it_says_on_the_ground():
    checkpoint = checkpoints.untrained(seed=0)
    image = np.random.default_rng(0).integers(0, 255, (90, 130), np.uint8)
    network = WholeNetwork(checkpoint)
    system = OnboardOnly(network, score=0.0)

    packets = system.encode(image)
    found, truth = system.decode(packets), network(image)

    assert np.array_equal(found.mask, truth.mask)
    assert len(found.boxes) == len(truth.boxes)
    assert max(map(len, packets)) <= 1200
    assert system.decode(packets[1:]).mask is None
