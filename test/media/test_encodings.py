# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS image encodings to arrays."""

import json
from array import array
from pathlib import Path

import numpy as np
import pytest
from known_colours import COLOURS, GREY_SENT, HEIGHT, PICTURE, SENT, WIDTH, centres, wide

from sc2_ros.errors import InputError
from sc2_ros.media import bridge
from sc2_ros.media.encodings import KNOWN_ENCODINGS, decode_raw

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (12, 17, 3), dtype=np.uint8)
CV_BRIDGE = json.loads(Path(__file__).with_name("cv_bridge_colours.json").read_text())["rgb"]
GREY = RNG.integers(0, 256, (12, 17), dtype=np.uint8)
ALPHA = np.full((12, 17, 1), 9, np.uint8)


@pytest.mark.parametrize(
    ("encoding", "sent", "expected"),
    [
        ("rgb8", RGB, RGB),
        ("bgr8", RGB[..., ::-1], RGB),
        ("8UC3", RGB[..., ::-1], RGB),
        ("rgba8", np.concatenate((RGB, ALPHA), 2), RGB),
        ("bgra8", np.concatenate((RGB[..., ::-1], ALPHA), 2), RGB),
        ("mono8", GREY, GREY),
        ("8UC1", GREY, GREY),
    ],
)
@pytest.mark.parametrize("padding", [0, 7])
def test_eight_bit_encodings(encoding, sent, expected, padding):
    rows = np.ascontiguousarray(sent).reshape(12, -1)
    data = np.pad(rows, ((0, 0), (0, padding))).tobytes()
    image = decode_raw(data, encoding=encoding, width=17, height=12, step=rows.shape[1] + padding)
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("bits", [8, 16])
def test_bayer_patterns_become_colours(pattern, bits):
    # Left half dark, right half orange: the 16-bit stretch needs a darkest and a brightest pixel.
    colours = {"r": 255, "g": 128, "b": 0}
    mosaic = np.zeros((16, 24), np.uint8)
    for place, channel in enumerate(pattern):
        mosaic[place // 2 :: 2, 12 + place % 2 :: 2] = colours[channel]
    samples = mosaic if bits == 8 else mosaic.astype("<u2") * 16
    image = decode_raw(
        samples.tobytes(), encoding=f"bayer_{pattern}{bits}", width=24, height=16, step=0
    )
    assert image.shape == (16, 24, 3)
    np.testing.assert_allclose(image[4:12, 16:20], np.full((8, 4, 3), (255, 128, 0)), atol=2)
    np.testing.assert_array_equal(image[4:12, 2:8], 0)


def test_a_bayer_image_of_one_row_is_refused():
    with pytest.raises(InputError, match="no whole pattern"):
        decode_raw(bytes(8), encoding="bayer_rggb8", width=8, height=1, step=0)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, lambda data: array("B", data)])
def test_any_buffer_will_do(wrap):
    data = wrap(GREY.tobytes())
    image = decode_raw(data, encoding="mono8", width=17, height=12, step=0)
    np.testing.assert_array_equal(image, GREY)


def test_unknown_encoding_lists_the_known_ones():
    with pytest.raises(InputError) as caught:
        decode_raw(b"", encoding="bayer_rggb12", width=4, height=4, step=4)
    assert "bayer_rggb12" in str(caught.value)
    assert all(name in str(caught.value) for name in KNOWN_ENCODINGS)


@pytest.mark.parametrize(
    ("size", "width", "height", "step"),
    [(100, 0, 4, 4), (100, 4, 0, 4), (15, 4, 4, 4), (100, 4, 4, 3), (0, 4, 4, 4)],
)
def test_data_that_do_not_fit_are_one_error(size, width, height, step):
    with pytest.raises(InputError):
        decode_raw(bytes(size), encoding="mono8", width=width, height=height, step=step)


def decode(encoding, samples, height=HEIGHT, **more):
    """Of samples (rows, ...) as a driver sends them, without padding."""
    samples = np.ascontiguousarray(samples)
    step = samples.strides[0]
    return decode_raw(
        samples.tobytes(), encoding=encoding, width=WIDTH, height=height, step=step, **more
    )


@pytest.mark.parametrize("encoding", SENT)
def test_colours_come_out_as_they_went_in(encoding):
    image = decode(encoding, SENT[encoding]())

    assert image.shape == PICTURE.shape
    np.testing.assert_allclose(centres(image), COLOURS, atol=3)


@pytest.mark.parametrize("encoding", [name for name in CV_BRIDGE if not name.startswith("mono")])
def test_colours_are_those_of_cv_bridge(encoding):
    np.testing.assert_allclose(
        centres(decode(encoding, SENT[encoding]())), CV_BRIDGE[encoding], atol=3
    )


@pytest.mark.skipif(bridge._bridge() is None, reason="cv_bridge is not installed")
@pytest.mark.parametrize("encoding", bridge.READS)
def test_the_installed_cv_bridge_gives_the_same_picture(encoding, monkeypatch):
    samples = SENT[encoding]()
    by_bridge = bridge.to_rgb(samples.astype(samples.dtype.newbyteorder("=")), encoding)
    if by_bridge is None:
        pytest.skip(f"this cv_bridge does not read {encoding}")
    monkeypatch.setattr(bridge, "_bridge", lambda: None)

    difference = np.abs(decode(encoding, samples).astype(int) - by_bridge)

    assert difference[2:-2, 2:-2].max() <= 3


def test_a_cv_bridge_that_knows_more_is_asked(monkeypatch):
    class NewerBridge:
        def imgmsg_to_cv2(self, message, encoding):
            assert (message.encoding, encoding) == ("rgb5000", "rgb8")
            return np.full((message.height, message.width, 3), 77, np.uint8)

    monkeypatch.setattr(bridge, "_bridge", NewerBridge)

    image = decode_raw(bytes(12), encoding="rgb5000", width=2, height=2, step=6)

    assert (image == 77).all()


