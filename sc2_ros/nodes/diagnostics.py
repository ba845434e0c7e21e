# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the nodes report once a second on /diagnostics: a level, and a sentence on what to do.

The judgements are functions of counters; only `to_message` knows ROS.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from statistics import median

from sc2_ros.runtime.ros import DiagnosticArray, DiagnosticStatus, KeyValue, TimeMsg

SILENCE_S = 2.0
"""Silence that counts as a failure, of a camera or a link that is not slow by itself."""
SLOWEST_S = 30.0
"""The longest period of a camera that the judgements follow."""
LOSS_WARN, LOSS_ERROR = 0.10, 0.30
"""Share of packets lost; networks are trained for losses up to the first figure."""


class Level(IntEnum):
    """Levels of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Status:
    """One line of /diagnostics."""

    name: str
    level: Level
    message: str
    values: Mapping[str, object] = field(default_factory=dict)


class Counter:
    """Turns a running count into its rate since the last report, or over a longer time."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=2 * int(SLOWEST_S))

    def rate(self, count: int, now_s: float, window_s: float = 0.0) -> float:
        """Counts per second, at least since the last call (0 on the first one).

        Args:
            count: the running count.
            now_s: the time, in seconds.
            window_s: over how long, as far as it goes back; for what happens less than once
                between two calls.
        """
        while len(self._seen) > 1 and self._seen[1][0] <= now_s - window_s:
            self._seen.popleft()
        at_s, before = self._seen[0] if self._seen else (now_s, count)
        self._seen.append((now_s, count))
        return (count - before) / (now_s - at_s) if now_s > at_s else 0.0


class Silence:
    """Remembers when something last came, and how often it comes."""

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._gaps_s: deque[float] = deque(maxlen=5)

    def heard(self, now_s: float) -> None:
        """Something came."""
        if self._last_s is not None:
            self._gaps_s.append(now_s - self._last_s)
        self._last_s = now_s

    @property
    def period_s(self) -> float | None:
        """Seconds from one to the next; None while unknown. One outage does not change it."""
        return min(median(self._gaps_s), SLOWEST_S) if len(self._gaps_s) > 1 else None

    @property
    def limit_s(self) -> float:
        """Seconds of silence that count as a failure."""
        return max(SILENCE_S, 3.0 * (SILENCE_S if self.period_s is None else self.period_s))

    @property
    def window_s(self) -> float:
        """Seconds over which its rate can be judged."""
        return SLOWEST_S if self.period_s is None else min(4.0 * self.period_s, SLOWEST_S)

    def seconds(self, now_s: float) -> float | None:
        """Seconds since something last came; None if nothing ever did."""
        return None if self._last_s is None else now_s - self._last_s


def lifecycle_status(stage: str, why: str) -> Status:
    """Whether the node works, and if not, why.

    Args:
        stage: unconfigured, inactive, active or finalized.
        why: what went wrong last; empty if nothing did.
    """
    values = {"state": stage}
    if why:
        return Status("lifecycle", Level.ERROR, f"{stage}: {why}", values)
    if stage == "active":
        return Status("lifecycle", Level.OK, stage, values)
    steps = {"unconfigured": "configure", "inactive": "activate"}
    if stage in steps:
        stage += f"; to go on: ros2 lifecycle set NODE {steps[stage]}"
    return Status("lifecycle", Level.WARN, stage, values)


