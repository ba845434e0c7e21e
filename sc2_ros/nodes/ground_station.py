# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground station's node: packets of features in, results and feedback out.

    features -> [executor: time] -> [intake: accept] -> newest frame -> [worker: show]
                                         |                                 |
                                      feedback                detections, mask, preview

A station that is slower than the camera skips frames; it does not fall behind.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sc2_ros import checkpoint
from sc2_ros.checkpoint import Checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.media.messages import label_info_message, packet_bytes, packet_message
from sc2_ros.network.devices import release_gpu
from sc2_ros.nodes import qos
from sc2_ros.nodes.arrivals import timed
from sc2_ros.nodes.camera_info import below as calibration
from sc2_ros.nodes.diagnostics import Status
from sc2_ros.nodes.drone_stream import Decoder, DroneStream, Job
from sc2_ros.nodes.intake import Intake
from sc2_ros.nodes.network_node import NetworkNode, idle
from sc2_ros.nodes.parameter_groups import unused_addresses
from sc2_ros.nodes.parameters import GROUND, Value, parse_names, parse_weights
from sc2_ros.nodes.results import ResultPublishers
from sc2_ros.nodes.standby import Called, Standby
from sc2_ros.nodes.worker import NewestWorker
from sc2_ros.runtime.ros import CameraInfo, LabelInfo, UInt8MultiArray

if TYPE_CHECKING:  # the socket and its keys are loaded where they are asked for
    from sc2_ros.nodes.air import AirConfig, NodeLink

TICK_S = 0.01
"""How late a frame's time-out or a feedback packet may be."""
STANDBY_S = 0.1
"""How often is looked whether another station is silent."""


