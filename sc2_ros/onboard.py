# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's pipeline: frame in, packets out, feedback in. No ROS, no clock, no thread.

::

    CameraFrame (H, W[, 3]) -> resize -> motion -> encoder -> latent (C, h, w) -> code -> packets
                                          ^                                        ^
                   feedback -> ReferenceKeeper, LinkMonitor, RateController -------+
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch

from sc2_ros import imaging
from sc2_ros.checkpoint import Checkpoint
from sc2_ros.codec import packet as wire
from sc2_ros.codec.coder import LatentCodec, Protection
from sc2_ros.codec.prediction import Prediction
from sc2_ros.codec.pricing import UNPROTECTED
from sc2_ros.codec.symbols import REFINEMENT
from sc2_ros.devices import autocast, check_device
from sc2_ros.errors import InputError, PacketError, ParameterError
from sc2_ros.link.auto import PREFERENCES, AutoConfig, AutoRate, RateState
from sc2_ros.link.content import useful_code
from sc2_ros.link.feedback import parse_feedback
from sc2_ros.link.monitor import LinkMonitor
from sc2_ros.link.radio import RadioHint
from sc2_ros.link.rate import (
    RATE_MODES,
    BudgetRate,
    FixedRate,
    RateController,
    RateDecision,
    index_of,
)
from sc2_ros.link.repair import REPAIR_MODES, RepairPolicy
from sc2_ros.temporal import Choice, ReferenceKeeper

INFO_INTERVAL_S = 1.0
_FPS_SLACK = 0.1
_JUMP_BACK_S = 1.0


@dataclass(frozen=True)
class CameraFrame:
    """One picture: uint8 (H, W, 3) RGB or (H, W) grey, its stamp and its ROS frame_id."""

    image: npt.NDArray[np.uint8]
    stamp_ns: int
    frame_id: str


@dataclass(frozen=True)
class OnboardConfig:
    """What may be set, live.

    Attributes:
        rate_mode: "auto" follows the link, "budget" keeps to rate_max_kbps, "fixed" to rate_index.
        rate_index: rate index in fixed mode, 0 (fewest bytes) to 1.
        rate_max_kbps: most kbit/s in auto and budget mode, all headers of the packets counted.
        rate_prefer: "accuracy", "smooth" or "latency": what auto mode gives up last.
        rate_repair: "auto" adds repair packets in auto mode as the radio loses packets; "off".
        rate_temporal: predict frames from what the ground has, if the checkpoint has tables for it.
        frame_max_fps: frames sent per second at most; 0 for no limit.
        frame_width: width in pixels to which images are scaled; 0 keeps the source's size.
        frame_height: height in pixels; 0 together with the width.
        stream: number of the stream, 0 to 255.
        precision: "fp32", "bf16" or "fp16" (only on a GPU).
        device: "cpu", "cuda" or "cuda:N".
    """

    rate_mode: str = "fixed"
    rate_index: float = 0.5
    rate_max_kbps: float = 4000.0
    rate_prefer: str = "accuracy"
    rate_repair: str = "auto"
    rate_temporal: bool = True
    frame_max_fps: float = 0.0
    frame_width: int = 0
    frame_height: int = 0
    stream: int = 0
    precision: str = "fp32"
    device: str = "cpu"

    def validate(self) -> None:
        """Raise ``ParameterError`` if any value cannot be used."""
        if self.rate_mode not in RATE_MODES:
            raise ParameterError(f"rate mode {self.rate_mode!r}; known: {', '.join(RATE_MODES)}")
        if self.rate_prefer not in PREFERENCES:
            raise ParameterError(
                f"rate preference {self.rate_prefer!r}; known: {', '.join(PREFERENCES)}"
            )
        if self.rate_repair not in REPAIR_MODES:
            raise ParameterError(f"repair {self.rate_repair!r}; known: {', '.join(REPAIR_MODES)}")
        if not 0 <= self.rate_index <= 1:
            raise ParameterError(f"rate index {self.rate_index} is not between 0 and 1")
        if not 0 < self.rate_max_kbps < 1e9:
            raise ParameterError(f"rate limit of {self.rate_max_kbps} kbit/s is not above 0")
        if not 0 <= self.frame_max_fps < 1e6:
            raise ParameterError(f"limit of {self.frame_max_fps} frames/s is not 0 or above")
        sides = (self.frame_width, self.frame_height)
        if sides != (0, 0) and not all(0 < side <= wire.MAX_ENCODED_SIDE for side in sides):
            raise ParameterError(
                f"frame size {sides[0]}x{sides[1]}; both sides must be 1 to "
                f"{wire.MAX_ENCODED_SIDE}, or both 0 to keep the camera's"
            )
        if not 0 <= self.stream <= 255:
            raise ParameterError(f"stream {self.stream} is not between 0 and 255")
        check_device(self.device, self.precision)


