# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the ground node has of one drone: its topics, its pipeline and its counters."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sc2_ros.errors import PacketError
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline, ReadyFrame
from sc2_ros.nodes.diagnostics import Counter, Silence, Status, decoder_status, downlink_status
from sc2_ros.nodes.results import ResultPublishers
from sc2_ros.nodes.stages import GROUND_STAGES, StageTimes, after_capture, captured

COUNTED = ("packets", "bytes", "mismatched", "bad", "frames", "incomplete", "skipped")


@dataclass(frozen=True)
class Decoder:
    """A pipeline and the names of what it finds.

    The pipelines of all drones share one network; each has its own receiver state.
    """

    pipeline: GroundPipeline
    detection_classes: Sequence[str]
    mask_classes: Sequence[str]


@dataclass(frozen=True)
class Job:
    """A frame for the worker, with the decoder that its packets went to."""

    stream: DroneStream
    decoder: Decoder
    frame: ReadyFrame
    decoded_s: float
    """When it was ready for the network, by `time.monotonic`."""


class DroneStream:
    """One drone's part of the ground node.

    Args:
        name: the drone's namespace as the parameter gives it; empty for the node's own.
        decoder: what its packets go to.
        results: where its results go.
    """

    def __init__(self, name: str, decoder: Decoder, results: ResultPublishers) -> None:
        self.name = name
        self.decoder = decoder
        self.skipped = 0
        """Frames that a newer one has replaced."""
        self.results = results
        self._silence, self._frames = Silence(), Silence()
        self._counters = {count: Counter() for count in COUNTED}
        self._stages = StageTimes(GROUND_STAGES)

    @property
    def pipeline(self) -> GroundPipeline:
        """What packets go to now."""
        return self.decoder.pipeline

    def take(self, decoder: Decoder) -> None:
        """Decode with another checkpoint from now on; the counts go on."""
        decoder.pipeline.stats = self.pipeline.stats
        self.decoder = decoder

    def accept(self, packet: bytes, now_s: float) -> list[Job]:
        """Take a packet; the frames that it finishes."""
        self._silence.heard(now_s)
        decoder = self.decoder  # another may be taken meanwhile
        frames = decoder.pipeline.accept(packet, now_s)
        if frames:
            self._frames.heard(now_s)
        return self._jobs(decoder, frames)

    def calibrate(self, packet: bytes) -> None:
        """A camera_info has come over the air link."""
        from sc2_ros.nodes.air import read_calibration

        try:
            self.results.camera_info.take(read_calibration(packet))
        except PacketError as error:
            self.pipeline.stats.refuse("undecodable", str(error))

    def overrun(self) -> None:
        """Count a packet that was dropped unread because too many waited before it."""
        why = "packets came faster than this machine decodes them; free its processor"
        self.pipeline.stats.refuse("overrun", why)

    def expire(self, now_s: float) -> list[Job]:
        """The frames whose missing packets are waited for no longer."""
        decoder = self.decoder
        return self._jobs(decoder, decoder.pipeline.expire(now_s))

    def _jobs(self, decoder: Decoder, frames: list[ReadyFrame]) -> list[Job]:
        return [Job(self, decoder, frame, time.monotonic()) for frame in frames]

    def show(self, job: Job, config: GroundConfig) -> None:
        """Run the network on a frame and publish what it sees; belongs in the worker's thread."""
        self.follow_listeners(job.decoder, config)
        begun_s = time.monotonic()
        result = job.decoder.pipeline.show(job.frame)
        seen_s = time.monotonic()
        frame = job.frame.frame
        times = captured(result.stamp_ns, self.results.now_ns(), seen_s)
        times |= {
            "first_packet": frame.first_s,
            "last_packet": frame.last_s,
            "decoded": job.decoded_s,
            "network": begun_s,
            "seen": seen_s,
        }
        self._stages.add(times)
        names = job.decoder.detection_classes, job.decoder.mask_classes
        self.results.publish(result, *names, after_capture(times))

    def follow_listeners(self, decoder: Decoder, config: GroundConfig) -> None:
        """Heads whose topics nobody listens to do not run; a decoder stays on its device."""
        own = decoder.pipeline.config
        config = replace(
            config,
            mask=config.mask and self.results.mask_wanted(),
            preview=config.preview and self.results.preview_wanted(),
            backend=own.backend,
            device=own.device,
            precision=own.precision,
        )
        if config != own:
            decoder.pipeline.configure(config)

    def statuses(self, now_s: float) -> list[Status]:
        """Its lines for /diagnostics."""
        stats = self.pipeline.stats
        # Copies, since other threads enter new reasons and stages.
        bad, stage_ms = dict(stats.bad_packets), dict(stats.stage_ms)
        counts = {
            "packets": stats.packets,
            "bytes": stats.bytes,
            "mismatched": stats.mismatched,
            "bad": sum(bad.values()),
            "frames": stats.frames,
            "incomplete": stats.incomplete_frames,
            "skipped": self.skipped,
        }
        window_s = self._frames.window_s
        rate = {
            name: self._counters[name].rate(count, now_s, window_s)
            for name, count in counts.items()
        }
        link = downlink_status(
            self._silence.seconds(now_s),
            rate["packets"],
            rate["bytes"] * 8 / 1e3,
            stats.loss,
            rate["mismatched"],
            rate["bad"],
            bad,
            stats.last_error,
            self._frames.limit_s,
        )
        decoder = decoder_status(rate["frames"], rate["incomplete"], rate["skipped"], stage_ms)
        decoder = replace(decoder, values={**decoder.values, **self._stages.values()})
        if not self.name:
            return [link, decoder]
        return [replace(status, name=f"{self.name} {status.name}") for status in (link, decoder)]
