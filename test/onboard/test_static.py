# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera before which nothing moves."""

import queue
import time

import numpy as np
from predicting import shipped

from sc2_ros.codec.frame.encoder import EncodedPacket
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.link.air.endpoint import AirConfig, Endpoint
from sc2_ros.link.air.key import new_key_file
from sc2_ros.link.air.wire import Channel, Role
from sc2_ros.media.source import open_source
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline


def test_a_frame_is_one_packet_of_11_bytes():
    """The README's figure; the first frames still correct what quantisation took off."""
    model = shipped()
    drone = OnboardPipeline(model, OnboardConfig(rate_mode="fixed", rate_index=0.1))
    ground = GroundPipeline(model, GroundConfig())
    image = np.ascontiguousarray(next(iter(open_source("synthetic:7:rgb:hover"))).image)
    sizes = []
    for number in range(12):
        now_s = number / 10
        packets = drone.process(CameraFrame(image, int(now_s * 1e9), "camera"), now_s)
        for packet in packets:
            drone.on_sent(packet, now_s)
            ground.accept(packet, now_s + 0.02)
        for feedback in ground.feedback(now_s + 0.03):
            drone.on_feedback(feedback, now_s + 0.04)
        sizes.append([len(packet) for packet in packets])

    assert sizes[-4:] == [[11]] * 4


def test_a_frame_takes_at_most_60_bytes_on_air_with_a_key(tmp_path):
    """Over real sockets; the sender's are the bytes that the kernel took, with IP and UDP."""
    new_key_file(tmp_path / "air.key")
    key = str(tmp_path / "air.key")
    model = shipped()
    drone = OnboardPipeline(model, OnboardConfig(rate_mode="fixed", rate_index=0.1))
    ground = GroundPipeline(model, GroundConfig())
    image = np.ascontiguousarray(next(iter(open_source("synthetic:7:rgb:hover"))).image)
    at_ground, at_drone = queue.Queue(), queue.Queue()
    below = Endpoint(AirConfig("127.0.0.1:0", key_file=key), Role.GROUND, at_ground.put)
    remote = f"127.0.0.1:{below.status().local[1]}"
    above = Endpoint(AirConfig("127.0.0.1:0", (remote,), key), Role.ONBOARD, at_drone.put)
    on_air = []
    try:
        below.start()
        above.start()
        give_up_s = time.monotonic() + 30
        while not above.status().peers:
            assert time.monotonic() < give_up_s
            time.sleep(0.01)
        for number in range(12):
            now_s = number / 10
            on_air.append(0)
            for packet in drone.process(CameraFrame(image, int(now_s * 1e9), "camera"), now_s):
                sent_bytes = above.send(Channel.FEATURES, packet)
                on_air[-1] += sent_bytes * isinstance(packet, EncodedPacket)
                drone.on_sent(packet, now_s)
                ground.accept(at_ground.get(timeout=30).payload, now_s + 0.02)
            for report in ground.feedback(now_s + 0.03):
                below.send(Channel.FEEDBACK, report)
                drone.on_feedback(at_drone.get(timeout=30).payload, now_s + 0.04)
    finally:
        above.stop()
        below.stop()

    assert min(on_air) > 42
    assert max(on_air[-4:]) <= 60
