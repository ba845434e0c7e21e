# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a terminal does with embedded nodes: calls services, sets parameters, counts endpoints."""

import sys
import time
from collections.abc import Callable
from typing import Any

from cyclonedds.builtin import (
    BuiltinDataReader,
    BuiltinTopicDcpsPublication,
    BuiltinTopicDcpsSubscription,
)
from cyclonedds.core import InstanceState, ReadCondition, SampleState, ViewState

from sc2_ros.runtime.endpoints import ServiceEnd, service_type, split
from sc2_ros.runtime.node import Node
from sc2_ros.runtime.parameters import Parameter, value_of
from sc2_ros.runtime.qos import qos_profile_parameters, qos_profile_services_default

ALIVE = ViewState.Any | InstanceState.Alive | SampleState.Any


class Client(ServiceEnd):
    """Calls a service and waits for the answer; needs no spinning node."""

    def __init__(
        self, node: Node, kind: str, service: str, qos: Any = qos_profile_services_default
    ) -> None:
        super().__init__(node.context.participant, service_type(kind), service, qos, serving=False)
        node._add(self)
        handle = self.writer.dds.get_instance_handle()
        self._identity = handle.to_bytes(8, sys.byteorder, signed=True)
        self._sequence = 0

    def _ready(self) -> bool:
        return bool(self.writer.matched_participants() & self.reader.matched_participants())

    def call(self, timeout_s: float, **fields: Any) -> Any:
        """The response; TimeoutError where there is no server, or no answer in time."""
        if not _wait_until(self._ready, timeout_s):
            raise TimeoutError(f"service {self.service_name} did not appear in {timeout_s} s")
        self._sequence += 1
        header = self._identity + self._sequence.to_bytes(8, sys.byteorder)
        self.send(header, self.srv_type.Request(**fields))
        answers: list[Any] = []

        def answered() -> bool:
            while (sample := self.reader.take()) is not None:
                if sample.cdr[4:20] == header:
                    answers.append(split(sample.cdr, self.srv_type.Response)[1])
            return bool(answers)

        if not _wait_until(answered, timeout_s):
            raise TimeoutError(f"service {self.service_name} did not answer in {timeout_s} s")
        return answers[0]


class ParameterClient:
    """Reads and sets the parameters of another node."""

    def __init__(self, node: Node, remote: str, timeout_s: float) -> None:
        self._node, self._remote, self._timeout_s = node, remote, timeout_s
        self._clients: dict[str, Client] = {}

    def list(self) -> list[str]:
        return list(self.call("ListParameters").result.names)

    def get(self, name: str) -> Any:
        """Value of a parameter; LookupError where there is none of this name."""
        return value_of(_only(self.call("GetParameters", names=[name]).values, name))

    def describe(self, name: str) -> Any:
        """Descriptor of a parameter; LookupError where there is none of this name."""
        return _only(self.call("DescribeParameters", names=[name]).descriptors, name)

    def set(self, name: str, value: Any) -> Any:
        """Ask for a new value; the result says `successful` and otherwise the `reason`."""
        message = Parameter(name, value=value).to_parameter_msg()
        return self.call("SetParameters", parameters=[message]).results[0]

    def call(self, kind: str, **fields: Any) -> Any:
        if kind not in self._clients:
            words = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind)
            self._clients[kind] = Client(
                self._node,
                f"rcl_interfaces/srv/{kind}",
                f"{self._remote}/{words[1:]}",
                qos_profile_parameters,
            )
        return self._clients[kind].call(self._timeout_s, **fields)


def count(node: Node, topic: str, *, publishers: bool) -> int:
    """How many publishers or subscriptions the whole domain has on an absolute topic."""
    kind = BuiltinTopicDcpsPublication if publishers else BuiltinTopicDcpsSubscription
    reader = BuiltinDataReader(node.context.participant.dds, kind)
    found = reader.read(10_000, ReadCondition(reader, ALIVE))
    return sum(sample.topic_name == f"rt{topic}" for sample in found)


def _only(found: Any, name: str) -> Any:
    if not found:
        raise LookupError(name)
    return found[0]


def _wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    give_up = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.002)
    return True
