# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's pipeline: frame in, packets out, feedback in. No ROS, no clock, no thread.

::

    CameraFrame (H, W[, 3]) -> image -> motion -> encoder -> latent (C, h, w) -> code -> packets
                                          ^                                        ^
                   feedback -> ReferenceKeeper, RateController --------------------+
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from sc2_ros.codec import wire
from sc2_ros.codec.frame.encoder import EncodedFrame, EncodedPacket, FrameEncoder
from sc2_ros.codec.frame.reference import Prediction, Reference
from sc2_ros.codec.frame.symbols import RDOQ_LAMBDA
from sc2_ros.errors import InputError, PacketError
from sc2_ros.link.control.auto import RateState
from sc2_ros.link.control.value_curve import ValueCurve
from sc2_ros.link.feedback import Feedback, parse_feedback
from sc2_ros.link.rate import index_of
from sc2_ros.link.sequence import wrapped_difference
from sc2_ros.network import imaging
from sc2_ros.onboard import backend
from sc2_ros.onboard.config import (
    CameraFrame,
    OnboardConfig,
    OnboardStats,
    UnreadImage,
    encoded_size,
)
from sc2_ros.onboard.engine import Encoding, Engine, warm_up
from sc2_ros.onboard.frame_rate import FrameRate
from sc2_ros.onboard.rate import RateChoice
from sc2_ros.onboard.references import Choice, ReferenceKeeper
from sc2_ros.onboard.saliency import objects_first, rdoq_lambda
from sc2_ros.onboard.stream_info import InfoSchedule

__all__ = ["CameraFrame", "OnboardConfig", "OnboardPipeline", "OnboardStats"]

_LIKELY_SIZE = 640, 512
"""For which the engine is warmed up where the configuration names no size."""