@pytest.mark.parametrize("encoding", GREY_SENT)
def test_grey_keeps_its_order_and_uses_the_levels_there_are(encoding):
    image = decode(encoding, GREY_SENT[encoding]())

    found = centres(image)
    assert image.shape == (HEIGHT, WIDTH)
    order = np.argsort(COLOURS[:, 1], kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert found.max() - found.min() > 80


@pytest.mark.parametrize("encoding", ["mono16", "rgb16", "bayer_rggb16", "16SC1", "32FC1", "64FC3"])
def test_either_byte_order_gives_the_same_picture(encoding):
    samples = {**SENT, **GREY_SENT}[encoding]()

    turned = decode(encoding, samples.astype(samples.dtype.newbyteorder(">")), big_endian=True)

    np.testing.assert_array_equal(turned, decode(encoding, samples))


@pytest.mark.parametrize("size", [None, (WIDTH // 2, HEIGHT // 2), (2 * WIDTH, 2 * HEIGHT)])
@pytest.mark.parametrize(
    "encoding", [name for name in (*SENT, *GREY_SENT) if not name.startswith("nv")]
)
def test_rows_may_be_padded_by_any_number_of_bytes_and_the_data_begin_anywhere(encoding, size):
    samples = np.ascontiguousarray({**SENT, **GREY_SENT}[encoding]())
    rows = samples.view(np.uint8).reshape(HEIGHT, -1)
    expected = decode(encoding, samples, size=size)
    for padding, offset in [(1, 0), (2, 1), (3, 0), (4, 0), (0, 1)]:
        padded = np.pad(rows, ((0, 0), (0, padding)))
        data = memoryview(bytes(offset) + padded.tobytes())[offset:]
        image = decode_raw(
            data, encoding=encoding, width=WIDTH, height=HEIGHT, step=padded.shape[1], size=size
        )
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("encoding", ["nv12", "nv21", "nv24"])
def test_planes_with_padded_rows_and_an_odd_height(encoding):
    height, step = HEIGHT - 3, WIDTH + 6
    y = SENT[encoding]()[:height]
    chroma = SENT[encoding]()[HEIGHT:]
    chroma = chroma.reshape(-1, WIDTH * (2 if encoding == "nv24" else 1))
    padding = step * chroma.shape[1] // WIDTH - chroma.shape[1]
    data = np.pad(y, ((0, 0), (0, 6))).tobytes() + np.pad(chroma, ((0, 0), (0, padding))).tobytes()

    image = decode_raw(data, encoding=encoding, width=WIDTH, height=height, step=step)

    assert image.shape == (height, WIDTH, 3)
    np.testing.assert_allclose(centres(image), COLOURS, atol=3)


@pytest.mark.parametrize("encoding", [*SENT, *GREY_SENT])
def test_a_smaller_size_is_the_same_picture(encoding):
    samples = {**SENT, **GREY_SENT}[encoding]()

    small = decode(encoding, samples, size=(WIDTH // 2, HEIGHT // 2))

    # Edges between colours are mixed; the middle of a patch is not.
    expected = centres(decode(encoding, samples))
    half = small[4::8, 4::8].reshape(len(COLOURS), -1).squeeze()
    np.testing.assert_allclose(half, expected, atol=12 if encoding in GREY_SENT else 4)


@pytest.mark.parametrize("encoding", ["32FC1", "64FC1", "32FC3"])
def test_what_is_not_a_number_is_black_and_spoils_nothing(encoding):
    samples = {**SENT, **GREY_SENT}[encoding]().copy()
    before = decode(encoding, samples)
    samples.reshape(HEIGHT, -1)[20:28, 20] = [np.nan, np.inf, -np.inf, np.nan] * 2

    after = decode(encoding, samples)

    hit = ~np.isfinite(samples)
    hit = hit[..., ::-1] if hit.ndim == 3 else hit  # BGR went in, RGB came out
    assert (after[hit] == 0).all()
    np.testing.assert_allclose(after[~hit].astype(int), before[~hit], atol=2)


def test_sixteen_bit_colours_of_twelve_bits_are_as_cv_bridge_has_them():
    image = decode("rgb16", (wide(PICTURE) >> 4).astype("<u2"))

    assert image.max() == 16


@pytest.mark.parametrize(
    ("encoding", "width", "height", "step", "size", "said"),
    [
        ("rgb8", 640, 480, 100, 921600, "its step is 100 bytes, but 640 pixels need 1920"),
        ("rgb8", 640, 480, 1920, 48000, "480 rows of 1920 bytes need 921600 bytes, but it has 480"),
        ("mono8", 0, 480, 0, 0, "0x480 has no pixels"),
        ("yuyv", 5, 4, 10, 40, "odd width, 5"),
        ("nv12", 5, 4, 5, 40, "odd width, 5"),
        ("nv12", 16, 16, 16, 256, "24 rows of 16 bytes need 384"),
        ("8UC7", 4, 4, 28, 112, "8UC7"),
    ],
)
def test_messages_say_what_contradicts_what(encoding, width, height, step, size, said):
    with pytest.raises(InputError, match=said):
        decode_raw(bytes(size), encoding=encoding, width=width, height=height, step=step)


def test_the_last_row_may_lack_its_padding():
    rows = np.zeros((12, 20), np.uint8)
    rows[:, :17] = GREY

    image = decode_raw(rows.tobytes()[:-3], encoding="mono8", width=17, height=12, step=20)

    np.testing.assert_array_equal(image, GREY)