def camera_status(
    silence_s: float | None,
    fps: float,
    unreadable: float,
    topic: str,
    why: str,
    publishers: int,
    limit_s: float = SILENCE_S,
    mismatch: str = "",
) -> Status:
    """The drone's camera.

    Args:
        silence_s: seconds since the last image; None before the first.
        fps: images per second in the last period.
        unreadable: images per second that could not be read.
        topic: the topic that is listened to.
        why: the last reason for an unreadable image.
        publishers: how many publishers the topic has.
        limit_s: the silence that counts as a failure.
        mismatch: what is known of a publisher whose QoS does not fit; empty if there is none.
    """
    values = {"topic": topic, "images_per_s": f"{fps:.1f}", "unreadable_per_s": f"{unreadable:.1f}"}
    if unreadable > 0:
        return Status("camera", Level.ERROR, f"images cannot be read: {why}", values)
    if silence_s is None or silence_s > limit_s:
        since = "yet" if silence_s is None else f"for {silence_s:.0f} s"
        message = f"no image on {topic} {since}: "
        if mismatch:
            message += mismatch
        elif publishers:
            message += (
                f"it has {publishers} publisher{'s' if publishers > 1 else ''}, but no image "
                "arrives; if the camera does send, its images are too large for the receive "
                "buffer: sudo sysctl -w net.core.rmem_max=33554432 and restart, or "
                "image_transport:=compressed (docs/deployment.md)"
            )
        else:
            message += "is the camera running, and the topic remapped?"
        return Status("camera", Level.ERROR, message, values)
    return Status("camera", Level.OK, f"{fps:.1f} images/s", values)


def encoder_status(
    images_fps: float,
    sent_fps: float,
    sent_kbps: float,
    limited: str,
    stage_ms: Mapping[str, float],
) -> Status:
    """What leaves the drone.

    Args:
        images_fps: images per second that came in.
        sent_fps: frames per second that left.
        sent_kbps: kbit/s of packets that left.
        limited: the setting that may hold frames back, in words.
        stage_ms: milliseconds per stage of the last frame.
    """
    values: dict[str, object] = {
        "frames_per_s": f"{sent_fps:.1f}",
        "kbit_per_s": f"{sent_kbps:.0f}",
    }
    values |= {f"{stage}_ms": f"{ms:.1f}" for stage, ms in stage_ms.items()}
    if images_fps > 0 and sent_fps == 0:
        return Status(
            "encoder", Level.ERROR, f"images come, but no frame leaves: {limited}", values
        )
    return Status("encoder", Level.OK, f"{sent_fps:.1f} frames/s, {sent_kbps:.0f} kbit/s", values)


def uplink_status(
    silence_s: float | None,
    loss: float | None,
    rtt_s: float | None,
    sent_fps: float,
    decoded_fps: float,
    bad: float,
    limit_s: float = SILENCE_S,
) -> Status:
    """The link as the drone knows it from feedback.

    Args:
        silence_s: seconds since the last feedback on this stream; None before the first.
        loss: share of packets lost, None while unknown.
        rtt_s: round-trip time in seconds, None while unknown.
        sent_fps: frames per second that left.
        decoded_fps: frames per second that the ground reports as decoded whole.
        bad: feedback packets per second that are damaged or not for this stream.
        limit_s: the silence that counts as a failure.
    """
    values = {
        "loss": "" if loss is None else f"{loss:.3f}",
        "rtt_ms": "" if rtt_s is None else f"{rtt_s * 1e3:.0f}",
        "decoded_per_s": f"{decoded_fps:.1f}",
        "bad_feedback_per_s": f"{bad:.1f}",
    }
    silent = silence_s is None or silence_s > limit_s
    if silent and bad > 0:
        message = "feedback comes, but not for this stream and checkpoint: compare `model`"
        return Status("link", Level.ERROR, message, values)
    if silence_s is None:
        message = "no feedback yet: is the ground node running, and `feedback` bridged to here?"
        return Status("link", Level.WARN, message, values)
    if silent:
        return Status("link", Level.ERROR, f"no feedback for {silence_s:.0f} s", values)
    status = _loss_status("link", loss or 0.0, values)
    if status.level is Level.OK and sent_fps > 0 and decoded_fps <= 0:
        message = "packets arrive, but the ground finishes no frame: is it too slow?"
        return Status("link", Level.WARN, message, values)
    return status