@dataclass
class OnboardStats:
    """Counters since the start and the latest figures; ``None``: nothing heard yet.

    Attributes:
        frames_in: images taken.
        frames_sent: frames coded.
        frames_dropped: images not sent, for want of frame rate or of budget.
        bytes_sent: bytes of all packets made.
        repairs_sent: how many of them were repair packets.
        slices_predicted: slices that were predicted from an earlier frame.
        reference_age: how many frames before the last one sent its reference was; 0: it had none.
        bad_feedback: feedback packets that were damaged or not for this stream.
        rate_index: rate index of the last frame sent.
        stage_ms: milliseconds that each stage took on the last frame sent.
        loss: share of recent packets that the ground did not get.
        delay_s: one-way delay to the ground, seconds.
        rtt_s: round trip, seconds.
        frames_decoded: frames that the ground decoded whole.
    """

    frames_in: int = 0
    frames_sent: int = 0
    frames_dropped: int = 0
    bytes_sent: int = 0
    repairs_sent: int = 0
    slices_predicted: int = 0
    reference_age: int = 0
    bad_feedback: int = 0
    rate_index: float | None = None
    stage_ms: dict[str, float] = field(default_factory=dict)
    loss: float | None = None
    delay_s: float | None = None
    rtt_s: float | None = None
    frames_decoded: int = 0


