# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HEVC and AV1 still pictures, and H.264 and HEVC as low-delay video, by FFmpeg's encoders.

::

    hevc:QP                       image -> one encoder, every frame a key frame -> one packet
    av1:Q                         image -> a new encoder of still pictures -> one packet
    h264-video:QP  hevc-video:QP  image -> one encoder, frames from the one before -> one packet

Parameter sets (VPS, SPS, PPS) go out of band, once per stream, and are not counted: in the
baseline's favour. Grey images are the luma plane as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.codec.context import Flags
from av.error import FFmpegError
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from sc2_ros.errors import InputError, ParameterError
from sc2_ros.evaluation.systems.image_codecs import ImageCodec, plain
from sc2_ros.evaluation.systems.scheduling import scheduling_restored

Pixels = NDArray[np.uint8]

os.environ.setdefault("SVT_LOG", "1")  # else SVT-AV1 writes twenty lines for every picture
_X265 = "log-level=none:info=0:aud=0:pools=none:frame-threads=1:bframes=0:rc-lookahead=0"


@dataclass(frozen=True)
class Kind:
    """An encoder, its decoder, its highest quantiser, and options in which {q} is the quantiser."""

    encoder: str
    decoder: str
    highest: int
    options: Mapping[str, str] = field(default_factory=dict)
    still: bool = False
    predicts: bool = False
    grey: bool = True


KINDS = {
    "hevc": Kind(
        "libx265",
        "hevc",
        51,
        {
            "preset": "medium",
            "tune": "zerolatency",
            "x265-params": f"qp={{q}}:keyint=1:ipratio=1:{_X265}",
        },
    ),
    "av1": Kind(
        "libsvtav1",
        "libdav1d",
        63,
        {"preset": "6", "crf": "{q}", "svtav1-params": "avif=1:lp=1"},
        still=True,
        grey=False,
    ),
    "h264-video": Kind(
        "libx264",
        "h264",
        51,
        {"preset": "medium", "tune": "zerolatency", "qp": "{q}", "x264-params": "keyint=250"},
        predicts=True,
    ),
    "hevc-video": Kind(
        "libx265",
        "hevc",
        51,
        {
            "preset": "medium",
            "tune": "zerolatency",
            "x265-params": f"qp={{q}}:keyint=250:{_X265}",
        },
        predicts=True,
    ),
}

VIDEO_CODECS = tuple(f"{name}:Q" for name in KINDS)


class FfmpegCodec(ImageCodec):
    """One of KINDS at one quality; a picture of another size begins a new stream."""

    def __init__(self, name: str, kind: Kind, quality: int) -> None:
        """quality: the quantiser, 0 (best) to kind.highest."""
        super().__init__(name, quality)
        self.sequential = kind.predicts
        self._kind = kind
        self._encoder: av.VideoCodecContext | None = None
        self._decoder: av.VideoCodecContext | None = None
        self._parameters = b""
        self._format = ""
        self._frames = 0

    @scheduling_restored()
    def encode(self, image: Pixels) -> bytes:
        """One access unit; raises InputError where the encoder refuses the picture."""
        image = plain(image)
        grey = image.ndim == 2
        height, width = image.shape[:2]
        pixel_format = "gray" if grey and self._kind.grey else "yuv420p"
        try:
            encoder = self._encoder
            if (
                encoder is None
                or self._kind.still
                or (encoder.width, encoder.height, self._format) != (width, height, pixel_format)
            ):
                encoder = self._open(width, height, pixel_format)
            frame = _frame(image, pixel_format)
            frame.pts = self._frames
            self._frames += 1
            packets = encoder.encode(frame)
            if self._kind.still:
                packets += encoder.encode(None)
        except FFmpegError as error:
            raise InputError(
                f"{self.name} cannot encode {width}x{height} pixels: {error}"
            ) from error
        if len(packets) != 1:
            raise InputError(
                f"{self.name} gave {len(packets)} packets for one frame; this FFmpeg's "
                f"{self._kind.encoder} has delay"
            )
        return bytes(packets[0])

    def decode(self, data: bytes) -> Pixels:
        """The picture of the newest access unit."""
        if self._decoder is None or self._kind.still:
            self._decoder = cast(
                av.VideoCodecContext, av.CodecContext.create(self._kind.decoder, "r")
            )
            self._decoder.thread_count = 1
            self._decoder.flags |= int(Flags.low_delay)
            if self._parameters and self._kind.decoder != "libdav1d":
                self._decoder.extradata = self._parameters
        frames = self._decoder.decode(av.Packet(data))
        if not frames and not self._kind.predicts:
            frames += self._decoder.decode(None)
        if not frames:
            raise InputError(f"{self.name}: {len(data)} bytes gave no picture")
        return _image(frames[-1])

    def _open(self, width: int, height: int, pixel_format: str) -> av.VideoCodecContext:
        kind = self._kind
        encoder = cast(av.VideoCodecContext, av.CodecContext.create(kind.encoder, "w"))
        encoder.width, encoder.height, encoder.pix_fmt = width, height, pixel_format
        encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
        encoder.thread_count = 1
        encoder.color_range = ColorRange.JPEG
        encoder.options = {k: v.format(q=self.quality) for k, v in kind.options.items()}
        encoder.flags |= int(Flags.global_header)
        encoder.open()
        self._encoder, self._format, self._frames = encoder, pixel_format, 0
        self._parameters = bytes(encoder.extradata or b"")
        self._decoder = None
        return encoder


def _frame(image: Pixels, pixel_format: str) -> av.VideoFrame:
    """The picture in the encoder's format, in the full range, so that nothing is rounded twice."""
    kind = "gray" if image.ndim == 2 else "rgb24"
    frame = av.VideoFrame.from_ndarray(image, kind)
    frame.color_range = ColorRange.JPEG
    if pixel_format != kind:
        frame = frame.reformat(
            format=pixel_format, src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.JPEG
        )
        frame.color_range = ColorRange.JPEG
    return frame


def _image(frame: av.VideoFrame) -> Pixels:
    """(H, W) of a grey frame, (H, W, 3) RGB of any other."""
    if frame.format.name == "gray":
        return cast(Pixels, frame.to_ndarray())
    return plain(cast(Pixels, frame.to_ndarray(format="rgb24")))


def parse_codec(text: str) -> FfmpegCodec | None:
    """Make a codec from "hevc:37", "av1:45", "h264-video:30" or "hevc-video:30".

    None for another codec. Raises ParameterError for a quantiser out of range, or where this
    FFmpeg lacks the encoder.
    """
    name, _, quality = text.partition(":")
    kind = KINDS.get(name)
    if kind is None:
        return None
    if not quality.isdecimal() or int(quality) > kind.highest:
        raise ParameterError(
            f"'{text}' is not a baseline: use {name}:Q, Q from 0 to {kind.highest}"
        )
    if kind.encoder not in av.codecs_available:
        raise ParameterError(f"{name} needs FFmpeg with {kind.encoder}; pip install av has it")
    return FfmpegCodec(f"{name}:{int(quality)}", kind, int(quality))
