# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drone and a ground station in simulated time, and a stranger who puts packets between them."""

import heapq
import itertools
import struct
from dataclasses import replace
from functools import cache

from flown import sealed
from predicting import shipped

from sc2_ros.codec import wire
from sc2_ros.codec.wire.predicted import varint, zigzag
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.link.feedback import build_feedback, parse_feedback
from sc2_ros.media.flight import SyntheticFlight
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

SIZES = [0, 1, 16, 96, 128, 1200, 4096, 8192, 65_535]
STEPS = [-70, -33, -2, -1, 1, 2, 31, 32, 33, 300, 32_767, 32_768]
FORMS = {0x10: (6, 12, 24), 0x14: (2, 8, 9)}
"""By first byte: where a packet has its frame number, its capture time and its payload."""
TIMES_NS = [0, -1, 1, 2**63 - 1, -(2**63), 10**18]


EPOCH_NS = 1_700_000_000_000_000_000
STEP_S = 0.01


@cache
def images():
    flight = SyntheticFlight(0, width=128, height=96)
    return [flight.frame(3 * number).image for number in range(6)]


class Flight:
    """Both pipelines at 10 frames a second over a link of 20 ms; nothing is lost by itself.

    `results` are (time, frame's stamp, frame_id, source size) of frames as they would be shown.
    """

    def __init__(self, mode="auto", fps=10, delay_s=0.02):
        self.onboard = OnboardPipeline(shipped(), OnboardConfig(rate_mode=mode, rate_index=0.2))
        self.ground = GroundPipeline(shipped(), GroundConfig())
        self.now_s = 100.0
        self.down, self.up = [], []
        """Genuine packets and reports so far."""
        self.sent = {}
        """Bytes of each frame that was sent, by time."""
        self.stamps = set()
        self.results = []
        self._frame_s, self._fps, self._delay_s = self.now_s, fps, delay_s
        self._count = 0
        self._under_way = []
        self._order = itertools.count()

    def fly(self, seconds):
        """Let time pass."""
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            self.now_s += STEP_S
            if self.now_s >= self._frame_s - 1e-9:
                self._frame_s += 1 / self._fps
                self._take_picture()
            self._deliver()
            self._show(self.ground.expire(self.now_s))
            for report in self.ground.feedback(self.now_s):
                self.up.append(report)
                self._send(self.onboard.on_feedback, report)

    def to_ground(self, packet):
        """A stranger's packet arrives at the ground now."""
        self._show(self.ground.accept(packet, self.now_s))

    def to_drone(self, packet):
        """A stranger's packet arrives at the drone now."""
        self.onboard.on_feedback(packet, self.now_s)

    def longest_gap_s(self, since_s):
        """The longest time without a genuine result since then, the time until now included."""
        times = [time_s for time_s, stamp, *_ in self.results if stamp in self.stamps]
        times = [since_s, *(time_s for time_s in times if time_s >= since_s), self.now_s]
        return max(later - sooner for sooner, later in itertools.pairwise(times))

    def newest(self, kind=wire.PacketType.FEATURES, complete=True):
        """The last genuine packet of that type, parsed."""
        form = wire.Packet if complete else wire.PredictedPacket
        for packet in reversed(self.down):
            parsed = wire.parse(packet)
            if parsed.header.type is kind and isinstance(parsed, form):
                return parsed
        raise LookupError(kind)

    def report(self):
        """The last genuine report: its header and what it says."""
        packet = wire.parse(self.up[-1])
        return packet.header, parse_feedback(packet.payload)

    def bytes_per_frame(self, since_s):
        """Mean of the frames that were sent since then."""
        sizes = [size for time_s, size in self.sent.items() if time_s >= since_s]
        return sum(sizes) / max(len(sizes), 1)

    def _take_picture(self):
        self._count += 1
        stamp_ns = EPOCH_NS + round(self.now_s * 1e9)
        image = images()[self._count % len(images())]
        packets = self.onboard.process(CameraFrame(image, stamp_ns, "cam"), self.now_s)
        if packets:
            self.stamps.add(stamp_ns)
            self.sent[self.now_s] = sum(map(len, packets))
        for packet in packets:
            self.down.append(packet)
            self.onboard.on_sent(packet, self.now_s)
            self._send(self._arrive, packet)

    def _arrive(self, packet, now_s):
        self._show(self.ground.accept(packet, now_s))

    def _send(self, call, packet):
        item = (self.now_s + self._delay_s, next(self._order), call, packet)
        heapq.heappush(self._under_way, item)

    def _deliver(self):
        while self._under_way and self._under_way[0][0] <= self.now_s + 1e-9:
            when_s, _, call, packet = heapq.heappop(self._under_way)
            call(packet, when_s)

    def _show(self, ready):
        for one in ready:
            frame = one.frame
            one.stream.enter_shown(frame, one.log)
            self.results.append(
                (self.now_s, frame.header.capture_time_ns, one.stream.frame_id, frame.source_size)
            )


