# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The log of one run over a link, live or in virtual time, and the figures that come out of it.

    packets that left the drone      -> sent()
    packets that reached the ground  -> delivered()    SessionLog -> recent()   the last seconds
    the results of a frame           -> result()                  -> summary()  summary.json
    what the link can carry          -> capacity()
    when it passed a node's stages   -> passed()

Everything is logged with its time in seconds, so that the demo (wall clock) and `sc2 replay`
(virtual time) share it. A frame is known by its stream, its number and its stamp: a camera may
repeat its stamps, and numbers wrap.
"""

import math
from bisect import bisect_left
from dataclasses import asdict, dataclass, field
from itertools import pairwise

import numpy as np

from sc2_ros.codec.wire import (
    CaptureTimes,
    Header,
    Packet,
    PacketType,
    PredictedPacket,
    coded_bytes,
    parse,
)
from sc2_ros.errors import PacketError
from sc2_ros.evaluation.session.breakdown import STAGES, stage_times
from sc2_ros.link.on_air import on_air_bytes
from sc2_ros.link.rate import RATE_CODES

RATE_INDEX_S = 10.0
"""The end of the run, in which a rate control has found its rate."""
MOST_KNOWN = 1 << 15
"""Frames to which packets and results may still come: half of the numbers that there are."""


@dataclass
class FrameLog:
    """What is known of one frame; times are seconds on the log's clock, None = not yet.

    `sent` and `came` are the places in the frame of the packets at the two ends of the link.
    """

    stamp_ns: int
    sent_s: float
    number: tuple[int, int] | None = None
    """Stream, and number of the frame in it modulo 2**16; None while only its stamp is known."""
    size_bytes: int = 0
    sent: set[int] = field(default_factory=set)
    came: set[int] = field(default_factory=set)
    rate_code: int = 0
    result_s: float | None = None
    latency_ms: float | None = None
    objects: int = 0
    events: dict[str, float] = field(default_factory=dict)
    """When it passed the stages of the nodes, milliseconds after its capture."""

    @property
    def packets(self) -> int:
        """Packets that were sent."""
        return len(self.sent)

    @property
    def delivered(self) -> int:
        """How many of them came: once each, and none whose sending nobody heard."""
        return len(self.sent & self.came)


@dataclass(frozen=True)
class Recent:
    """The state of the stream over the last seconds; latencies are None before the first result."""

    fps: float
    bytes_per_frame: float
    sent_kbps: float
    capacity_kbps: float | None
    loss: float
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    objects: int
    rate_index: float | None
    stages_ms: dict[str, float]
    """Median of each stage; empty where the nodes do not tell."""


@dataclass(frozen=True)
class Latency:
    """Capture to result, milliseconds; None without a single result."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True)
class Summary:
    """What a run comes to; the keys of `summary.json`.

    `bytes_per_frame` and `sent_kbps` are of whole packets as sent, `payload_bytes_per_frame` of the
    entropy-coded bytes in them, `on_air_bytes_per_frame` with the headers of each transport
    (link/on_air.py), whichever carried them here. `capacity_kbps` is the mean over the run, None
    for a link without a limit; `loss` the share of the feature and repair packets that never came
    out of the link; `detections` the sum over all frames; `mean_ap50` and `miou` are None without
    ground truth; `processes` are those that took part, with their memory and the processor time
    that the run took of them; `checkpoint` is its name and id; `latency_breakdown_ms` is where the
    latency goes, empty where the nodes do not tell (see breakdown.py); `rate_index_mean` is that of
    the frames sent in the last RATE_INDEX_S seconds, None if there is none.
    """

    frames: int
    seconds: float
    fps: float
    bytes_per_frame: float
    sent_kbps: float
    capacity_kbps: float | None
    loss: float
    latency_ms: Latency
    detections: int
    mean_ap50: float | None
    miou: float | None
    middleware: str
    processes: list[dict[str, object]]
    checkpoint: str
    latency_breakdown_ms: dict[str, Latency]
    rate_index_mean: float | None
    payload_bytes_per_frame: float
    packets_per_frame: float
    on_air_bytes_per_frame: dict[str, float]

    def to_dict(self) -> dict[str, object]:
        """As it goes into JSON."""
        return asdict(self)


