# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos as the field has them: damaged, joined, without times, of thermal cameras, turned."""

import struct
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from recordings import COUNT, FPS, HEIGHT, WIDTH, make_video, picture

from sc2_ros.errors import InputError
from sc2_ros.media.source import open_source

FRAMES, RATE = 40, 20


def write_video(path: Path, frames: int = FRAMES, container: str | None = None) -> Path:
    """A video whose frames do not depend on a packet before the tenth last."""
    with av.open(str(path), "w", format=container) as file:
        options = {"g": "10", "bf": "0", "crf": "1", "x264-params": "repeat-headers=1"}
        stream = file.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv444p"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number % 6), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def wipe(path: Path, numbers: range) -> None:
    """Zeros instead of packets, as after a write to a bad sector."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for at, size in (places[number] for number in numbers):
        data[at : at + size] = bytes(size)
    path.write_bytes(data)


def stamps(path: Path, fps: float | None = None) -> list[float]:
    """In seconds."""
    return [frame.stamp_ns / 1e9 for frame in open_source(str(path), fps=fps)]


def test_packets_that_cannot_be_decoded_are_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    video = write_video(tmp_path / "flight.mp4")
    wipe(video, range(15, 17))

    found = stamps(video)

    assert found == pytest.approx([n / RATE for n in range(FRAMES) if n not in (15, 16)])
    (said,) = caplog.messages
    assert f"2 of {FRAMES} images cannot be read" in said
    assert "the packet after frame 15 of flight.mp4 cannot be decoded (Invalid data" in said


def test_a_first_packet_that_cannot_be_decoded_costs_only_what_depends_on_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    video = write_video(tmp_path / "flight.mp4")
    wipe(video, range(1))

    assert stamps(video)[-30:] == pytest.approx([n / RATE for n in range(10, FRAMES)])
    assert "cannot be read" in caplog.text


def test_a_video_without_a_packet_that_can_be_decoded_is_refused(tmp_path: Path) -> None:
    video = write_video(tmp_path / "flight.mp4")
    wipe(video, range(FRAMES))
    with pytest.raises(InputError, match=r"after frame 0 of flight\.mp4 cannot be decoded"):
        stamps(video)


def test_a_whole_video_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert len(stamps(write_video(tmp_path / "flight.mp4"))) == FRAMES
    assert caplog.text == ""


def test_a_video_without_times_keeps_its_own_rate_when_it_is_thinned(tmp_path: Path) -> None:
    video = write_video(tmp_path / "flight.h264", container="h264")
    whole = stamps(video)
    period = 1 / open_source(str(video)).fps
    assert whole == pytest.approx([n * period for n in range(FRAMES)], abs=1e-6)

    thinned = stamps(video, fps=5)

    assert thinned == pytest.approx(np.arange(0, whole[-1], 0.2), abs=1e-6)


def test_times_that_begin_anew_go_on(tmp_path: Path) -> None:
    one = write_video(tmp_path / "one.ts", container="mpegts")
    two = write_video(tmp_path / "two.ts", 20, container="mpegts")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one.read_bytes() + two.read_bytes() + two.read_bytes())

    found = stamps(joined)

    # The frame at the seam may fall into the gap that ffmpeg finds there.
    assert FRAMES + 40 - 2 <= len(found) <= FRAMES + 40
    assert all(0.9 / RATE < later - sooner < 2.1 / RATE for sooner, later in pairwise(found))


@pytest.mark.parametrize("pixels", ["gray16le", "gray16be", "gray12le"])
def test_grey_of_more_than_8_bits_becomes_what_a_folder_of_images_becomes(
    tmp_path: Path, pixels: str
) -> None:
    # A warm spot in a scene that fills few counts, as thermal cameras see it.
    scenes = np.random.default_rng(0).normal(2000, 20, (3, HEIGHT, WIDTH))
    scenes[:, 20:30, 20:30] += 1200
    (tmp_path / "images").mkdir()
    with av.open(str(tmp_path / "thermal.nut"), "w") as container:
        stream = container.add_stream("rawvideo", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        for number, scene in enumerate(scenes.astype(np.uint16)):
            cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), scene)
            samples = scene.byteswap() if pixels.endswith("be") else scene
            frame = av.VideoFrame(WIDTH, HEIGHT, pixels)
            frame.planes[0].update(samples.tobytes())
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    video = [frame.image for frame in open_source(str(tmp_path / "thermal.nut"))]
    folder = [frame.image for frame in open_source(str(tmp_path / "images"), fps=10)]

    assert len(video) == 3
    assert np.array_equal(video, folder)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_video_that_was_filmed_turned_is_upright(tmp_path: Path, degrees: int) -> None:
    video = make_video(tmp_path / "flight.mp4")
    turn = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    a, b, c, d = (65536 * value for value in turn)
    data = bytearray(video.read_bytes())
    # The matrix of the track header, ISO/IEC 14496-12 section 8.3.2.
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    video.write_bytes(data)
    player = cv2.VideoCapture(str(video))
    player.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    expected = player.read()[1][..., ::-1].astype(int)

    frames = list(open_source(str(video)))

    assert len(frames) == COUNT
    assert frames[0].image.shape == ((WIDTH, HEIGHT, 3) if degrees != 180 else (HEIGHT, WIDTH, 3))
    assert np.abs(np.rot90(picture(0), -degrees // 90) - frames[0].image.astype(int)).mean() < 3
    assert np.abs(expected - frames[0].image).mean() < 3
    assert frames[1].stamp_ns == pytest.approx(1e9 / FPS, abs=1e6)