class GroundNode(NetworkNode[GroundConfig, Checkpoint, list[Decoder]]):
    """Feeds the ground pipelines from ROS. The radio runs in real time, whatever /clock says."""

    def __init__(self) -> None:
        self._streams: list[DroneStream] = []
        self._links: dict[str, NodeLink] = {}
        """By drone, where the radio is no open topic."""
        self._configs: dict[str, AirConfig] = {}
        super().__init__("ground_node", GROUND)
        self._standby: dict[str, Standby | Called] = {}
        """By drone that another station serves."""
        self._away: set[str] = set()
        """Of those, the ones that are left to that station now."""
        self._subscriptions_of: dict[str, list[Any]] = {}
        self._drones = served(self._settings.values) or ("",)

    def _load(self) -> None:
        self._config = self._configuration(self._settings.values)
        decoders = self._load_networks()
        self._feedback = {
            name: self._publisher(
                UInt8MultiArray, below(name, "feedback"), qos.PACKETS, overrides=True
            )
            for name in self._drones
        }
        self._features = {}
        if self._settings["transport"] == "both":
            self._features = {
                name: self._publisher(
                    UInt8MultiArray, below(name, "features"), qos.PACKETS, overrides=True
                )
                for name in self._drones
            }
        self._label_info = [
            self._publisher(LabelInfo, below(name, "label_info"), qos.LATCHED)
            for name in self._drones
        ]
        self._streams = [
            DroneStream(name, decoder, ResultPublishers(self, self._publisher, name))
            for name, decoder in zip(self._drones, decoders, strict=True)
        ]
        self._loaded.callback(self._streams.clear)

    def _configuration(self, values: dict[str, Value]) -> GroundConfig:
        config = configuration(values)
        config.check_backend()
        drones = served(values)
        if len(set(drones)) < len(drones):
            raise ParameterError("standby: a drone that this node serves anyway; take it out")
        for name in parse_weights(str(values["weights"])):
            if name not in drones:
                raise ParameterError(f"weights: {name} is none of the drones {', '.join(drones)}")
        return config

    def _check_card(self, config: GroundConfig, card: dict[str, Any]) -> None:
        config.validate(tuple(card["detection_classes"]))

    def _open(self, name: str) -> Checkpoint:
        return checkpoint.load(name)

    def _arithmetic(self, values: dict[str, Value]) -> str:
        words = (str(values[name]) for name in ("backend", "device", "precision"))
        return "backend {}, device {}, precision {}".format(*words)

    def _make(self, model: Checkpoint, config: GroundConfig) -> list[Decoder]:
        """A decoder for every drone; they share the network."""
        names = model.card["detection_classes"], model.card["mask_classes"]
        return [Decoder(GroundPipeline(model, config), *names) for _ in self._drones]

    def _start(self) -> None:
        self._end_loading()
        self._config = configuration(self._settings.values)
        self._configure_all(self._config)
        self._running.callback(self._rest)
        self._weights = parse_weights(str(self._settings["weights"]))
        self._worker = NewestWorker[Job](self._show, self._weight)
        self._worker.start()
        self._running.callback(self._worker.stop)
        self._intake = Intake[tuple[DroneStream, bytes, float]](self._accept, self._tick, TICK_S)
        self._intake.start()
        self._running.callback(self._intake.stop)
        self._announce_labels()
        is_topic = self._settings["transport"] == "topic"
        if unused := unused_addresses(self._settings.values):
            self.get_logger().warning(unused)
        self._stand_by(is_topic)
        self._configs = {}
        if not is_topic or self._settings["air.key_file"]:
            self._open_links(is_topic)
        if is_topic:
            self._subscribe()

    def _open_links(self, is_topic: bool) -> None:
        """For every drone a socket, or for each that is served a sealed link over its topics."""
        from sc2_ros.nodes.air import air_configs

        configs = air_configs(self._settings.values, len(self._streams))
        self._configs = dict(zip(self._drones, configs, strict=True))
        self._running.callback(self._close_links)
        for stream in self._streams:
            if not (is_topic and stream.name in self._away):
                self._open_link(stream, is_topic)
        if not is_topic:
            self.get_logger().info(f"packets at {', '.join(config.local for config in configs)}")

    def _open_link(self, stream: DroneStream, is_topic: bool) -> None:
        from sc2_ros.nodes.air import NodeLink, Role

        deliver = partial(self._on_datagram, stream)
        publish = partial(self._publish_report, stream) if is_topic else None
        link = NodeLink(self._configs[stream.name], Role.GROUND, deliver, publish)
        link.start()
        self._links[stream.name] = link

    def _close_links(self) -> None:
        while self._links:
            self._links.popitem()[1].stop()

    def _publish_report(self, stream: DroneStream, packet: bytes) -> None:
        watch = self._standby.get(stream.name)
        if isinstance(watch, Standby):
            watch.on_sent(packet)
        self._feedback[stream.name].publish(packet_message(packet))

    def _stand_by(self, is_topic: bool) -> None:
        """Begin away from the drones of other stations."""
        names = parse_names(str(self._settings["standby"]))
        now_s, sealed = time.monotonic(), bool(self._settings["air.key_file"])
        self._standby = {name: Standby(now_s, sealed) if is_topic else Called() for name in names}
        self._away = set(names)
        if names:
            self._timer_while_active(STANDBY_S, self._stand_in)

    def _subscribe(self) -> None:
        self._running.callback(self._subscriptions_of.clear)  # or they keep networks in memory
        for stream in self._streams:
            watch = self._standby.get(stream.name)
            if watch is None:
                self._listen(stream)
            elif isinstance(watch, Standby):
                topic, take = below(stream.name, "feedback"), partial(self._on_report, watch)
                self._subscription(UInt8MultiArray, topic, take, qos.PACKETS)
        topics = [
            self.resolve_topic_name(below(name, "features"))
            for name in self._drones
            if name not in self._away
        ]
        self.get_logger().info(f"packets from {', '.join(topics)}")

    def _listen(self, stream: DroneStream) -> None:
        """Take a drone's packets from now on."""
        topic = below(stream.name, "features")
        features = self.resolve_topic_name(topic)
        camera_info = stream.results.camera_info
        take = timed(partial(self._on_packet, stream))
        self._subscriptions_of[stream.name] = [
            self._subscription(UInt8MultiArray, topic, take, qos.PACKETS),
            self._subscription(CameraInfo, calibration(features), camera_info.take, qos.LATCHED),
        ]

    def _leave(self, stream: DroneStream) -> None:
        """Let the radio carry nothing for this node any more."""
        for subscription in self._subscriptions_of.pop(stream.name):
            self.destroy_subscription(subscription)
        if stream.name in self._links:
            self._links.pop(stream.name).stop()

    def _on_report(self, watch: Standby, message: UInt8MultiArray) -> None:
        watch.on_report(packet_bytes(message), time.monotonic())

    def _stand_in(self) -> None:
        """Serve drones whose station is silent, and leave them to it when it is back."""
        now_s = time.monotonic()
        for stream in self._streams:
            watch = self._standby.get(stream.name)
            is_away = stream.name in self._away
            if watch is None or watch.works(now_s) != is_away:
                continue
            if is_away:
                if isinstance(watch, Standby):
                    if self._configs:
                        self._open_link(stream, is_topic=True)
                    self._listen(stream)
                self._away.discard(stream.name)
                self.get_logger().warning(f"{stream.name}: its station is silent; serving it")
            else:
                self._away.add(stream.name)
                if isinstance(watch, Standby):
                    self._leave(stream)
                self.get_logger().info(f"{stream.name}: its station is back")

    def _configure_all(self, config: GroundConfig) -> None:
        for stream in self._streams:
            stream.pipeline.configure(config)

    def _rest(self) -> None:
        self._configure_all(idle(configuration(self._settings.values)))
        release_gpu()

    def _swap(self, networks: list[Decoder]) -> None:
        for stream, decoder in zip(self._streams, networks, strict=True):
            stream.take(decoder)

    def _configure(self, config: GroundConfig) -> None:
        self._weights = parse_weights(str(self._settings["weights"]))
        self._worker.change(partial(self._take, config))
        self._announce_labels(config.score_threshold)

    def _take(self, config: GroundConfig) -> None:
        """In the worker's thread: the frames to come are shown as configured now."""
        self._config = config
        for stream in self._streams:
            stream.follow_listeners(stream.decoder, config)
        release_gpu()

    def _announce_labels(self, threshold: float | None = None) -> None:
        threshold = self._config.score_threshold if threshold is None else threshold
        now_ns = self.get_clock().now().nanoseconds
        for stream, publisher in zip(self._streams, self._label_info, strict=True):
            classes = stream.decoder.mask_classes
            publisher.publish(label_info_message(classes, threshold, now_ns))

    def _on_packet(self, stream: DroneStream, message: UInt8MultiArray, now_s: float) -> None:
        link = self._links.get(stream.name)
        take = partial(self._on_datagram, stream) if link is None else link.receive
        take(packet_bytes(message), now_s)

    def _on_datagram(self, stream: DroneStream, packet: bytes, now_s: float) -> None:
        dropped = self._intake.put(stream, (stream, packet, now_s))
        if dropped is not None:
            dropped[0].overrun()

    def _accept(self, arrived: tuple[DroneStream, bytes, float]) -> None:
        """In the intake's thread, as all that touches receiver state."""
        stream, packet, now_s = arrived
        link = self._links.get(stream.name)
        watch = self._standby.get(stream.name)
        if isinstance(watch, Called):
            watch.on_packet(now_s)
        if link is not None:
            if link.is_calibration(packet):
                stream.calibrate(packet)
                return
            if stream.name in self._features:
                self._features[stream.name].publish(packet_message(packet))
        self._hand_over(stream.accept(packet, now_s))

    def _tick(self) -> None:
        now_s = time.monotonic()
        for stream in self._streams:
            if stream.name in self._away:
                continue
            waiting = self._intake.next(stream)
            until_s = now_s if waiting is None else waiting[2]  # what waits is not missing
            self._hand_over(stream.expire(until_s))
            link = self._links.get(stream.name)
            for packet in stream.pipeline.feedback(now_s, link.marked if link else 0):
                if link is not None:
                    link.send(packet)
                if self._settings["transport"] == "both" or not self._configs:
                    self._publish_report(stream, packet)

    def _weight(self, key: Hashable) -> float:
        """Of a stream of a drone."""
        assert isinstance(key, tuple)
        return self._weights.get(key[0], 1.0)

    def _hand_over(self, jobs: list[Job]) -> None:
        for job in jobs:
            job.stream.skipped += self._worker.put((job.stream.name, job.frame.number), job)

    def _show(self, job: Job) -> None:
        job.stream.show(job, self._config)

    def _check(self) -> None:
        self._intake.check()
        self._worker.check()
        for link in self._links.values():
            link.check()

    def _statuses(self, now_s: float) -> dict[str, list[Status]]:
        found = {}
        for stream in self._streams:
            if stream.name in self._away:
                continue
            lines = stream.statuses(now_s)
            if stream.name in self._links:
                air = self._links[stream.name].status(now_s)
                lines.append(replace(air, name=f"{stream.name} air".strip()))
            found[stream.name or "ground"] = lines
        return found


def served(values: dict[str, Value]) -> tuple[str, ...]:
    """Names of the drones that a node serves always, then those that it stands in for."""
    return parse_names(str(values["drones"])) + parse_names(str(values["standby"]))


def below(name: str, topic: str) -> str:
    """A topic of a drone."""
    return f"{name}/{topic}" if name else topic


def configuration(values: dict[str, Value]) -> GroundConfig:
    """The pipeline's configuration of the node's parameters."""
    return GroundConfig(
        score_threshold=values["score_threshold"],
        nms_iou=values["nms_iou"],
        max_detections=values["max_detections"],
        classes=parse_names(str(values["classes"])),
        mask=values["mask"],
        preview=values["preview"],
        frame_timeout_s=values["frame_timeout"],
        deadline_s=values["deadline_ms"] / 1e3,
        feedback_hz=values["feedback.rate"],
        max_pixels=values["max_pixels"],
        backend=values["backend"],
        device=values["device"],
        precision=values["precision"],
    )
