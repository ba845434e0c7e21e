# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""DDS below the ROS names: the domain, one participant per process, typed readers and writers.

The Python layer of Cyclone DDS walks every byte of a sample. Here a sample crosses it as CDR bytes
(`RawSample`) that `messages` has made. The IDL type is built from the same field definitions, so
that the C layer can check what it receives and discovery announces the true type.
"""

import ctypes
import os
import threading
import uuid
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cyclonedds.core import (
    DDSException,
    InstanceState,
    Listener,
    ReadCondition,
    SampleState,
    ViewState,
    WaitSet,
)
from cyclonedds.domain import Domain, DomainParticipant
from cyclonedds.idl import make_idl_struct, types
from cyclonedds.pub import DataWriter
from cyclonedds.qos import Policy, Qos
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from rosbags.interfaces import Nodetype

from .arguments import RosArgumentError
from .logging import get_logger
from .messages import STORE
from .samples import Sample, take

ANY_STATE = ViewState.Any | InstanceState.Any | SampleState.Any
_IDL_BASES = {
    "bool": bool, "byte": types.byte, "char": types.uint8, "int8": types.int8,
    "uint8": types.uint8, "int16": types.int16, "uint16": types.uint16, "int32": types.int32,
    "uint32": types.uint32, "int64": types.int64, "uint64": types.uint64,
    "float32": types.float32, "float64": types.float64, "string": str,
}  # fmt: skip

_RANGES = ("SUBNET", "LOCALHOST", "OFF", "SYSTEM_DEFAULT")

RECEIVE_BUFFER = "32MB"
"""A raw image of 4K, and what comes while it is read."""
PARSE_BUFFER = "160 KiB"
"""Cyclone DDS walks through it a few bytes per message and touches its pages one by one: of its own
1 MiB a process grows by 1 to 2 MB per hour for an hour or more, which looks like a leak. As quick:
a dropped image of 1080p takes 2.7 ms with either. Its least is a chunk of 128 KiB and a little."""


def discovery_configuration() -> str:
    """Cyclone DDS configuration for ROS_AUTOMATIC_DISCOVERY_RANGE, followed by CYCLONEDDS_URI.

    SUBNET (also where it is unset) is ROS 2's own default; participants take an index and look for
    each other on this host by unicast too, so that it works where multicast does not (containers).
    LOCALHOST keeps to the loopback interface, and so does a word that is none of the range's.
    ROS_STATIC_PEERS adds hosts, separated by semicolons. ROS_LOCALHOST_ONLY=1, which is older, wins
    over both. All as in rcl.
    """
    reach = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE") or "SUBNET"
    hosts = os.environ.get("ROS_STATIC_PEERS", "")
    if os.environ.get("ROS_LOCALHOST_ONLY", "").startswith("1"):
        reach, hosts = "LOCALHOST", ""
    if reach not in _RANGES:
        get_logger("rclpy").warning(
            f"ROS_AUTOMATIC_DISCOVERY_RANGE is '{reach}', which is none of {', '.join(_RANGES)}: "
            "taken as LOCALHOST"
        )
        reach = "LOCALHOST"
    uri = os.environ.get("CYCLONEDDS_URI", "")
    if reach == "SYSTEM_DEFAULT":
        return uri
    general = ""
    peers = ["localhost"]
    if reach == "LOCALHOST":
        if not _names_interfaces(uri):  # Cyclone DDS refuses an interface that is named twice
            general = (
                '<Interfaces><NetworkInterface address="127.0.0.1" multicast="false"/></Interfaces>'
            )
        general += "<AllowMulticast>false</AllowMulticast>"
    elif reach == "OFF":
        general, peers, hosts = "<AllowMulticast>false</AllowMulticast>", [], ""
    # Of Cyclone's own 1 MB buffer one raw image of 1080p overruns six: nearly none would arrive.
    # The kernel gives up to net.core.rmem_max.
    buffers = (
        f'<Internal><SocketReceiveBufferSize max="{RECEIVE_BUFFER}"/></Internal>'
        f"<Sizing><ReceiveBufferSize>{PARSE_BUFFER}</ReceiveBufferSize></Sizing>"
    )
    peers += [peer for peer in hosts.split(";") if peer]
    peer_list = "".join(f'<Peer address="{peer}"/>' for peer in peers)
    tag = f"<Tag>ros_discovery_off_{os.getpid()}</Tag>" if reach == "OFF" else ""
    own = (
        f"<CycloneDDS><Domain><General>{general}</General>{buffers}<Discovery>"
        "<ParticipantIndex>auto</ParticipantIndex>"
        "<MaxAutoParticipantIndex>119</MaxAutoParticipantIndex>"
        f"<Peers>{peer_list}</Peers>{tag}</Discovery></Domain></CycloneDDS>"
    )
    return f"{own},{uri}" if uri else own


def _names_interfaces(uri: str) -> bool:
    """Whether a CYCLONEDDS_URI (XML fragments and files, separated by commas) has interfaces."""
    for part in uri.split(","):
        path = Path(part.strip().removeprefix("file://"))
        text = path.read_text("utf-8") if "<" not in part and path.is_file() else part
        if "<NetworkInterface" in text:
            return True
    return False


class RawSample:
    """CDR bytes on their way through the Python layer of Cyclone DDS."""

    def __init__(self, cdr: bytes) -> None:
        self.cdr = cdr

    def serialize(self, use_version_2: bool | None = None) -> bytes:
        return self.cdr


@cache
def raw_type(ros_type: str, *, service: bool = False) -> type[RawSample]:
    """Topic type for `pkg/msg/Name` that takes and gives `RawSample`.

    `service` puts rmw_cyclonedds' request header (client id, sequence number) before the fields.
    """
    idl = _idl_struct(ros_type, service)

    class Raw(RawSample):
        __idl__ = idl.__idl__  # type: ignore[attr-defined]

    return Raw


@cache
def _idl_struct(ros_type: str, service: bool = False) -> type:
    package, kind, name = ros_type.split("/")
    fields: dict[str, Any] = {"client": types.uint64, "sequence": types.int64} if service else {}
    # The members of a request follow its header as they would without it.
    fields |= {field: _idl_type(desc) for field, desc in STORE.fielddefs[ros_type][1]}
    typename = f"{package}.{kind}.dds_.{name}_"
    return make_idl_struct(f"{name}_", typename, fields)


def _idl_type(desc: Any) -> Any:
    array: Any = types.array
    sequence: Any = types.sequence
    kind, inner = desc
    if kind == Nodetype.NAME:
        return _idl_struct(inner)
    if kind == Nodetype.BASE:
        return _IDL_BASES[inner[0]]
    sub, length = inner
    if kind == Nodetype.ARRAY:
        return array[_idl_type(sub), length]
    return sequence[_idl_type(sub), length] if length else sequence[_idl_type(sub)]


class Participant:
    """The process in a DDS domain; hands out readers and writers and keeps topics unique."""

    def __init__(self, domain_id: int) -> None:
        # Cyclone allows one domain object per id and process; the configuration is its argument.
        configuration = discovery_configuration()
        try:
            self.domain = Domain(domain_id, configuration)
            self.dds = DomainParticipant(domain_id, Qos(Policy.Userdata(b"enclave=/;")))
        except DDSException as error:
            raise RosArgumentError(
                f"Cyclone DDS does not start in domain {domain_id}: {error}; look at the network "
                f"and at CYCLONEDDS_URI, which is '{os.environ.get('CYCLONEDDS_URI', '')}'"
            ) from error
        self._topics: dict[str, Topic[Any]] = {}
        self._open = threading.Event()
        self._open.set()

    def reader(
        self, topic: str, sample: type[RawSample], qos: Qos, misfit: "Misfit | None" = None
    ) -> "Reader":
        dds = DataReader(self.dds, self._topic(topic, sample), qos, _listener(misfit))
        return Reader(dds, self._open)

    def writer(
        self, topic: str, sample: type[RawSample], qos: Qos, misfit: "Misfit | None" = None
    ) -> "Writer":
        topic_ = self._topic(topic, sample)
        return Writer(DataWriter(self.dds, topic_, qos, listener=_listener(misfit)), sample)

    def _topic(self, name: str, sample: type[RawSample]) -> Any:
        known = self._topics.get(name)
        if known is not None and known.data_type is sample:
            return known
        topic: Any = Topic(self.dds, name, sample)
        self._topics[name] = topic
        return topic

    def close(self) -> None:
        self._topics.clear()
        self._open.clear()
        _delete(self.dds)
        _delete(self.domain)


Misfit = Callable[[int, int], Any]
"""Called with the number of endpoints whose QoS does not fit, and the last one's policy."""