@dataclass
class SessionLog:
    """Collects the events of a run (see the top of this file). Not thread-safe."""

    frames: list[FrameLog] = field(default_factory=list)
    """In the order in which they were first heard of."""
    packets: list[tuple[float, int]] = field(default_factory=list)
    """(time sent, size in bytes), in order."""
    payload_bytes: int = 0
    """Entropy-coded bytes in all of them."""
    capacities: list[tuple[float, float]] = field(default_factory=list)
    """(time, bit/s); infinite where the link has no limit."""
    _times: CaptureTimes = field(default_factory=CaptureTimes)
    _known: dict[tuple[int, int, int], FrameLog] = field(default_factory=dict)
    """The newest MOST_KNOWN frames by stream, number and stamp."""
    _numbered: dict[tuple[int, int], FrameLog] = field(default_factory=dict)
    """The newest frame that was sent of each stream and number."""
    _stamped: dict[int, FrameLog] = field(default_factory=dict)
    """The newest frame of each stamp."""

    def overhear(self, packet: bytes) -> Header | None:
        """A packet of the drone that does not count; the times of later ones may build on it.

        Returns:
            Its header, if it is a features or repair packet whose capture time is known.
        """
        return self._resolve(_features(packet))

    def _resolve(self, parsed: Packet | PredictedPacket | None) -> Header | None:
        return None if parsed is None else self._times.resolve(parsed)

    def sent(self, packet: bytes, time_s: float) -> None:
        """The drone put a packet on the link."""
        self.packets.append((time_s, len(packet)))
        parsed = _features(packet)
        self.payload_bytes += 0 if parsed is None else coded_bytes(parsed)
        header = self._resolve(parsed)
        if header is None:
            return
        number = header.stream, header.frame
        frame = self._numbered[number] = self._frame(header.capture_time_ns, number, time_s)
        frame.size_bytes += len(packet)
        frame.sent.add(header.number)
        frame.rate_code = header.rate_code

    def delivered(self, packet: bytes) -> None:
        """The link gave a packet to the ground; one sent before the log began is ignored."""
        parsed = _features(packet)
        if parsed is None:
            return
        header = parsed.header
        if isinstance(header, Header):
            frame = self._known.get((header.stream, header.frame, header.capture_time_ns))
        else:  # its reference may have been lost, but its frame was sent
            frame = self._numbered.get((header.stream, header.frame))
        if frame is not None:
            frame.came.add(header.number)

    def result(
        self,
        stamp_ns: int,
        time_s: float,
        latency_ms: float | None,
        objects: int,
        number: tuple[int, int] | None = None,
    ) -> None:
        """The ground is done with a frame.

        Args:
            stamp_ns: of the camera's image.
            time_s: when, on the log's clock.
            latency_ms: since its capture; None where that is not known.
            objects: how many were found in it.
            number: its stream, and its number modulo 2**16; None: the newest frame of that stamp.
        """
        frame = self._frame(stamp_ns, number, time_s)
        frame.result_s, frame.latency_ms, frame.objects = time_s, latency_ms, objects

    def passed(self, stamp_ns: int, events: dict[str, float]) -> None:
        """A node says when a frame passed its stages; frames that nobody sent do not count."""
        if stamp_ns in self._stamped:
            self._stamped[stamp_ns].events |= events

    def capacity(self, bits_per_s: float, time_s: float) -> None:
        """What the link could carry at that time."""
        self.capacities.append((time_s, bits_per_s))

    def finished(self) -> list[FrameLog]:
        """Frames that have a result, in the order of their stamps."""
        done = (frame for frame in self.frames if frame.result_s is not None)
        return sorted(done, key=lambda frame: frame.stamp_ns)

    def sent_kbps(self, start_s: float, end_s: float) -> float:
        """Mean rate on the wire between two times, kbit/s."""
        first = bisect_left(self.packets, (start_s, 0))
        last = bisect_left(self.packets, (end_s, 0))
        size_bytes = sum(size for _, size in self.packets[first:last])
        return size_bytes * 8e-3 / max(end_s - start_s, 1e-9)

    def capacity_at(self, time_s: float) -> float | None:
        """Capacity at a time, kbit/s; None if unknown or without a limit."""
        number = bisect_left(self.capacities, (time_s, math.inf))
        if not self.capacities:
            return None
        value = self.capacities[max(number - 1, 0)][1] / 1000
        return value if math.isfinite(value) else None

    def recent(self, now_s: float, window_s: float = 2.0) -> Recent:
        """The state of the stream over the `window_s` before `now_s`, which may be in the past."""
        start_s = now_s - window_s
        done = [
            f for f in self._sent_between(start_s - window_s, now_s)
            if f.result_s is not None and start_s < f.result_s <= now_s
        ]  # fmt: skip
        sent = [f for f in self._sent_between(start_s, now_s) if f.packets]
        # What was sent a moment ago may still be on its way.
        settled = self._sent_between(start_s - 1, now_s - 1)
        latency = percentiles([f.latency_ms for f in done if f.latency_ms is not None])
        return Recent(
            fps=len(done) / window_s,
            bytes_per_frame=sum(f.size_bytes for f in sent) / max(len(sent), 1),
            sent_kbps=self.sent_kbps(start_s, now_s),
            capacity_kbps=self.capacity_at(now_s),
            loss=_loss(settled),
            latency_p50_ms=latency.p50,
            latency_p95_ms=latency.p95,
            objects=done[-1].objects if done else 0,
            rate_index=float(np.mean([f.rate_code for f in sent])) / RATE_CODES if sent else None,
            stages_ms={stage: spent.p50 or 0.0 for stage, spent in breakdown(done).items()},
        )

    def _sent_between(self, start_s: float, end_s: float) -> list[FrameLog]:
        first = bisect_left(self.frames, start_s, key=lambda frame: frame.sent_s)
        last = bisect_left(self.frames, end_s, key=lambda frame: frame.sent_s)
        return self.frames[first:last]

    def _frame(self, stamp_ns: int, number: tuple[int, int] | None, time_s: float) -> FrameLog:
        """What a packet or a result belongs to, begun at `time_s` if nothing was heard of it."""
        newest = self._stamped.get(stamp_ns)
        if number is None:
            return newest or self._begin(stamp_ns, time_s)
        key = (*number, stamp_ns)
        if key not in self._known:
            # A result without a number may have been heard before the packets.
            unnumbered = newest if newest is not None and newest.number is None else None
            frame = self._known[key] = unnumbered or self._begin(stamp_ns, time_s)
            frame.number = number
            if len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return self._known[key]

    def _begin(self, stamp_ns: int, time_s: float) -> FrameLog:
        frame = self._stamped[stamp_ns] = FrameLog(stamp_ns, time_s)
        self.frames.append(frame)
        return frame

    def summary(
        self,
        *,
        seconds: float,
        mean_ap50: float | None,
        miou: float | None,
        middleware: str,
        processes: list[dict[str, object]],
        checkpoint: str,
    ) -> Summary:
        """The figures of the whole run, which lasted `seconds`."""
        done = self.finished()
        sent_frames = [frame for frame in self.frames if frame.packets]
        size_bytes = sum(size for _, size in self.packets)
        latency = percentiles([f.latency_ms for f in done if f.latency_ms is not None])
        seconds = max(seconds, 1e-9)
        frames = max(len(sent_frames), 1)
        return Summary(
            frames=len(done),
            seconds=round(seconds, 3),
            fps=round(len(done) / seconds, 2),
            bytes_per_frame=round(size_bytes / frames, 1),
            sent_kbps=round(size_bytes * 8e-3 / seconds, 1),
            capacity_kbps=self._mean_capacity_kbps(),
            loss=round(_loss(self.frames), 4),
            latency_ms=latency,
            detections=sum(frame.objects for frame in done),
            mean_ap50=None if mean_ap50 is None else round(mean_ap50, 4),
            miou=None if miou is None else round(miou, 4),
            middleware=middleware,
            processes=processes,
            checkpoint=checkpoint,
            latency_breakdown_ms=breakdown(self.finished()),
            rate_index_mean=self._rate_index_mean(),
            payload_bytes_per_frame=round(self.payload_bytes / frames, 1),
            packets_per_frame=round(len(self.packets) / frames, 2),
            on_air_bytes_per_frame=on_air_bytes(size_bytes / frames, len(self.packets) / frames),
        )

    def _rate_index_mean(self) -> float | None:
        sent = [frame for frame in self.frames if frame.packets]
        if not sent:
            return None
        end_s = max(frame.sent_s for frame in sent)
        codes = [f.rate_code for f in sent if f.sent_s > end_s - RATE_INDEX_S]
        return round(float(np.mean(codes)) / RATE_CODES, 3)

    def _mean_capacity_kbps(self) -> float | None:
        """Mean over time: a sample holds until the next one."""
        values = np.array([value for _, value in self.capacities])
        if not len(values) or not np.isfinite(values).all():
            return None
        spans = [later[0] - earlier[0] for earlier, later in pairwise(self.capacities)]
        if sum(spans) <= 0:
            return round(float(values.mean()) / 1000, 1)
        return round(float(np.average(values[:-1], weights=spans)) / 1000, 1)


def percentiles(values: list[float]) -> Latency:
    """Median and 95th percentile, rounded to 0.1 ms."""
    if not values:
        return Latency(None, None)
    p50, p95 = np.percentile(values, [50, 95])
    return Latency(round(float(p50), 1), round(float(p95), 1))


def breakdown(frames: list[FrameLog]) -> dict[str, Latency]:
    """The stages of those frames of which all are known."""
    spent: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for frame in frames:
        if frame.latency_ms is None:
            continue
        times = stage_times({**frame.events, "result": frame.latency_ms})
        for stage, ms in (times or {}).items():
            spent[stage].append(ms)
    return {stage: percentiles(values) for stage, values in spent.items() if values}


def _loss(frames: list[FrameLog]) -> float:
    """Share of the packets of these frames that did not come."""
    packets = sum(frame.packets for frame in frames)
    return 1 - sum(frame.delivered for frame in frames) / packets if packets else 0.0


def _features(packet: bytes) -> Packet | PredictedPacket | None:
    """A features or repair packet; None for any other."""
    try:
        parsed = parse(packet)
    except PacketError:
        return None
    return parsed if parsed.header.type in (PacketType.FEATURES, PacketType.REPAIR) else None
