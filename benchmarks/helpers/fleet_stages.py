# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CPU time of a ground node's work on a frame, stage by stage, with the node's own parts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from functools import partial

from sc2_ros import checkpoint
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.nodes import qos
from sc2_ros.nodes.drone_stream import Decoder, DroneStream
from sc2_ros.nodes.results import ResultPublishers
from sc2_ros.runtime.ros import Detection2DArray, Node, SingleThreadedExecutor, rclpy

NAME = "d0"
FOUND_S = 0.5


def stages_ms(flight: Sequence[tuple[int, list[bytes]]], model: str) -> dict[str, float]:
    """Median milliseconds of CPU: parsing and decoding, network and boxes, the detections message.

    flight: stamp and packets of each frame. Somebody listens to the detections, to nothing else.
    """
    loaded = checkpoint.load(model)
    config = GroundConfig(mask=False, preview=False)
    names = loaded.card["detection_classes"], loaded.card["mask_classes"]
    rclpy.init(args=["stages"])
    try:
        node, listener = Node("stages"), Node("listener")
        heard: list[Detection2DArray] = []
        listener.create_subscription(
            Detection2DArray, f"{NAME}/detections", heard.append, qos.RESULTS
        )
        results = ResultPublishers(node, partial(_publisher, node), NAME)
        stream = DroneStream(NAME, Decoder(GroundPipeline(loaded, config), *names), results)
        executor = SingleThreadedExecutor()
        executor.add_node(listener)
        time.sleep(FOUND_S)
        spent: dict[str, list[float]] = {"decode": [], "network": [], "publish": []}
        for number, (_, packets) in enumerate(flight):
            if number == len(flight) // 4:  # what is slow only once is behind
                spent = {stage: [] for stage in spent}
            _frame(stream, packets, names, spent)
            executor.spin_once(0.0)
        if not heard:
            raise SystemExit("nobody heard the detections: nothing was published")
    finally:
        rclpy.try_shutdown()
    return {stage: 1e3 * statistics.median(seconds) for stage, seconds in spent.items()}


def _publisher(node: Node, kind: type, topic: str, profile: object, **_options: bool) -> object:
    return node.create_publisher(kind, topic, profile)


def _frame(
    stream: DroneStream,
    packets: Sequence[bytes],
    names: tuple[Sequence[str], Sequence[str]],
    spent: dict[str, list[float]],
) -> None:
    begun = time.thread_time()
    jobs = [job for packet in packets for job in stream.accept(packet, time.monotonic())]
    decoded = time.thread_time()
    if not jobs:
        return
    result = stream.pipeline.show(jobs[-1].frame)
    seen = time.thread_time()
    stream.results.publish(result, *names, {})
    published = time.thread_time()
    spent["decode"].append(decoded - begun)
    spent["network"].append(seen - decoded)
    spent["publish"].append(published - seen)