def _listener(misfit: Misfit | None) -> Listener | None:
    if misfit is None:
        return None

    def heard(_entity: Any, status: Any) -> None:
        misfit(status.total_count, status.last_policy_id)

    return Listener(on_requested_incompatible_qos=heard, on_offered_incompatible_qos=heard)


class Writer:
    """Writes CDR."""

    def __init__(self, dds: Any, sample: type[RawSample]) -> None:
        self.dds = dds
        self._sample = sample

    def write(self, cdr: bytes) -> None:
        self.dds.write(self._sample(cdr))

    def close(self) -> None:
        _delete(self.dds)

    @property
    def guid(self) -> bytes:
        return guid_bytes(self.dds)

    def matched(self) -> int:
        return len(self.dds.get_matched_subscriptions())

    def matched_participants(self) -> set[uuid.UUID]:
        """Participants that have a reader matched with this writer."""
        handles = self.dds.get_matched_subscriptions()
        return _participants(map(self.dds.get_matched_subscription_data, handles))


class Reader:
    """Takes CDR, one sample at a time."""

    def __init__(self, dds: Any, domain_open: threading.Event) -> None:
        self.dds = dds
        self.condition = ReadCondition(dds, ANY_STATE)
        self._domain_open = domain_open

    def take(self) -> Sample | None:
        """Oldest sample not yet taken; state changes without data are skipped."""
        return take(self.dds, ANY_STATE, self._domain_open)

    def close(self) -> None:
        _delete(self.condition)
        _delete(self.dds)

    @property
    def guid(self) -> bytes:
        return guid_bytes(self.dds)

    def matched(self) -> int:
        return len(self.dds.get_matched_publications())

    def matched_participants(self) -> set[uuid.UUID]:
        """Participants that have a writer matched with this reader."""
        handles = self.dds.get_matched_publications()
        return _participants(map(self.dds.get_matched_publication_data, handles))

    def participant_of(self, sample: Sample) -> uuid.UUID | None:
        """Participant that wrote a sample, while its writer is still there."""
        data = self.dds.get_matched_publication_data(sample.writer)
        return data.participant_key if data is not None else None