class OnboardPipeline:
    """Turns frames into packets at the rate that its controller allows."""

    def __init__(self, checkpoint: Checkpoint, config: OnboardConfig | None = None) -> None:
        self.stats = OnboardStats()
        self._checkpoint_id = checkpoint.id
        self._encoder = checkpoint.encoder
        self._codec = LatentCodec(checkpoint.tables, checkpoint.id, refinement=REFINEMENT)
        self._useful_code = useful_code(checkpoint.card.get("value_curve", ()))
        self._monitor = LinkMonitor()
        self._repair = RepairPolicy()
        self._keeper = ReferenceKeeper()
        self._radio = RadioHint()
        self._rate: RateController = FixedRate(0.0)
        self._config: OnboardConfig | None = None
        self._frame = 0
        self._due_s: float | None = None
        self._info_s: float | None = None
        self._info_frame_id = ""
        self._ground_session: int | None = None
        self._near: int | None = None  # the last frame's code: where the search begins
        self._stages: dict[str, float] = {}
        self.configure(config or OnboardConfig())

    @property
    def config(self) -> OnboardConfig:
        """The configuration in force."""
        assert self._config is not None
        return self._config

    def configure(self, config: OnboardConfig) -> None:
        """Take a new configuration for the frames to come.

        Raises:
            ParameterError: a value cannot be used; the old configuration stays.
        """
        config.validate()
        old, self._config = self._config, config
        if old is None or old.device != config.device:
            self._encoder = self._encoder.to(config.device).to(memory_format=torch.channels_last)
        if old is None or old.stream != config.stream:
            self._monitor = LinkMonitor()
            self._keeper = ReferenceKeeper()
            self._info_s = None
        if old is None or _rate_part(old) != _rate_part(config):
            self._rate = _controller(config, self._useful_code)
            self._repair = RepairPolicy()

    @property
    def rate_state(self) -> RateState | None:
        """What the controller of auto mode knows and wants; None in the other modes."""
        return self._rate.state if isinstance(self._rate, AutoRate) else None

    def process(self, frame: CameraFrame, now_s: float) -> list[bytes]:
        """The packets of a frame; none if it is dropped for want of frame rate or budget.

        Raises:
            InputError: the image is none that can be coded.
            FrameTooBigError: it does not fit into the packets of a frame at any rate.
        """
        self.stats.frames_in += 1
        if not self._is_due(now_s):
            self.stats.frames_dropped += 1
            return []
        self._stages = {}
        decision = self._heed_radio(self._rate.allowance(now_s), now_s)
        if decision.budget_bytes == 0:
            self.stats.frames_dropped += 1
            return []
        picture, geometry = self._picture(frame.image)
        choice = self._choose_reference(picture, geometry, now_s)
        latent = self._latent(picture, choice.geometry)
        prediction = self._predict(choice, latent)
        info = self._stream_info(frame, now_s)
        code, protection = self._choose_code(
            latent, choice, prediction, sum(map(len, info)), decision, now_s
        )
        if code is None:
            self.stats.frames_dropped += 1
            return []
        with self._stage("code"):
            header = wire.Header(
                wire.PacketType.FEATURES,
                self.config.stream,
                self._checkpoint_id,
                self._frame,
                capture_time_ns=frame.stamp_ns,
            )
            encoded = self._codec.encode_frame(
                latent, code, header, choice.geometry, protection, prediction
            )
            packets = info + encoded.packets
        predicted = int(encoded.price.predicted.sum())
        self._keeper.on_encoded(encoded.reference, predicted > 0, now_s)
        self.stats.slices_predicted += predicted
        self.stats.reference_age = 0
        if predicted and choice.reference is not None:
            self.stats.reference_age = (self._frame - choice.reference.frame) & 0xFFFF
        if info:
            self._info_s, self._info_frame_id = now_s, frame.frame_id
        self._count(packets, now_s)
        return packets

    def on_sent(self, packet: bytes, now_s: float) -> None:
        """A packet of ``process`` has left, after any pacing: from here its round trip counts."""
        header = wire.parse(packet).header
        if header.type in (wire.PacketType.FEATURES, wire.PacketType.REPAIR):
            self._monitor.on_sent(header.frame, header.place, now_s)
            self._rate.on_packet(header.frame, header.place, len(packet), now_s)

    def on_radio(self, signal_db: float, now_s: float) -> None:
        """The radio has told its signal, in dB of whatever reference; it matters in auto mode."""
        self._radio.on_signal(signal_db, now_s)

    def on_feedback(self, data: bytes, now_s: float) -> None:
        """Take a feedback packet. Never raises: what is damaged or not ours is counted."""
        try:
            packet = wire.parse(data)
            header = packet.header
            if header.type is not wire.PacketType.FEEDBACK:
                raise PacketError(f"expected a feedback packet, got {header.type.name}")
            if (header.stream, header.checkpoint_id) != (self.config.stream, self._checkpoint_id):
                raise PacketError("feedback for another stream or checkpoint")
            feedback = parse_feedback(packet.payload)
        except PacketError:
            self.stats.bad_feedback += 1
            return
        if feedback.session != self._ground_session:  # a ground that knows no frame_id yet
            self._ground_session, self._info_s = feedback.session, None
        # The rate follows one station; what is predicted heeds all of them.
        if not self._keeper.on_feedback(feedback, now_s):
            return
        if not self._monitor.on_feedback(feedback, now_s):
            return
        self._rate.on_feedback(feedback, now_s)
        link = self._monitor.stats
        self.stats.loss, self.stats.delay_s, self.stats.rtt_s = link.loss, link.delay_s, link.rtt_s
        self.stats.frames_decoded = link.frames_decoded

    def _heed_radio(self, decision: RateDecision, now_s: float) -> RateDecision:
        """Less than the controller allows where the radio's signal has just fallen."""
        state = self.rate_state
        if state is None or decision.budget_bytes is None:
            return decision
        share = self._radio.share(state.target_bps, now_s)
        return replace(decision, budget_bytes=int(decision.budget_bytes * share))

    def _is_due(self, now_s: float) -> bool:
        """Whether the frame rate limit lets a frame through now; on average it is met exactly."""
        fps = self.config.frame_max_fps
        if not fps:
            return True
        if self._due_s is None or now_s < self._due_s - 1 / fps - _JUMP_BACK_S:
            self._due_s = now_s
        if now_s < self._due_s - _FPS_SLACK / fps:
            return False
        # A camera whose frames fall between the due times keeps the limit's average.
        self._due_s = max(self._due_s + 1 / fps, now_s)
        return True

    def _picture(self, image: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], wire.Geometry]:
        """The image at the size at which it is encoded."""
        config = self.config
        imaging.check_image(image)
        height, width = image.shape[:2]
        if config.frame_width:
            size = (config.frame_width, config.frame_height)
        else:
            size = (width, height)
        if max(width, height) > wire.MAX_SOURCE_SIDE:
            raise InputError(
                f"image of {width}x{height}: at most {wire.MAX_SOURCE_SIDE} pixels a side are "
                "taken; let the camera scale it down"
            )
        if max(size) > wire.MAX_ENCODED_SIDE:
            raise InputError(
                f"image of {width}x{height}: at most {wire.MAX_ENCODED_SIDE} pixels a side can be "
                "encoded; set a frame size"
            )
        with self._stage("resize"):
            return imaging.resize(image, *size), wire.Geometry(size, (width, height))

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

    def _latent(
        self, picture: npt.NDArray[np.uint8], geometry: wire.Geometry
    ) -> npt.NDArray[np.float32]:
        """Picture -> latent (C, h, w) float32."""
        config = self.config
        with (
            self._stage("encode"),
            torch.inference_mode(),
            autocast(config.device, config.precision),
        ):
            tensor = imaging.to_tensor(picture, config.device, geometry.origin)
            latent: npt.NDArray[np.float32] = (
                self._encoder(tensor)[0].float().cpu().contiguous().numpy()
            )
        return latent

    def _choose_code(
        self,
        latent: npt.NDArray[np.float32],
        choice: Choice,
        prediction: Prediction | None,
        info_bytes: int,
        decision: RateDecision,
        now_s: float,
    ) -> tuple[int | None, Protection]:
        """The controller's code, or the highest within its budget; None if nothing fits.

        Where a protected frame does not fit, one without repair packets is tried.
        """
        with self._stage("price"):
            if decision.budget_bytes is None:
                return decision.code, UNPROTECTED
            high = 64 if decision.code is None else decision.code
            budget_bytes = decision.budget_bytes - info_bytes
            for protection in self._protections(budget_bytes, latent[0].size, now_s):
                code = self._codec.highest_code(
                    latent,
                    budget_bytes,
                    min(decision.low, high),
                    high,
                    near=self._near,
                    protection=protection,
                    prediction=prediction,
                    moved=choice.geometry.origin != (0, 0),
                )
                if code is not None:
                    return code, protection
            return None, UNPROTECTED

    def _protections(
        self, budget_bytes: int, positions: int, now_s: float
    ) -> tuple[Protection, ...]:
        """What a frame may be given against the radio's loss, the best first."""
        state = self.rate_state
        if self.config.rate_repair == "off" or state is None:
            return (UNPROTECTED,)
        self._repair.update(state.loss, state.queue_delay_s, now_s)
        return tuple(Protection(*plan) for plan in self._repair.plans(budget_bytes, positions))

    def _stream_info(self, frame: CameraFrame, now_s: float) -> list[bytes]:
        """The stream info packet where one is due."""
        if (
            self._info_s is not None
            and 0 <= now_s - self._info_s < INFO_INTERVAL_S
            and frame.frame_id == self._info_frame_id
        ):
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

    def _count(self, packets: list[bytes], now_s: float) -> None:
        size_bytes = sum(map(len, packets))
        self._rate.on_sent(size_bytes, now_s)
        self._frame = (self._frame + 1) & 0xFFFF
        stats = self.stats
        stats.frames_sent += 1
        stats.bytes_sent += size_bytes
        headers = [wire.parse(packet).header for packet in packets]
        stats.repairs_sent += sum(head.type is wire.PacketType.REPAIR for head in headers)
        self._near = headers[-1].rate_code
        stats.rate_index = index_of(self._near)
        stats.stage_ms = self._stages

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Measure how long a stage takes; nothing is decided by it."""
        start_s = time.perf_counter()
        yield
        self._stages[name] = (time.perf_counter() - start_s) * 1e3


def _controller(config: OnboardConfig, useful: int) -> RateController:
    """The controller that a configuration asks for."""
    if config.rate_mode == "fixed":
        return FixedRate(config.rate_index)
    if config.rate_mode == "budget":
        return BudgetRate(config.rate_max_kbps, config.frame_max_fps)
    return AutoRate(AutoConfig(config.rate_max_kbps, config.rate_prefer, useful))


def _rate_part(config: OnboardConfig) -> tuple[object, ...]:
    return (
        config.rate_mode,
        config.rate_index,
        config.rate_max_kbps,
        config.rate_prefer,
        config.frame_max_fps,
    )
