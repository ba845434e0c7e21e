# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the onboard node tells of itself: lines for /diagnostics and numbers for plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sc2_ros.link.control.auto import RateState
from sc2_ros.link.on_air import HEADERS
from sc2_ros.media.messages import to_time
from sc2_ros.nodes.departures import Departure
from sc2_ros.nodes.diagnostics import (
    Counter,
    Level,
    Silence,
    Status,
    camera_status,
    encoder_status,
    to_message,
    uplink_status,
)
from sc2_ros.nodes.parameter_row import Value, parse_names
from sc2_ros.nodes.stages import after_capture
from sc2_ros.onboard.pipeline import OnboardStats
from sc2_ros.runtime.ros import DiagnosticArray

NUMBERS = ("target_bps", "sent_bps", "rate_index", "queue_delay_s", "loss", "rtt_s")
"""Topics below the node's name, for rqt_plot, PlotJuggler and Foxglove."""
COUNTED = (
    "images",
    "unreadable",
    "sent",
    "payload",
    "bytes",
    "on_air",
    "decoded",
    "bad_feedback",
    "sent_bytes",
)


class OnboardReport:
    """The counters of one activation.

    Args:
        topic: where images come from.
    """

    def __init__(self, topic: str) -> None:
        self.camera, self.feedback = Silence(), Silence()
        self.images = 0
        self._topic = topic
        self._unreadable = 0
        self._why = ""
        self._since_s: float | None = None
        self._counters = {name: Counter() for name in COUNTED}

    def skip(self, why: str) -> None:
        """An image could not be read."""
        self._unreadable += 1
        self._why = why

    def numbers(
        self, stats: OnboardStats, state: RateState | None, now_s: float
    ) -> dict[str, float | None]:
        """The values of NUMBERS; None where one is not known."""
        sent = self._counters["sent_bytes"].rate(stats.bytes_sent, now_s)
        return {
            "target_bps": state.target_bps if state else None,
            "sent_bps": sent * 8,
            "rate_index": stats.rate_index,
            "queue_delay_s": state.queue_delay_s if state else None,
            "loss": stats.loss,
            "rtt_s": stats.rtt_s,
        }

    def statuses(
        self,
        stats: OnboardStats,
        settings: Mapping[str, Value],
        publishers: int,
        now_s: float,
        stages: Mapping[str, object],
        mismatch: str = "",
    ) -> list[Status]:
        """Its lines for /diagnostics.

        Args:
            stats: the pipeline's counters.
            settings: the node's parameters.
            publishers: how many the camera's topic has.
            now_s: the time, in seconds.
            stages: what `StageTimes.values` says.
            mismatch: what is known of a camera whose QoS does not fit; empty if there is none.
        """
        window_s = self.camera.window_s
        if settings["frame.max_fps"]:
            window_s = max(window_s, 2.0 / float(settings["frame.max_fps"]))
        rate = self._rates(stats, on_air_sent(stats, settings), now_s, window_s)
        self._since_s = now_s if self._since_s is None else self._since_s
        settled = now_s - self._since_s >= window_s  # before, none may have come of one image
        camera = camera_status(
            self.camera.seconds(now_s),
            rate["images"],
            rate["unreadable"],
            self._topic,
            self._why,
            publishers,
            self.camera.limit_s,
            mismatch,
        )
        encoder = encoder_status(
            settled * (rate["images"] - rate["unreadable"]),
            rate["sent"],
            rate["bytes"] * 8 / 1e3,
            limits(settings),
            stats.stage_ms,
        )
        uplink = uplink_status(
            self.feedback.seconds(now_s),
            stats.loss,
            stats.rtt_s,
            settled * rate["sent"],
            rate["decoded"],
            rate["bad_feedback"],
            self.feedback.limit_s,
        )
        if stats.shown_fps is not None:
            stages = {**stages, "ground_shows_per_s": f"{stats.shown_fps:.1f}"}
        sizes = {
            "payload_kbps": f"{rate['payload'] * 8 / 1e3:.1f}",
            "packets_kbps": f"{rate['bytes'] * 8 / 1e3:.1f}",
            "on_air_kbps": f"{rate['on_air'] * 8 / 1e3:.1f}",
        }
        encoder = replace(encoder, values={**encoder.values, **sizes, **stages})
        return [camera, encoder, uplink]

    def _rates(
        self, stats: OnboardStats, on_air: int, now_s: float, window_s: float
    ) -> dict[str, float]:
        counts = {
            "images": self.images,
            "unreadable": self._unreadable,
            "sent": stats.frames_sent,
            "payload": stats.payload_bytes_sent,
            "bytes": stats.bytes_sent,
            "on_air": on_air,
            "decoded": stats.frames_decoded,
            "bad_feedback": stats.bad_feedback,
        }
        return {
            name: self._counters[name].rate(count, now_s, window_s)
            for name, count in counts.items()
        }


def departure_message(departure: Departure, stream: int, node_name: str) -> DiagnosticArray:
    """What left the drone of a frame, and when; the keys are listed in docs/parameters.md."""
    values = {
        "stream": stream,
        "frame": departure.frame,
        "rate_index": f"{departure.rate_index:.4f}",
        "size_bytes": departure.size_bytes,
        "packets": departure.packets,
        **after_capture(departure.times),
    }
    status = Status("frame", Level.OK, f"{departure.packets} packets", values)
    stamp = to_time(departure.stamp_ns)
    return to_message([status], stamp, node_name, f"stream {stream}", departure.frame_id)


def on_air_sent(stats: OnboardStats, settings: Mapping[str, Value]) -> int:
    """Bytes on air; the headers of a topic's packets too, where no other number is given.

    A socket sends each packet to every address of `air.remote`; the pipeline counts it once.
    """
    if settings["transport"] != "topic":
        return stats.on_air_bytes_sent * max(1, len(parse_names(str(settings["air.remote"]))))
    if not settings["air.overhead_bytes"]:
        return stats.bytes_sent + stats.packets_sent * HEADERS["topic"]
    return stats.on_air_bytes_sent


def limits(settings: Mapping[str, Value]) -> str:
    """The setting that may hold frames back, in words."""
    if settings["rate.mode"] == "auto":
        return "the link carries too little: see the status of the link"
    if settings["rate.mode"] == "budget":
        return f"raise rate.max_kbps (now {settings['rate.max_kbps']:g})"
    return f"raise frame.max_fps (now {settings['frame.max_fps']:g})"