class ReaderWaitSet:
    """Waits until one of some readers has something to take, and says which do."""

    def __init__(self, participant: Participant, readers: Sequence[Reader]) -> None:
        self._waitset = WaitSet(participant.dds)
        for reader in readers:
            self._waitset.attach(reader.condition)
        # Cyclone answers with what was attached beside each condition: the address of a number.
        places = [place for _, place in self._waitset.attached]
        self._readers = {
            ctypes.addressof(place): reader for place, reader in zip(places, readers, strict=True)
        }
        self._triggered = (ctypes.c_void_p * max(len(readers), 1))()

    def wait(self, timeout_ns: int) -> set[Reader]:
        """The readers that have something; empty if none has within `timeout_ns`."""
        wait: Any = self._waitset._waitset_wait  # the public one tells only how many
        count = wait(self._waitset._ref, self._triggered, len(self._triggered), timeout_ns)
        if count < 0:
            raise DDSException(count, "waiting for messages")
        return {
            self._readers[address]
            for address in self._triggered[:count]
            if address in self._readers
        }


def guid_bytes(entity: Any) -> bytes:
    """RTPS GUID, 16 bytes in wire order."""
    return bytes(entity.guid.bytes)


def _participants(endpoints: Any) -> set[uuid.UUID]:
    return {endpoint.participant_key for endpoint in endpoints if endpoint is not None}


def _delete(entity: Any) -> None:
    """Delete a DDS entity now, not with its last reference (wait sets keep some)."""
    entity.__del__()
