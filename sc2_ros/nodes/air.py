# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The radio as a node's own UDP socket, or as topics with sealed datagrams.

    onboard: packets, camera_info --> Channel.FEATURES --> ground
    onboard <-- Channel.FEEDBACK <----------------- reports: ground

docs/air.md has the recipes, docs/security.md what a key protects.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping

from sc2_ros.errors import AirAddressError, PacketError
from sc2_ros.link.air.arrival import PeerState
from sc2_ros.link.air.endpoint import AirConfig, Delivery, Endpoint
from sc2_ros.link.air.peer import KEEP_ALIVE_S
from sc2_ros.link.air.wire import Channel, Role
from sc2_ros.media.camera_info import CALIBRATION, MOST_COEFFICIENTS
from sc2_ros.nodes.diagnostics import Counter, Level, Status
from sc2_ros.nodes.parameter_row import Value, parse_names
from sc2_ros.nodes.topic_air import TopicEndpoint
from sc2_ros.runtime.ros import CameraInfo
from sc2_ros.runtime.serialization import message_of, type_and_cdr

CAPABLE, CONGESTED = 2, 3
"""ECN fields of the IP header (RFC 3168, section 5): ECT(0), which what we send has, and CE."""
REPEAT_S = 8.0
"""The calibration is sent again so often: nothing acknowledges it, and a station may have joined.
"""
MOST_CDR_BYTES = 4096
SILENT_S = KEEP_ALIVE_S + 5.0
"""An end that is there has answered the last keep-alive by then."""


def air_configs(values: Mapping[str, Value], ends: int) -> list[AirConfig]:
    """The sockets that the parameters ask for: one, or one for each of a ground node's drones.

    Raises:
        AirAddressError: there are not as many addresses or keys as drones.
    """
    local = parse_names(str(values["air.local"]))
    remotes = parse_names(str(values["air.remote"]))
    standby = parse_names(str(values.get("air.standby", "")))
    if values["transport"] == "topic":  # which has no addresses
        local, remotes, standby = ("",) * ends, (), ()
    keys = parse_names(str(values["air.key_file"]))
    if len(local) != ends:
        raise AirAddressError(
            f"air.local has {len(local)} addresses; give one, or one for each of several drones, "
            "in their order, comma-separated"
        )
    if len(keys) not in (0, 1, ends):
        raise AirAddressError(f"air.key_file has {len(keys)} files; give one, or one per drone")
    if ends > 1 and len(remotes) not in (0, ends):
        raise AirAddressError(
            f"air.remote has {len(remotes)} addresses; give none, or one for each drone"
        )
    return [
        AirConfig(
            local=local[number],
            remotes=remotes if ends == 1 else remotes[number : number + 1],
            standby=standby,
            key_file=keys[min(number, len(keys) - 1)] if keys else "",
            cipher=str(values["air.cipher"]),
            fixed=bool(values["air.fixed"]),
            interface=str(values["air.interface"]),
            dscp=int(values["air.dscp"]),
            ecn=CAPABLE,
        )
        for number in range(ends)
    ]


