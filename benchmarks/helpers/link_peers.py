# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What our rate control is measured against: aiortc's GCC, and JPEG over our own controller."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from sc2_ros.codec.wire import HEADER_BYTES, MAX_PACKET_BYTES
from sc2_ros.errors import ParameterError
from sc2_ros.link.control.law import LAW
from sc2_ros.link.feedback import Feedback
from sc2_ros.link.rate import RATE_CODES, RateDecision
from sc2_ros.link.sequence import wrapped_difference
from sc2_ros.link.sim.content import Content, Curve
from sc2_ros.link.sim.simulator import FrameRecord

_REMEMBERED_FRAMES = 2048
_CLOCK_MASK = 0xFFFFFF
"""abs-send-time has 24 bits, 18 of them below the second (RTP header extension of that name)."""
_MAX_GAP_S = 1.0
_WHOLE_SLICES = 16

JPEG_ROWS = (
    (5534, 0.862), (7186, 0.966), (8799, 0.966), (10370, 0.999),
    (16158, 0.999), (21743, 0.999), (28887, 0.999), (44162, 1.0),
)  # fmt: skip
"""Bytes of 640x512 at qualities 5 to 88, and mean AP50 as a share of that of uncompressed images,
not falling: HIT-UAV val, benchmarks/results/rate_distortion_hituav.json."""


class GccRate:
    """Google Congestion Control as aiortc has it, driven by our feedback; a benchmark's peer.

    aiortc's estimator sits at the receiver and sees each packet. Here it is given, for each frame
    that a feedback tells of, the arrival of its last packet and the bytes that came, which is what
    GCC makes of packets anyway: it groups those sent within 5 ms.
    """

    def __init__(self, max_kbps: float) -> None:
        """Raises ``ParameterError`` where aiortc is not installed."""
        try:
            from aiortc.rate import RemoteBitrateEstimator
        except ImportError as error:
            raise ParameterError(
                "the controller aiortc needs the package of that name: pip install 'sc2_ros"
                "[benchmarks]'"
            ) from error
        self._estimator = RemoteBitrateEstimator()
        self._max_bps = max_kbps * 1e3
        self.target_bps = min(LAW.start_bps, self._max_bps)
        self._sent: dict[int, dict[int, tuple[float, int]]] = {}
        self._told: dict[int, int] = {}
        self._arrival_s, self._arrival_us = 0.0, 0
        self._last_s: float | None = None
        self._credit_bytes = 0.0

    def allowance(self, now_s: float) -> RateDecision:
        """The bytes that the target yields since the frame before."""
        gap_s = 1 / 30 if self._last_s is None else min(now_s - self._last_s, _MAX_GAP_S)
        self._last_s = now_s
        self._credit_bytes += self.target_bps * gap_s / 8
        return RateDecision(max(0, math.floor(self._credit_bytes + 1e-3)), None)

    def on_sent(self, size_bytes: int, now_s: float) -> None:
        """What a frame leaves unused is not carried over."""
        self._credit_bytes = min(self._credit_bytes - size_bytes, 0.0)

    def on_packet(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """Remember when it left."""
        self._sent.setdefault(frame, {})[slice_number] = (now_s, size_bytes)
        while len(self._sent) > _REMEMBERED_FRAMES:
            del self._sent[next(iter(self._sent))]

    def on_feedback(self, feedback: Feedback, now_s: float) -> None:
        """Give the estimator the frames that have news, in order of arrival."""
        elapsed_us = wrapped_difference(feedback.arrival_us, self._arrival_us, bits=32)
        self._arrival_s, self._arrival_us = self._arrival_s + elapsed_us / 1e6, feedback.arrival_us
        for report in reversed(feedback.frames):
            sent = self._sent.get(report.frame, {})
            came = [
                number
                for number in sorted(sent)
                if number >= _WHOLE_SLICES or report.bitmap >> number & 1
            ][: report.received]
            new_bytes = sum(sent[number][1] for number in came[self._told.get(report.frame, 0) :])
            if not new_bytes:
                continue
            self._told[report.frame] = len(came)
            while len(self._told) > _REMEMBERED_FRAMES:
                del self._told[next(iter(self._told))]
            self._add(self._arrival_s - report.age_s, sent[came[-1]][0], new_bytes)

    def _add(self, arrival_s: float, sent_s: float, size_bytes: int) -> None:
        found = self._estimator.add(
            arrival_time_ms=round(arrival_s * 1e3),
            abs_send_time=round(sent_s * (1 << 18)) & _CLOCK_MASK,
            payload_size=size_bytes,
            ssrc=1,
        )
        if found is not None:
            self.target_bps = min(float(found[0]), self._max_bps)


class JpegContent(Content):
    """JPEG frames: code 0 is quality 5, code 64 quality 88; one with a packet missing is lost."""

    def price(self, frame: int, code: int) -> int:
        """Bytes of a frame at a code, headers of the packets included."""
        place = code / RATE_CODES * (len(JPEG_ROWS) - 1)
        row = min(int(place), len(JPEG_ROWS) - 2)
        small, large = JPEG_ROWS[row][0], JPEG_ROWS[row + 1][0]
        size_bytes = small * (large / small) ** (place - row)
        # Frames vary as ours do.
        size_bytes *= self.change(frame)
        return round(float(size_bytes) * MAX_PACKET_BYTES / (MAX_PACKET_BYTES - HEADER_BYTES))

    def points(self) -> Curve:
        """The value curve as measured."""
        step = RATE_CODES / (len(JPEG_ROWS) - 1)
        return tuple((round(row * step), *point) for row, point in enumerate(JPEG_ROWS))

    def highest_code(self, frame: int, budget_bytes: float, low: int, high: int) -> int | None:
        """The best quality that fits; ``None`` if ``low`` does not."""
        fitting = [code for code in range(low, high + 1) if self.price(frame, code) <= budget_bytes]
        return max(fitting, default=None)

    def value(self, size_bytes: float) -> float:
        """Accuracy of the same network on the decoded image, as a share of the uncompressed one."""
        sizes = [math.log(row[0]) for row in JPEG_ROWS]
        return float(np.interp(math.log(size_bytes), sizes, [row[1] for row in JPEG_ROWS]))

    def value_of(self, frames: Iterable[FrameRecord]) -> float:
        """Summed value of the frames shown: only whole ones count."""
        return sum(self.value(frame.size_bytes) for frame in frames if frame.share == 1)