def downlink_status(
    silence_s: float | None,
    packets_per_s: float,
    kbps: float,
    loss: float,
    mismatched: float,
    bad: float,
    reasons: Mapping[str, int],
    last_error: str,
    limit_s: float = SILENCE_S,
) -> Status:
    """The packets that reach the ground.

    Args:
        silence_s: seconds since the last packet; None before the first.
        packets_per_s: packets per second, good and bad.
        kbps: kbit/s of all packets.
        loss: share of packets lost.
        mismatched: packets per second that another checkpoint made.
        bad: packets per second that were damaged or not ours.
        reasons: bad packets since the start, by reason.
        last_error: what was wrong with the last of them.
        limit_s: the silence that counts as a failure.
    """
    values: dict[str, object] = {
        "packets_per_s": f"{packets_per_s:.1f}",
        "kbit_per_s": f"{kbps:.0f}",
        "loss": f"{loss:.3f}",
    }
    values |= {f"bad: {reason}": count for reason, count in reasons.items()}
    if silence_s is None:
        message = "no packet yet: is the onboard node running, and `features` bridged to here?"
        return Status("link", Level.WARN, message, values)
    if silence_s > limit_s:
        return Status("link", Level.ERROR, f"no packet for {silence_s:.0f} s", values)
    if mismatched > 0:
        message = f"packets of another checkpoint come, they cannot be decoded: {last_error}"
        return Status("link", Level.ERROR, message, values)
    if bad > 0:
        return Status("link", Level.WARN, f"{bad:.1f} bad packets/s: {last_error}", values)
    return _loss_status("link", loss, values)


def _loss_status(name: str, loss: float, values: Mapping[str, object]) -> Status:
    message = f"{100 * loss:.0f} % of the packets are lost"
    if loss >= LOSS_ERROR:
        return Status(name, Level.ERROR, message, values)
    if loss >= LOSS_WARN:
        return Status(name, Level.WARN, message, values)
    return Status(name, Level.OK, message, values)


def decoder_status(
    fps: float, incomplete_fps: float, skipped_fps: float, stage_ms: Mapping[str, float]
) -> Status:
    """What the ground makes of the packets.

    Args:
        fps: results per second.
        incomplete_fps: those of them with packets missing.
        skipped_fps: frames per second that came but were skipped for newer ones.
        stage_ms: milliseconds per stage of the last frame.
    """
    values: dict[str, object] = {
        "frames_per_s": f"{fps:.1f}",
        "incomplete_per_s": f"{incomplete_fps:.1f}",
        "skipped_per_s": f"{skipped_fps:.1f}",
    }
    values |= {f"{stage}_ms": f"{ms:.1f}" for stage, ms in stage_ms.items()}
    message = f"{fps:.1f} frames/s"
    if incomplete_fps > 0.5 * fps:
        message += ", more than half of them with packets missing"
        return Status("decoder", Level.WARN, message, values)
    if skipped_fps > fps:
        message += f", {skipped_fps:.1f} skipped: lower frame.max_fps on the drone, or use a GPU"
        return Status("decoder", Level.WARN, message, values)
    return Status("decoder", Level.OK, message, values)


def to_message(
    statuses: list[Status], stamp: TimeMsg, node_name: str, hardware_id: str, frame_id: str = ""
) -> DiagnosticArray:
    """A diagnostic_msgs/DiagnosticArray; every name becomes `node_name: name`."""
    levels = {
        Level.OK: DiagnosticStatus.OK,
        Level.WARN: DiagnosticStatus.WARN,
        Level.ERROR: DiagnosticStatus.ERROR,
    }
    array = DiagnosticArray()
    array.header.stamp = stamp
    array.header.frame_id = frame_id
    array.status = [
        DiagnosticStatus(
            level=levels[status.level],
            name=f"{node_name}: {status.name}",
            message=status.message,
            hardware_id=hardware_id,
            values=[KeyValue(key=key, value=str(value)) for key, value in status.values.items()],
        )
        for status in statuses
    ]
    return array