class NodeLink:
    """One end of the radio, for a node: a socket, or topics with sealed datagrams.

    Args:
        config: the socket's.
        role: which end.
        deliver: takes (packet, arrival by `time.monotonic`) in the link's thread; must only
            queue it.
        publish: takes a datagram, where the radio is a topic; what comes goes to `receive`.
    """

    def __init__(
        self,
        config: AirConfig,
        role: Role,
        deliver: Callable[[bytes, float], None],
        publish: Callable[[bytes], None] | None = None,
    ) -> None:
        self._config, self._deliver = config, deliver
        self._channel = Channel.FEATURES if role is Role.ONBOARD else Channel.FEEDBACK
        self._endpoint: Endpoint | TopicEndpoint
        if publish is None:
            self._endpoint = Endpoint(config, role, self._take)
        else:
            self._endpoint = TopicEndpoint(config, role, self._take, publish)
        self._calibration: bytes | None = None
        self._calibrated_s = -math.inf
        self._known: frozenset[int] = frozenset()
        self._counters = {name: Counter() for name in ("sent", "received")}
        self.marked = 0
        """Datagrams that came with the mark of a congested link (ECN)."""
        self.start, self.stop, self.check = (
            self._endpoint.start, self._endpoint.stop, self._endpoint.check,
        )  # fmt: skip

    @property
    def overhead_bytes(self) -> int:
        """Bytes on air of each packet beyond its own, without those of the radio itself."""
        return self._endpoint.overhead_bytes

    def send(self, packet: bytes) -> None:
        """Send to all other ends, at once."""
        self._endpoint.send(self._channel, packet)

    def receive(self, datagram: bytes, now_s: float) -> None:
        """A message of the topic has come."""
        if isinstance(self._endpoint, TopicEndpoint):
            self._endpoint.receive(datagram, now_s)

    def calibrate(self, message: CameraInfo) -> None:
        """Send a camera_info, and again from time to time."""
        _, cdr = type_and_cdr(message)
        self._calibration = CALIBRATION + zlib.compress(cdr, 9)
        self._calibrated_s = -math.inf

    @staticmethod
    def is_calibration(packet: bytes) -> bool:
        """Whether what came is a camera_info and no packet."""
        return packet[:1] == CALIBRATION

    def turn(self, now_s: float) -> None:
        """Repeat the calibration where it is due; to be called some times a second."""
        peers = frozenset(peer.number for peer in self._endpoint.status().peers if peer.used)
        joined, self._known = peers - self._known, peers
        due = joined or not 0 <= now_s - self._calibrated_s < REPEAT_S
        if self._calibration is not None and due:  # nobody answers on a radio of one direction
            self._calibrated_s = now_s
            self.send(self._calibration)

    def status(self, now_s: float) -> Status:
        """Its line for /diagnostics."""
        found = self._endpoint.status()
        peers = [peer for peer in found.peers if peer.used]
        values = {
            "local": ":".join(map(str, found.local[:2])),
            "peers": _addresses(found.peers, True),
            "standing_by": _addresses(found.peers, False),
            "key": found.key or "none: whoever can send to the port is believed",
            "on_air_sent_kbps": f"{self._rate('sent', found.sent_bytes, now_s):.1f}",
            "on_air_received_kbps": f"{self._rate('received', found.received_bytes, now_s):.1f}",
            "overhead_bytes_per_packet": str(self.overhead_bytes),
            "congestion_marks": str(self.marked),
            **{name: str(count) for name, count in found.counts.as_dict().items()},
            **{f"send error {name}": str(n) for name, n in found.send_errors.items()},
        }
        silent_s = min((now_s - peer.heard_s for peer in peers), default=0.0)
        if silent_s > SILENT_S:
            why = f"the other end has been silent for {silent_s:.0f} s: does it run, and in range?"
            return Status("air", Level.WARN, why, values)
        if peers and found.place:
            why = "a station of air.standby serves: none of air.remote answers for long enough"
            return Status("air", Level.WARN, why, values)
        if peers:
            there = sum(now_s - peer.heard_s <= SILENT_S for peer in peers)
            return Status("air", Level.OK, f"{there} at the other end", values)
        if found.counts.other_cipher:
            why = "the other side has another air.cipher"
        elif found.counts.unknown or found.counts.forged:
            why = "datagrams come that this key does not open: compare `sc2 key id` on both sides"
        else:
            why = "is the other side running, and its address and port, or its topic, right?"
        return Status("air", Level.WARN, f"nobody answers: {why}", values)

    def _rate(self, name: str, total_bytes: int, now_s: float) -> float:
        return self._counters[name].rate(total_bytes, now_s) * 8 / 1e3

    def _take(self, delivery: Delivery) -> None:
        self.marked += delivery.ecn == CONGESTED
        self._deliver(delivery.payload, delivery.arrival_s)


def _addresses(peers: list[PeerState], used: bool) -> str:
    return ", ".join(":".join(map(str, one.address[:2])) for one in peers if one.used is used)


def read_calibration(packet: bytes) -> CameraInfo:
    """The camera_info that came.

    Raises:
        PacketError: it is none.
    """
    inflate = zlib.decompressobj()
    try:
        cdr = inflate.decompress(packet[1:], MOST_CDR_BYTES)
        message = message_of(cdr, CameraInfo)
        if not inflate.eof or len(message.d) > MOST_COEFFICIENTS:
            raise PacketError("a camera_info that is too long")
    except Exception as error:  # whatever the bytes make of a message's reader
        raise PacketError(f"not a camera_info: {error}") from error
    return message
