# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Large samples are lent by DDS, small ones copied; nothing is lost or freed too early."""

import gc

import numpy as np
import pytest

from sc2_ros.runtime import embedded
from sc2_ros.runtime.messages import to_cdr
from sc2_ros.runtime.ros import Float64, Image

pytestmark = pytest.mark.processes


def image(value):
    return Image(height=256, width=512, encoding="mono8", step=512, data=bytes([value]) * (1 << 17))


@pytest.fixture
def heard(node, spin_until):
    """Publish messages of a type, one by one, and get their bytes."""

    def hear(messages):
        got = []
        kind = type(messages[0])
        publisher = node.create_publisher(kind, "/sample", 10)
        node.create_subscription(kind, "/sample", got.append, 10, raw=True)
        spin_until(publisher.get_subscription_count)
        for number, message in enumerate(messages, start=1):
            publisher.publish(message)
            spin_until(lambda: len(got) == number)  # noqa: B023
        return got

    return hear


def test_a_large_message_is_lent_with_all_its_bytes(heard):
    sent = [image(value) for value in range(8)]

    got = heard(sent)

    assert [bytes(cdr) for cdr in got] == [to_cdr(message) for message in sent]
    assert all(isinstance(cdr, memoryview) and cdr.readonly for cdr in got)


def test_a_small_message_is_a_copy(heard):
    sent = [Float64(data=float(value)) for value in range(3)]

    assert heard(sent) == [to_cdr(message) for message in sent]


def test_pixels_outlive_the_message_that_they_came_in(heard):
    got = heard([image(7)])
    pixels = np.frombuffer(got.pop(), np.uint8)[-(1 << 17) :]
    gc.collect()
    heard([image(value) for value in range(8, 20)])  # would be put where it was

    assert (pixels == 7).all()


def test_what_is_lent_may_be_kept_beyond_the_domain(heard, node):
    (cdr,) = heard([image(5)])
    node.destroy_node()
    embedded.shutdown(context=node.context)

    assert bytes(cdr) == to_cdr(image(5))
    del cdr
    gc.collect()
