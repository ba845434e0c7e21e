# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's node: camera images in, packets of features out, feedback in.

    image -> newest -> [worker: OnboardPipeline] -> [sender: Pacer] -> features
                              ^                           |
    feedback -----------------+------- what was sent -----+

A drone that is slower than its camera skips images; feedback and packets never wait for one.

For example::

    ros2 run sc2_ros onboard_node --ros-args -r image:=/camera/image_raw -p rate.max_kbps:=2000.0
"""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2

from sc2_ros import checkpoint_file
from sc2_ros.checkpoint_file import FlyingCheckpoint
from sc2_ros.errors import InputError, ParameterError, Sc2Error
from sc2_ros.media.image_reader import ImageReader
from sc2_ros.media.messages import packet_bytes, packet_message
from sc2_ros.media.thermal import ThermalConfig
from sc2_ros.nodes import qos
from sc2_ros.nodes.arrivals import timed
from sc2_ros.nodes.camera_info import CameraInfoRelay, beside
from sc2_ros.nodes.cameras import CAMERAS, apart, words
from sc2_ros.nodes.complaints import Complaints
from sc2_ros.nodes.departures import Departure, Departures
from sc2_ros.nodes.diagnostics import Status
from sc2_ros.nodes.network_node import NetworkNode, idle
from sc2_ros.nodes.onboard_report import NUMBERS, OnboardReport, departure_message
from sc2_ros.nodes.parameter_groups import unused_addresses
from sc2_ros.nodes.parameters import ONBOARD, Value, parse_size
from sc2_ros.nodes.process import run
from sc2_ros.nodes.radio import radio_message, signal_db
from sc2_ros.nodes.sender import Sender
from sc2_ros.nodes.stages import ONBOARD_STAGES, StageTimes, captured
from sc2_ros.nodes.stamps import StampWatch
from sc2_ros.nodes.worker import NewestWorker
from sc2_ros.onboard.backend import release_gpu
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline
from sc2_ros.runtime.ros import (
    CameraInfo,
    CompressedImage,
    DiagnosticArray,
    Float64,
    Image,
    UInt8MultiArray,
)
from sc2_ros.runtime.serialization import Cdr, header_of, image_of

if TYPE_CHECKING:  # the socket and its keys are loaded where they are asked for
    from sc2_ros.nodes.air import NodeLink

NAME = "onboard_node"
LONGEST_INTERVAL_S = 0.1
"""Packets of a slow camera are not spread over more than this: it would only add delay."""
COMPLAIN_EVERY_S = 5.0
IMAGE, NEWS = 0, 1
"""What the worker is woken for."""
MOST_NEWS = 2000
MOST_REPORTS = 64
"""Reports that may wait, and that are read before the next image has its turn: four seconds'."""
NUMBERS_HZ = 5.0


