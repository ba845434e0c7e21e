# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a node says, where nobody is left to read it."""

import os
from contextlib import suppress

from sc2_ros.runtime.messages import message_type

Log = message_type("rcl_interfaces/msg/Log")


def test_a_node_whose_words_nobody_reads_goes_on_and_tells_rosout(node, spin_until, monkeypatch):
    heard = []
    node.create_subscription(Log, "/rosout", heard.append, 10)
    spin_until(lambda: node._rosout.get_subscription_count())
    # Such as the pipe to a `tee` that was killed.
    reader, writer = os.pipe()
    os.close(reader)

    with (
        suppress(BrokenPipeError),  # of what the stream holds when it is closed
        open(writer, "w", buffering=1) as stream,
        monkeypatch.context() as patch,
    ):
        patch.setattr("sys.stderr", stream)
        said = [node.get_logger().warning("link is down") for _ in range(3)]

    assert said == [True] * 3
    spin_until(lambda: len(heard) == 3)
    assert {log.msg for log in heard} == {"link is down"}
