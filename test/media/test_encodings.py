# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS image encodings to arrays."""

from array import array

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.errors import InputError
from sc2_ros.media.encodings import KNOWN_ENCODINGS, decode_compressed, decode_raw, stretch

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (12, 17, 3), dtype=np.uint8)
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


@pytest.mark.parametrize("encoding", ["mono16", "16UC1"])
@pytest.mark.parametrize("big_endian", [False, True])
def test_sixteen_bit_grey_is_stretched(encoding, big_endian):
    scene = np.linspace(7000, 7999, 120 * 160).reshape(120, 160).astype(np.uint16)
    data = scene.astype(">u2" if big_endian else "<u2").tobytes()
    image = decode_raw(
        data, encoding=encoding, width=160, height=120, step=320, big_endian=big_endian
    )
    assert image.dtype == np.uint8
    assert image[0, 0] == 0
    assert image[-1, -1] == 255
    assert image[60, 0] == pytest.approx(128, abs=2)
    assert np.all(np.diff(image.ravel().astype(int)) >= 0)


def test_dead_pixels_do_not_darken_the_picture():
    scene = np.tile(np.linspace(7000, 7999, 160), (120, 1)).astype(np.uint16)
    scene[10, 10], scene[20, 20] = 65535, 0
    image = stretch(scene)
    assert image[50, 80] == pytest.approx(128, abs=3)
    assert (image[10, 10], image[20, 20]) == (255, 0)


def test_a_blank_wall_is_not_all_noise():
    scene = 7000 + RNG.integers(0, 3, (64, 64)).astype(np.uint16)
    assert stretch(scene).max() < 16


@pytest.mark.parametrize("image", [GREY, RGB], ids=["grey", "colour"])
def test_png_is_exact(image):
    stored = image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
    data = cv2.imencode(".png", stored)[1].tobytes()
    np.testing.assert_array_equal(decode_compressed(data), image)


def test_png_with_alpha_and_sixteen_bits():
    rgba = np.dstack((RGB[..., ::-1], ALPHA))
    np.testing.assert_array_equal(decode_compressed(cv2.imencode(".png", rgba)[1]), RGB)
    deep = (RGB[..., ::-1].astype(np.uint16) << 8) + 7
    np.testing.assert_array_equal(decode_compressed(cv2.imencode(".png", deep)[1]), RGB)
    thermal = np.tile(np.arange(7000, 8000, 10, dtype=np.uint16), (50, 1))
    decoded = decode_compressed(cv2.imencode(".png", thermal)[1])
    np.testing.assert_array_equal(decoded, stretch(thermal))


def test_jpeg_keeps_colours_in_place():
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 250
    image = decode_compressed(cv2.imencode(".jpg", red[..., ::-1])[1].tobytes())
    np.testing.assert_allclose(image.mean((0, 1)), (250, 0, 0), atol=5)


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


@given(st.binary(max_size=200))
def test_random_compressed_data_are_one_error(data):
    with pytest.raises(InputError):
        decode_compressed(data)