class OnboardNode(NetworkNode[OnboardConfig, FlyingCheckpoint, OnboardPipeline]):
    """Feeds the onboard pipeline from ROS. The radio runs in real time, whatever /clock says."""

    def __init__(self, namespace: str | None = None) -> None:
        # (packet, time): the pipeline hears of everything in the worker's thread.
        self._left: deque[tuple[bytes, float]] = deque(maxlen=MOST_NEWS)
        self._reports: deque[tuple[bytes, float]] = deque(maxlen=MOST_REPORTS)
        self._link: NodeLink | None = None
        self._signals: deque[tuple[float, float]] = deque(maxlen=MOST_NEWS)
        """(dB, time) of the radio's reports."""
        self._listeners = 0
        self._pipeline: OnboardPipeline | None = None
        super().__init__(NAME, ONBOARD, namespace)
        # As image_transport does, so that a remap of `image` carries `image/compressed` along.
        self._topic = self.resolve_topic_name("image")
        if self._settings["image_transport"] == "compressed":
            self._topic += "/compressed"

    def _load(self) -> None:
        self._pipeline = self._load_networks()
        self._loaded.callback(setattr, self, "_pipeline", None)  # nothing else holds the networks
        self._features = self._publisher(UInt8MultiArray, "features", qos.PACKETS, overrides=True)
        self._camera_info = CameraInfoRelay(
            self._publisher, self.resolve_topic_name("features"), self.get_logger().warning
        )
        self._frame_info = self._publisher(DiagnosticArray, "~/frame_info", qos.RESULTS)
        self._numbers = {
            name: self._publisher(Float64, f"~/{name}", qos.RESULTS) for name in NUMBERS
        }

    def _configuration(self, values: dict[str, Value]) -> OnboardConfig:
        thermal(values)
        return configuration(values)

    def _open(self, name: str) -> FlyingCheckpoint:
        return checkpoint_file.load(name)

    def _arithmetic(self, values: dict[str, Value]) -> str:
        words = (str(values[name]) for name in ("backend", "device", "precision"))
        return "backend {}, device {}, precision {}".format(*words)

    def _make(self, model: FlyingCheckpoint, config: OnboardConfig) -> OnboardPipeline:
        return OnboardPipeline(model, config)

    def _start(self) -> None:
        self._end_loading()
        self._take(self._present.networks)  # the worker may have been stopped before it did
        self._headers_bytes = 0
        self._pipeline.configure(configuration(self._settings.values))
        self._images = ImageReader(thermal(self._settings.values))
        self._stamps = StampWatch()
        self._complaints = Complaints(COMPLAIN_EVERY_S)
        self._running.callback(self._rest)
        self._last_frame_s = 0.0
        self._counters = OnboardReport(self._topic)
        self._departures = Departures(self._on_left)
        self._stages = StageTimes(ONBOARD_STAGES)
        while self._left:  # before the last deactivation: the ground has counted them
            self._pipeline.on_sent(*self._left.popleft())
        self._reports.clear()
        self._sender = Sender(self._send)
        self._worker = NewestWorker[tuple[Cdr, float] | None](self._work)
        for thread in (self._sender, self._worker):
            thread.start()
            self._running.callback(thread.stop)
        compressed = self._settings["image_transport"] == "compressed"
        self._open_radio()
        self._image_type = CompressedImage if compressed else Image
        self._camera = self._subscription(
            self._image_type, self._topic, self._on_image, qos.NEWEST_IMAGE, raw=True
        )
        self._subscription(CameraInfo, beside(self._topic), self._on_camera_info, qos.NEWEST_IMAGE)
        if self._settings["radio.topic"]:
            radio = radio_message(self._settings["radio.type"])
            self._subscription(radio, self._settings["radio.topic"], self._on_radio, qos.SENSOR)
        self._timer_while_active(1.0 / NUMBERS_HZ, self._publish_numbers)
        self.get_logger().info(f"images from {self._topic}, {self._pipeline.engine_name}")

    def _open_radio(self) -> None:
        """Where packets go and reports come from."""
        is_topic = self._settings["transport"] == "topic"
        if unused := unused_addresses(self._settings.values):
            self.get_logger().warning(unused)
        if is_topic:
            self._subscription(UInt8MultiArray, "feedback", timed(self._on_feedback), qos.PACKETS)
            if not self._settings["air.key_file"]:
                return
        from sc2_ros.nodes.air import NodeLink, Role, air_configs

        (config,) = air_configs(self._settings.values, 1)
        publish = self._publish_packet if is_topic else None
        link = NodeLink(config, Role.ONBOARD, self._on_report, publish)
        link.start()
        self._link = link
        self._camera_info.relink(link.calibrate)
        self._running.callback(self._close_radio)
        self._worker.change(partial(self._count_headers, link.overhead_bytes))
        where = "the topic, sealed" if is_topic else ", ".join(config.remotes) or "whoever calls"
        self.get_logger().info(f"packets to {where}")

    def _close_radio(self) -> None:
        link, self._link = self._link, None
        self._camera_info.relink(None)
        if link is not None:
            link.stop()

    def _count_headers(self, size_bytes: int) -> None:
        self._headers_bytes = size_bytes
        self._pipeline.configure(self._counted(self._pipeline.config))

    def _counted(self, config: OnboardConfig) -> OnboardConfig:
        """With the transport's own headers."""
        return replace(config, overhead_bytes=config.overhead_bytes + self._headers_bytes)

    def _rest(self) -> None:
        self._pipeline.configure(idle(self._pipeline.config))
        release_gpu()

    def _swap(self, networks: OnboardPipeline) -> None:
        if self._active:
            self._worker.change(partial(self._take, networks))
        else:
            self._take(networks)

    def _take(self, pipeline: OnboardPipeline) -> None:
        """Encode with this pipeline from now on; belongs in the worker's thread while it runs."""
        pipeline.stats, self._pipeline = self._pipeline.stats, pipeline
        release_gpu()

    def _configure(self, config: OnboardConfig) -> None:
        images = thermal(self._settings.values)
        self._worker.change(lambda: self._images.configure(images))
        self._worker.change(lambda: self._pipeline.configure(self._counted(config)))

    def _on_image(self, cdr: Cdr) -> None:
        now_s = time.monotonic()
        self._counters.images += 1
        self._counters.camera.heard(now_s)
        self._worker.put(IMAGE, (cdr, now_s))

    def _on_camera_info(self, message: CameraInfo) -> None:
        self._camera_info.take(message, time.monotonic())

    def _on_feedback(self, message: UInt8MultiArray, now_s: float) -> None:
        if self._settings["air.key_file"]:
            if self._link is not None:
                self._link.receive(packet_bytes(message), now_s)
            return
        self._on_report(packet_bytes(message), now_s)

    def _on_report(self, packet: bytes, now_s: float) -> None:
        self._reports.append((packet, now_s))
        self._worker.put(NEWS, None)

    def _on_radio(self, message: Any) -> None:
        signal = signal_db(message)
        if signal is not None:
            self._signals.append((signal, time.monotonic()))

    def _send(self, packet: bytes, now_s: float) -> None:
        link = self._link
        if link is not None:
            link.send(packet)
        if self._settings["transport"] == "both" or link is None:
            self._publish_packet(packet)
        self._left.append((packet, now_s))

    def _publish_packet(self, packet: bytes) -> None:
        self._features.publish(packet_message(packet))

    def _work(self, image: tuple[Cdr, float] | None) -> None:
        # As many as wait now: a flood of reports keeps no image waiting.
        for _ in range(len(self._left)):
            packet, when_s = self._left.popleft()
            self._pipeline.on_sent(packet, when_s)
            self._departures.on_sent(packet, when_s)
        for _ in range(len(self._reports)):
            self._hear(*self._reports.popleft())
        while self._signals:
            self._pipeline.on_radio(*self._signals.popleft())
        if image is not None:
            self._encode(*image)

    def _hear(self, packet: bytes, when_s: float) -> None:
        bad = self._pipeline.stats.bad_feedback
        self._pipeline.on_feedback(packet, when_s)
        if self._pipeline.stats.bad_feedback == bad:
            self._counters.feedback.heard(when_s)

    def _heed_listeners(self) -> None:
        """Begin anew for whoever has just subscribed: a recorder sends no feedback."""
        listeners = self._features.get_subscription_count()
        if listeners > self._listeners:
            self._pipeline.refresh()
        self._listeners = listeners

    def _message(self, cdr: Cdr) -> Any:
        try:
            return image_of(cdr, compressed=self._image_type is CompressedImage)
        except ValueError as error:
            raise InputError(f"a message of {len(cdr)} bytes is no image: {error}") from error

    def _frame(self, cdr: Cdr) -> CameraFrame:
        """A frame of which only the header has been read."""
        try:
            stamp_ns, frame_id = header_of(cdr)
        except ValueError as error:
            raise InputError(str(error)) from error
        problem = self._stamps.see(stamp_ns)
        if problem is not None:
            self.get_logger().warning(problem)
        image = self._images.open_later(partial(self._message, cdr))
        return CameraFrame(image, stamp_ns, frame_id)

    def _encode(self, cdr: Cdr, received_s: float) -> None:
        now_s = time.monotonic()
        self._heed_listeners()
        try:
            frame = self._frame(cdr)
            packets = self._pipeline.process(frame, now_s)
        except (Sc2Error, cv2.error) as error:
            why = " ".join(str(error).split())  # OpenCV's has several lines
            self._counters.skip(why)
            if self._complaints.due(why, now_s):
                self.get_logger().error(f"image skipped: {why}")
            return
        if packets:
            coded_s = time.monotonic()
            times = captured(frame.stamp_ns, self.get_clock().now().nanoseconds, coded_s)
            times |= {"received": received_s, "encoding": now_s, "coded": coded_s}
            rate_index = self._pipeline.stats.rate_index or 0.0
            self._departures.begin(packets, frame.stamp_ns, frame.frame_id, rate_index, times)
            self._sender.push(packets, min(now_s - self._last_frame_s, LONGEST_INTERVAL_S))
            self._last_frame_s = now_s

    def _on_left(self, departure: Departure) -> None:
        self._stages.add(departure.times)
        if self._frame_info.get_subscription_count():
            stream = int(self._settings["stream"])
            self._frame_info.publish(departure_message(departure, stream, self.get_name()))

    def _publish_numbers(self) -> None:
        pipeline = self._pipeline
        self._camera_info.flush(time.monotonic())
        if self._link is not None:
            self._link.turn(time.monotonic())
        values = self._counters.numbers(pipeline.stats, pipeline.rate_state, time.monotonic())
        for name, publisher in self._numbers.items():
            value = values[name]
            if value is not None and publisher.get_subscription_count():
                publisher.publish(Float64(data=float(value)))

    def _check(self) -> None:
        self._worker.check()
        self._sender.check()
        if self._link is not None:
            self._link.check()

    def _statuses(self, now_s: float) -> dict[str, list[Status]]:
        publishers = self._camera.get_publisher_count()
        lines = self._counters.statuses(
            self._pipeline.stats,
            self._settings.values,
            publishers,
            now_s,
            {**self._stages.values(), "packets_replaced": self._sender.replaced},
            self._misfit_of(self._topic),
        )
        if self._link is not None:
            lines.append(self._link.status(now_s))
        return {f"stream {self._settings['stream']}": lines}


