# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""Publishers, subscriptions and services: ROS endpoints over DDS readers and writers."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from rosbags.serde import SerdeError

from .dds import Misfit, Participant, RawSample, Reader, Writer, raw_type
from .logging import get_logger
from .messages import Message, from_cdr, message_type, to_cdr, type_hash
from .qos import (
    IncompatibleQos,
    PublisherEventCallbacks,
    QoSProfile,
    SubscriptionEventCallbacks,
)
from .samples import Sample
from .serialization import Cdr

REPLY_READER_WAIT_S = 1.0
"""How long a reply waits for its client's reader; what is sent before nobody gets."""


def _misfit(events: PublisherEventCallbacks | SubscriptionEventCallbacks | None) -> Misfit | None:
    call = None if events is None else events.incompatible_qos
    return None if call is None else lambda count, policy: call(IncompatibleQos(count, policy))


class Publisher:
    """Publishes one message type on one topic."""

    def __init__(
        self,
        participant: Participant,
        msg_type: type[Message],
        topic: str,
        qos: QoSProfile,
        events: PublisherEventCallbacks | None = None,
    ) -> None:
        self.msg_type = msg_type
        self.topic_name = topic
        self.qos_profile = qos
        self.readers: tuple[Reader, ...] = ()
        name = msg_type.__msgtype__
        policies = qos.to_dds(f"typehash={type_hash(name)};")
        self._writer = participant.writer(f"rt{topic}", raw_type(name), policies, _misfit(events))
        self.writers = (self._writer,)

    def publish(self, msg: Message) -> None:
        if not isinstance(msg, self.msg_type):
            raise TypeError(f"Expected {self.msg_type.__msgtype__}, got {type(msg).__name__}")
        self._writer.write(to_cdr(msg))

    def get_subscription_count(self) -> int:
        return self._writer.matched()


class Subscription:
    """Calls back for every message of one topic, with its CDR where it is `raw`."""

    def __init__(
        self,
        participant: Participant,
        msg_type: type[Message],
        topic: str,
        callback: Callable[[Any], Any],
        qos: QoSProfile,
        events: SubscriptionEventCallbacks | None = None,
        raw: bool = False,
    ) -> None:
        self.msg_type = msg_type
        self.topic_name = topic
        self.callback = callback
        self.raw = raw
        self.qos_profile = qos
        self.writers: tuple[Writer, ...] = ()
        name = msg_type.__msgtype__
        policies = qos.to_dds(f"typehash={type_hash(name)};")
        self._reader = participant.reader(f"rt{topic}", raw_type(name), policies, _misfit(events))
        self.readers = (self._reader,)

    def take(self) -> Callable[[], Any] | None:
        """The callback on the next message, not yet called; None where there is no message."""
        sample = self._reader.take()
        if sample is None:
            return None
        return lambda: self._deliver(sample)

    def _deliver(self, sample: Sample) -> None:
        if self.raw:
            self.callback(sample.cdr)
            return
        try:
            message = from_cdr(sample.cdr, self.msg_type)
        except SerdeError as error:
            get_logger("rclpy").warning(f"dropped a message on {self.topic_name}: {error}")
            return
        self.callback(message)

    def get_publisher_count(self) -> int:
        return self._reader.matched()


@dataclass(frozen=True)
class ServiceType:
    """Request and response class of a service, as in generated ROS code."""

    name: str
    Request: type[Message]
    Response: type[Message]


@cache
def service_type(name: str) -> ServiceType:
    """Service such as `rcl_interfaces/srv/SetParameters`."""
    request, response = (message_type(f"{name}_{part}") for part in ("Request", "Response"))
    return ServiceType(name, request, response)


class ServiceEnd:
    """One end of a service: rq/rr topics, rmw_cyclonedds' header before the fields."""

    def __init__(
        self,
        participant: Participant,
        srv_type: ServiceType,
        service: str,
        qos: QoSProfile,
        serving: bool,
    ) -> None:
        self.srv_type = srv_type
        self.service_name = service
        identity = ".".join(f"{byte:x}" for byte in uuid.uuid4().bytes)
        key = f"{'serviceid' if serving else 'clientid'}={identity};"

        def end(kind: str) -> tuple[str, type[RawSample], Any]:
            part = "Request" if kind == "rq" else "Response"
            name = f"{srv_type.name}_{part}"
            suffix = "Request" if kind == "rq" else "Reply"
            policies = qos.to_dds(f"{key}typehash={type_hash(name)};")
            return f"{kind}{service}{suffix}", raw_type(name, service=True), policies

        self.reader = participant.reader(*end("rq" if serving else "rr"))
        self.writer = participant.writer(*end("rr" if serving else "rq"))
        self.readers, self.writers = (self.reader,), (self.writer,)

    def send(self, header: bytes, message: Message) -> None:
        cdr = to_cdr(message)
        self.writer.write(cdr[:4] + header + cdr[4:])


def split(cdr: Cdr, cls: type[Message]) -> tuple[bytes, Any]:
    """The header of a request or reply, and its message."""
    cdr = bytes(cdr)
    return cdr[4:20], from_cdr(cdr[:4] + cdr[20:], cls)


class Service(ServiceEnd):
    """Answers requests through `callback(request, response) -> response`."""

    def __init__(
        self,
        participant: Participant,
        srv_type: ServiceType,
        service: str,
        callback: Callable[[Any, Any], Any],
        qos: QoSProfile,
    ) -> None:
        super().__init__(participant, srv_type, service, qos, serving=True)
        self.callback = callback

    def take(self) -> Callable[[], Any] | None:
        """Work on the next request, not yet done; None where there is no request."""
        sample = self.reader.take()
        return None if sample is None else lambda: self._answer(sample)

    def _answer(self, sample: Sample) -> None:
        try:
            header, request = split(sample.cdr, self.srv_type.Request)
        except SerdeError as error:
            get_logger("rclpy").warning(f"dropped a request to {self.service_name}: {error}")
            return
        response = self.callback(request, self.srv_type.Response())
        give_up = time.monotonic() + REPLY_READER_WAIT_S
        while time.monotonic() < give_up:
            client = self.reader.participant_of(sample)
            if client is None or client in self.writer.matched_participants():
                break  # it has gone, or listens
            time.sleep(0.001)
        self.send(header, response)
