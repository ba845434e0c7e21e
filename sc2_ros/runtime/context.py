# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102, N818  (names and meaning are rclpy's)
"""The process's place in the ROS graph: arguments, participant, nodes and `ros_discovery_info`."""

import os
import signal
import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from .arguments import RosArgumentError, RosArguments, parse_arguments
from .dds import Participant, guid_bytes, raw_type
from .logging import Logger, LoggingSeverity, get_logger
from .messages import message_type, to_cdr, type_hash
from .qos import DurabilityPolicy, QoSProfile

_GRAPH_TYPE = "rmw_dds_common/msg/ParticipantEntitiesInfo"
OWN_RMW = "rmw_cyclonedds_cpp"
"""The RMW whose services this runtime speaks."""
_Graph = message_type(_GRAPH_TYPE)
_NodeEntities = message_type("rmw_dds_common/msg/NodeEntitiesInfo")
_Gid = message_type("rmw_dds_common/msg/Gid")


class ExternalShutdownException(Exception):
    """The process was told to end while it was spinning."""


class NotInitializedException(Exception):
    """A node was made before `init`."""


class NodeInGraph(Protocol):
    """What a context asks of its nodes."""

    endpoints: list[Any]

    def get_name(self) -> str: ...

    def get_namespace(self) -> str: ...

    def destroy_node(self) -> None: ...


class Context:
    """One DDS participant and the nodes that live in it."""

    def __init__(self) -> None:
        self.arguments = RosArguments()
        self.nodes: list[NodeInGraph] = []
        self.signalled = False
        self._participant: Participant | None = None
        self._handlers: dict[int, Any] = {}
        self._lock = threading.RLock()

    @property
    def participant(self) -> Participant:
        if self._participant is None:
            raise NotInitializedException("call rclpy.init() before making nodes")
        return self._participant

    def ok(self) -> bool:
        return self._participant is not None and not self.signalled

    def init(self, arguments: Sequence[str] | None = None, domain_id: int | None = None) -> None:
        """Join the domain (ROS_DOMAIN_ID unless given) and take SIGINT and SIGTERM.

        Raises:
            RuntimeError: already initialised.
            RosArgumentError: the command line or a ROS variable is not valid.
        """
        if self._participant is not None:
            raise RuntimeError("rclpy.init() was called already")
        self.arguments = parse_arguments(arguments)
        for name, level in self.arguments.log_levels.items():
            _set_level(name, level)
        if domain_id is None:
            text = os.environ.get("ROS_DOMAIN_ID") or "0"
            if not text.isdigit() or int(text) > 232:
                raise RosArgumentError(f"ROS_DOMAIN_ID is '{text}', use a number from 0 to 232")
            domain_id = int(text)
        self.signalled = False
        self._participant = Participant(domain_id)
        profile = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        sample = raw_type(_GRAPH_TYPE)
        policies = profile.to_dds(f"typehash={type_hash(_GRAPH_TYPE)};")
        self._graph = self._participant.writer("ros_discovery_info", sample, policies)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._on_signal)
        if (other := _other_rmw()) is not None:
            get_logger("rclpy").warning(
                f"the ROS 2 of this shell uses {other}: if that is DDS, topics of this process "
                "reach it, but its services (parameters, lifecycle) do not; export "
                f"RMW_IMPLEMENTATION={OWN_RMW} in all shells, or SC2_RUNTIME=rclpy here"
            )

    def shutdown(self) -> None:
        """Leave the domain.

        Raises:
            RuntimeError: not initialised, or ended by a signal already.
        """
        if not self.ok():
            raise RuntimeError("rclpy.shutdown() was called already, or a signal did it")
        self.try_shutdown()

    def try_shutdown(self) -> None:
        """Leave the domain, if this process is in one."""
        if self._participant is None:
            return
        for node in list(self.nodes):
            node.destroy_node()
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._handlers.clear()
        del self._graph
        self._participant.close()
        self._participant = None

    def publish_graph(self) -> None:
        """Tell ROS tools which readers and writers belong to which node."""
        if self._participant is None:
            return
        with self._lock:
            message: Any = _Graph(gid=_gid(guid_bytes(self._participant.dds)))
            for node in self.nodes:
                entities: Any = _NodeEntities(
                    node_namespace=node.get_namespace(), node_name=node.get_name()
                )
                for endpoint in node.endpoints:
                    entities.reader_gid_seq += [_gid(reader.guid) for reader in endpoint.readers]
                    entities.writer_gid_seq += [_gid(writer.guid) for writer in endpoint.writers]
                message.node_entities_info_seq.append(entities)
            self._graph.write(to_cdr(message))

    def _on_signal(self, number: int, frame: Any) -> None:
        self.signalled = True
        previous = self._handlers.get(number)
        if number == signal.SIGINT and callable(previous):
            previous(number, frame)  # Python's own raises KeyboardInterrupt


def _gid(guid: bytes) -> Any:
    return _Gid(data=np.frombuffer(guid, np.uint8))


def _other_rmw() -> str | None:
    """The RMW of a ROS 2 that is sourced here, if its services are not ours."""
    # Where none is named, every distribution from Humble on takes Fast DDS.
    default = "rmw_fastrtps_cpp" if os.environ.get("ROS_DISTRO") else OWN_RMW
    used = os.environ.get("RMW_IMPLEMENTATION") or default
    return None if used == OWN_RMW else used


def _set_level(name: str, level: str) -> None:
    try:
        severity = LoggingSeverity[level.upper()]
    except KeyError:
        known = "DEBUG, INFO, WARN, ERROR, FATAL"
        raise RosArgumentError(f"log level '{level}' is none of {known}") from None
    if name:
        get_logger(name).set_level(severity)
    else:
        Logger.default_level = severity


_default = Context()


def get_default_context() -> Context:
    """The context that `init` without one uses."""
    return _default