def features(flight, ahead, **changes):
    """A genuine slice that decodes by itself, as one of a frame ahead of the newest."""
    packet = flight.newest()
    payload = changes.pop("payload", packet.payload)
    number = wire.parse(flight.down[-1]).header.frame
    changes.setdefault("capture_time_ns", EPOCH_NS + round(flight.now_s * 1e9))
    header = replace(packet.header, frame=(number + ahead) & 0xFFFF, **changes)
    return wire.build(header, payload)


def report(flight, **changes):
    """The last report with other numbers; ahead: of its own number."""
    header, message = flight.report()
    number = changes.pop("ahead", 1)
    changes["number"] = (message.number + number) & 0xFFFF
    return wire.build(header, build_feedback(replace(message, **changes)))


def forge(packet, rng):
    """The packet with one to three lies in it."""
    data = bytearray(packet)
    for _ in range(rng.randint(1, 3)):
        lie = rng.randint(0, 6)
        # A lie in the first byte makes another form of it.
        frame_at, time_at, head_at = FORMS.get(data[0], FORMS[0x10])
        if lie == 0:  # any bit
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif lie == 1:  # slice and grid, or how far back the reference is
            data[frame_at + 2 : frame_at + 4] = rng.randbytes(2)
        elif lie == 2:  # frame number
            (number,) = struct.unpack_from("<H", data, frame_at)
            struct.pack_into("<H", data, frame_at, (number + rng.choice(STEPS)) & 0xFFFF)
        elif lie == 3:  # capture time
            told = struct.pack("<q", rng.choice(TIMES_NS))
            if data[0] == 0x14:
                told = varint(zigzag(rng.choice(TIMES_NS)))
            data[time_at : time_at + len(told)] = told
        elif lie == 4 and len(data) >= head_at + 8:  # sizes, or origin and motion
            struct.pack_into(
                "<HH", data, head_at + rng.choice([0, 4]), rng.choice(SIZES), rng.choice(SIZES)
            )
        elif lie == 5:  # length
            data = data[: rng.randint(min(head_at, len(data)), len(data))]
        else:  # coded symbols
            at = rng.randint(min(head_at, len(data)), len(data))
            data[at:] = rng.randbytes(len(data[at:]))
    return sealed(data)


def forge_report(packet, rng):
    """The report with one to three fields of a stranger's choice."""
    parsed = wire.parse(packet)
    message = parse_feedback(parsed.payload)
    ranges = {
        "session": 16, "number": 16, "newest_frame": 16, "newest_slice": 8, "arrival_us": 32,
        "packets": 32, "size_bytes": 32, "frames_decoded": 16, "station": 16,
    }  # fmt: skip
    changes = {}
    for name in rng.sample(sorted(ranges), rng.randint(1, 3)):
        bits, value = ranges[name], getattr(message, name)
        near = (value + rng.choice(STEPS)) % (1 << bits)
        changes[name] = rng.choice([near, near, rng.randrange(1 << bits), 0, (1 << bits) - 1])
    if "newest_frame" in changes:
        changes["frames"] = ()
    if rng.random() < 0.3:
        changes["held"] = frozenset()
    if rng.random() < 0.3:
        changes["hold_s"] = rng.choice([0.0, 0.02, 1.0, 4000.0])
    if rng.random() < 0.3:
        changes["knows_frame_id"] = rng.random() < 0.5
    return wire.build(parsed.header, build_feedback(replace(message, **changes)))