def configuration(values: dict[str, Value]) -> OnboardConfig:
    """The pipeline's configuration of the node's parameters.

    Raises:
        ParameterError: if the values do not go together.
    """
    width, height = parse_size(str(values["frame.size"]))
    config = OnboardConfig(
        rate_mode=values["rate.mode"],
        rate_index=values["rate.index"],
        rate_max_kbps=values["rate.max_kbps"],
        rate_prefer=values["rate.prefer"],
        rate_repair=values["rate.repair"],
        rate_temporal=values["rate.temporal"],
        rate_saliency=values["rate.saliency"],
        refresh_period_s=values["refresh.period_s"],
        frame_max_fps=values["frame.max_fps"],
        frame_width=width,
        frame_height=height,
        frame_max_pixels=values["frame.max_pixels"],
        stream=values["stream"],
        backend=values["backend"],
        precision=values["precision"],
        device=values["device"],
        overhead_bytes=values["air.overhead_bytes"],
    )
    config.validate()
    return config


def thermal(values: dict[str, Value]) -> ThermalConfig:
    """How images of more than 8 bits become grey, by the node's parameters.

    Raises:
        ParameterError: if the values do not go together.
    """
    config = ThermalConfig(
        mode=values["thermal.mode"],
        low=values["thermal.low"],
        high=values["thermal.high"],
        min_span=values["thermal.min_span"],
        time_constant_s=values["thermal.time_constant_s"],
    )
    config.validate()
    return config


def main(args: list[str] | None = None) -> int:
    """Run the node, or with `--cameras front,down` one for each; returns the exit code."""
    rest = words(sys.argv[1:] if args is None else args)
    if CAMERAS not in rest:
        return run(OnboardNode, args)
    try:
        namespaces, rest = apart(rest)
    except ParameterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    first, *others = (partial(OnboardNode, namespace) for namespace in namespaces)
    return run(first, rest, *others)


if __name__ == "__main__":
    sys.exit(main())