class OnboardPipeline:
    """Turns frames into packets at the rate that its controller allows."""

    def __init__(self, checkpoint: backend.Flying, config: OnboardConfig | None = None) -> None:
        self.stats = OnboardStats()
        self._checkpoint_id = checkpoint.id
        self._checkpoint = checkpoint
        self._codec = FrameEncoder(checkpoint.tables, checkpoint.id, rdoq_lambda=RDOQ_LAMBDA)
        self._rate = RateChoice(self._codec, ValueCurve(checkpoint.card.get("value_curve", ())))
        self._keeper = ReferenceKeeper()
        self._config: OnboardConfig | None = None
        self._engine: Engine | None = None
        self._engine_choice: backend.Choice | None = None
        self._frame = 0
        self._frame_rate = FrameRate()
        self._info = InfoSchedule()
        self._ground_session: int | None = None
        self._decoded: tuple[int, int] | None = None
        """Session and count of decoded frames of the last report."""
        self._stages: dict[str, float] = {}
        self.configure(config or OnboardConfig())

    @property
    def config(self) -> OnboardConfig:
        """The configuration in force."""
        assert self._config is not None
        return self._config

    def configure(self, config: OnboardConfig) -> None:
        """Take a new configuration for the frames to come, and make the engine ready for them.

        Raises:
            ParameterError: a value cannot be used; the old configuration stays.
            CheckpointError: nothing here runs the encoder; the old configuration stays.
        """
        config.validate()
        self._make_engine(config)
        old, self._config = self._config, config
        if old is None or old.stream != config.stream:
            self._keeper = ReferenceKeeper()
            self._info = InfoSchedule()
        self._keeper.set_refresh_period(config.refresh_period_s)
        self._rate.configure(config)
        self._frame_rate.configure(config.frame_max_fps)

    @property
    def engine_name(self) -> str:
        """What runs the encoder, and where."""
        assert self._engine is not None
        return self._engine.name

    @property
    def rate_state(self) -> RateState | None:
        """What the controller of auto mode knows and wants; None in the other modes."""
        return self._rate.state

    def process(self, frame: CameraFrame, now_s: float) -> list[bytes]:
        """The packets of a frame; none if it is dropped for want of frame rate or budget.

        Raises:
            InputError: the image is none that can be coded.
            FrameTooBigError: it does not fit into the packets of a frame at any rate.
        """
        self.stats.frames_in += 1
        if not self._frame_rate.is_due(now_s):
            self.stats.frames_dropped += 1
            return []
        self._stages = {}
        decision = self._rate.allowance(now_s)
        if decision.budget_bytes == 0:
            self.stats.frames_dropped += 1
            return []
        picture, geometry = self._picture(frame.image)
        choice = self._choose_reference(picture, geometry, now_s)
        encoding = self._encode(picture, choice.geometry)
        prediction = self._predict(choice, encoding.latent)
        info = self._stream_info(frame, now_s, keyframe=prediction is None)
        with self._stage("price"):
            weight = self._rdoq_lambda(encoding)
            source = self._codec.frame(encoding.latent, choice.geometry, prediction, weight)
            plan = self._rate.choose(source, info, decision, now_s)
        if plan is None:
            self.stats.frames_dropped += 1
            return []
        with self._stage("code"):
            encoded = self._codec.encode(
                plan,
                stream=self.config.stream,
                frame=self._frame,
                capture_time_ns=frame.stamp_ns,
            )
        used = choice.reference if encoded.price.predicted.any() else None
        self._keeper.on_encoded(encoded.reference, used, sum(map(len, encoded.packets)), now_s)
        if info:
            self._info.on_sent(frame.frame_id, now_s)
        packets = [*info, *encoded.packets]
        if encoding.logit is not None and len(encoded.packets) > 1:
            coded, grid = encoded.reference.coded, plan.grid
            packets = [*info, *objects_first(encoded.packets, encoding.logit, coded, grid)]
        self._count(packets, encoded, used, now_s)
        return packets

    def on_sent(self, packet: bytes, now_s: float) -> None:
        """A packet of ``process`` has left, after any pacing: from here its round trip counts.

        packet: the very object of ``process``, which knows its number; stream info has none.
        """
        if isinstance(packet, EncodedPacket):
            self._rate.on_packet(packet.frame, packet.number, len(packet), now_s)

    def refresh(self) -> None:
        """Somebody has begun to listen or to record: the next frame is to be a keyframe."""
        self._keeper.refresh()
        self._info.restart()

    def on_radio(self, signal_db: float, now_s: float) -> None:
        """The radio has reported its signal, in dB of any reference; heeded in auto mode."""
        self._rate.on_radio(signal_db, now_s)

    def on_feedback(self, data: bytes, now_s: float) -> None:
        """Take a feedback packet. Never raises: what is damaged or not ours is counted."""
        try:
            packet = wire.parse(data)
            if packet.header.type is not wire.PacketType.FEEDBACK:
                raise PacketError(f"expected a feedback packet, got {packet.header.type.name}")
            assert isinstance(packet, wire.Packet)
            header = packet.header
            if (header.stream, header.checkpoint_id) != (self.config.stream, self._checkpoint_id):
                raise PacketError("feedback for another stream or checkpoint")
            feedback = parse_feedback(packet.payload)
            if not self._rate.is_possible(feedback, now_s):
                raise PacketError("feedback about packets that were not sent, or not so")
        except PacketError:
            self.stats.bad_feedback += 1
            return
        # The rate follows one station; what is predicted heeds all of them.
        is_followed = self._keeper.on_feedback(feedback, now_s)
        if feedback.knows_frame_id:
            self._info.on_known()
        else:
            self._info.on_unknown()
        self._keeper.on_echo(header.frame, header.capture_time_ns, now_s)
        if not is_followed:
            return
        if feedback.session != self._ground_session and not feedback.knows_frame_id:
            self._info.restart()
        self._ground_session = feedback.session
        estimate = self._rate.on_feedback(feedback, now_s)
        if estimate is not None:
            self.stats.loss, self.stats.rtt_s = estimate.loss, estimate.rtt_s
            self._count_decoded(feedback)
            self._frame_rate.on_feedback(feedback, now_s)
            self.stats.shown_fps = self._frame_rate.shown_fps

    def _count_decoded(self, feedback: Feedback) -> None:
        """Count on where the ground's own count wraps, or begins anew with its session."""
        session, before = self._decoded or (feedback.session, 0)
        if feedback.session == session:
            more = wrapped_difference(feedback.frames_decoded, before)
            self.stats.frames_decoded += max(0, more)
        self._decoded = feedback.session, feedback.frames_decoded

    def _picture(
        self, image: npt.NDArray[np.uint8] | UnreadImage
    ) -> tuple[npt.NDArray[np.uint8], wire.Geometry]:
        """The image at the size at which it is encoded; only that size of it is decoded."""
        if isinstance(image, np.ndarray):
            imaging.check_image(image)
            source = (image.shape[1], image.shape[0])
        else:
            source = image.size
        title = f"image of {source[0]}x{source[1]}"
        if max(source) > wire.MAX_SOURCE_SIDE:
            raise InputError(
                f"{title}: at most {wire.MAX_SOURCE_SIDE} pixels a side are taken; let the camera "
                "scale it down"
            )
        size = encoded_size(source, self.config)
        if source[0] * source[1] > wire.most_source_pixels(size):
            raise InputError(
                f"{title} at {size[0]}x{size[1]}: the ground takes images of at most "
                f"{wire.most_source_pixels(size)} pixels at that size; set a larger frame.size"
            )
        if max(size) > wire.MAX_ENCODED_SIDE:
            raise InputError(
                f"{title}: at most {wire.MAX_ENCODED_SIDE} pixels a side can be encoded; set a "
                "frame size"
            )
        with self._stage("image"):
            if isinstance(image, np.ndarray):
                picture = imaging.resize(image, *size)
            else:
                picture = image.read(size)
                imaging.check_image(picture)
        return picture, wire.Geometry(size, source)

    def _choose_reference(
        self, picture: npt.NDArray[np.uint8], geometry: wire.Geometry, now_s: float
    ) -> Choice:
        """What the frame is predicted from, if anything, and how its grid is laid for it."""
        if not (self.config.rate_temporal and self._codec.predicts):
            return Choice(geometry)
        with self._stage("motion"):
            return self._keeper.choose(picture, geometry, self._frame, now_s)

    def _predict(self, choice: Choice, latent: npt.NDArray[np.float32]) -> Prediction | None:
        if choice.reference is None:
            return None
        height, width = latent.shape[1:]
        with self._stage("predict"):
            return self._codec.predict(choice.reference, choice.motion, (height, width))

    def _make_engine(self, config: OnboardConfig) -> None:
        """Another engine where the configuration asks for one, warmed up."""
        wanted = backend.choose(
            config.backend, config.device, config.precision,
            exported=self._checkpoint.exported is not None,
        )  # fmt: skip
        if wanted == self._engine_choice:
            return
        engine = backend.make(self._checkpoint, wanted)
        size = (config.frame_width, config.frame_height) if config.frame_width else _LIKELY_SIZE
        warm_up(engine, *size)
        self._engine, self._engine_choice = engine, wanted

    def _encode(self, picture: npt.NDArray[np.uint8], geometry: wire.Geometry) -> Encoding:
        """Picture -> latent (C, h, w) float32, and where objects are."""
        assert self._engine is not None
        with self._stage("encode"):
            return self._engine.encode(picture, geometry.origin)

    def _rdoq_lambda(self, encoding: Encoding) -> npt.NDArray[np.float32] | None:
        """What a bit is worth at each position; None: everywhere the same."""
        strength = self.config.rate_saliency
        if encoding.logit is None or not strength:
            return None
        return rdoq_lambda(encoding.logit, strength)

    def _stream_info(self, frame: CameraFrame, now_s: float, *, keyframe: bool) -> list[bytes]:
        """The stream info packet where one is due."""
        if not self._info.is_due(frame.frame_id, now_s, keyframe=keyframe):
            return []
        return [
            wire.build_stream_info(
                stream=self.config.stream,
                checkpoint_id=self._checkpoint_id,
                frame=self._frame,
                capture_time_ns=frame.stamp_ns,
                frame_id=frame.frame_id,
            )
        ]

    def _count(
        self, packets: list[bytes], encoded: EncodedFrame, used: Reference | None, now_s: float
    ) -> None:
        size_bytes = sum(map(len, packets))
        price = encoded.price
        self._rate.on_encoded(encoded.reference.code, packets, now_s)
        stats = self.stats
        stats.frames_sent += 1
        stats.packets_sent += len(packets)
        stats.payload_bytes_sent += encoded.payload_bytes
        stats.bytes_sent += size_bytes
        stats.on_air_bytes_sent += self._rate.on_air(packets)
        stats.repairs_sent += price.repairs
        stats.slices_predicted += int(price.predicted.sum())
        stats.reference_age = 0 if used is None else (self._frame - used.frame) & 0xFFFF
        stats.rate_index = index_of(encoded.reference.code)
        stats.stage_ms = self._stages
        self._frame = (self._frame + 1) & 0xFFFF

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Measure how long a stage takes; nothing is decided by it."""
        start_s = time.perf_counter()
        yield
        self._stages[name] = (time.perf_counter() - start_s) * 1e3
