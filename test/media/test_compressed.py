# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CompressedImage and files: the picture that was sent, or one sentence; never half a picture."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_colours import COLOURS, GREY, HEIGHT, PICTURE, WIDTH, centres, mosaic, wide

from sc2_ros.errors import InputError
from sc2_ros.media.compressed import decode_compressed, read_size

ALPHA = np.full((HEIGHT, WIDTH, 1), 9, np.uint8)
NOISY = cv2.resize(np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8), (320, 240))


def png(samples) -> bytes:
    return cv2.imencode(".png", samples)[1].tobytes()


def jpeg(samples, quality=95) -> bytes:
    return cv2.imencode(".jpg", samples, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def without_tables(data: bytes) -> bytes:
    """A JPEG without its Huffman tables, as cheap cameras send MJPEG."""
    kept, at = bytearray(data[:2]), 2
    while data[at + 1] != 0xDA:
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] != 0xC4:
            kept += data[at : at + length]
        at += length
    return bytes(kept) + data[at:]


@pytest.mark.parametrize("image", [GREY, PICTURE], ids=["grey", "colour"])
def test_png_is_exact(image):
    stored = image if image.ndim == 2 else image[..., ::-1]
    np.testing.assert_array_equal(decode_compressed(png(stored)), image)


def test_png_with_alpha_and_sixteen_bits():
    rgba = np.dstack((PICTURE[..., ::-1], ALPHA))
    np.testing.assert_array_equal(decode_compressed(png(rgba)), PICTURE)
    np.testing.assert_array_equal(decode_compressed(png(wide(PICTURE[..., ::-1]))), PICTURE)


def test_jpeg_keeps_colours_in_place():
    found = centres(decode_compressed(jpeg(PICTURE[..., ::-1])))
    np.testing.assert_allclose(found, COLOURS, atol=8)


@pytest.mark.parametrize("told", ["16UC1; png compressed ", "mono16; png compressed mono16", ""])
def test_thermal_images_in_png_are_stretched(told):
    thermal = np.tile(np.linspace(7000, 7400, WIDTH).astype(np.uint16), (HEIGHT, 1))
    image = decode_compressed(png(thermal), format=told)
    assert image.dtype == np.uint8
    assert int(image.max()) - int(image.min()) > 80


def test_sixteen_bits_that_became_eight_in_a_jpeg_are_stretched():
    # compressed_image_transport keeps the upper eight bits: of a 14-bit camera 64 levels at most.
    dark = np.tile(np.linspace(20, 40, WIDTH).astype(np.uint8), (HEIGHT, 1))
    image = decode_compressed(jpeg(dark), format="mono16; jpeg compressed mono8")
    assert int(image.max()) - int(image.min()) > 80
    np.testing.assert_allclose(decode_compressed(jpeg(dark), format="mono8; jpeg"), dark, atol=3)


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize(("bits", "kind"), [(8, "png"), (16, "png"), (8, "jpeg")])
def test_a_mosaic_gets_its_colours(pattern, bits, kind):
    samples = mosaic(pattern) if bits == 8 else wide(mosaic(pattern))
    data = png(samples) if kind == "png" else jpeg(samples, 100)

    image = decode_compressed(data, format=f"bayer_{pattern}{bits}; {kind} compressed ")

    np.testing.assert_allclose(centres(image), COLOURS, atol=12 if kind == "jpeg" else 3)


def test_a_mosaic_that_was_made_grey_before_it_was_compressed_is_grey():
    image = decode_compressed(png(GREY), format="bayer_rggb8; png compressed mono8")
    np.testing.assert_array_equal(image, GREY)


def test_a_file_with_red_and_blue_exchanged_that_says_so():
    image = decode_compressed(png(PICTURE), format="rgb8; png compressed rgb8")
    np.testing.assert_array_equal(image, PICTURE)


@pytest.mark.parametrize(
    "told", ["16UC1; compressedDepth png", "32FC1; compressedDepth", "16UC1; compressedDepth rvl"]
)
def test_compressed_depth_is_named(told):
    with pytest.raises(InputError, match="compressedDepth.*image_transport: raw"):
        decode_compressed(bytes(12) + png(wide(GREY)), format=told)


def test_motion_jpeg_without_huffman_tables():
    whole = jpeg(NOISY)
    bare = without_tables(whole)
    assert len(bare) < len(whole) - 300

    np.testing.assert_array_equal(decode_compressed(bare), decode_compressed(whole))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.98])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9", b"\0" * 99, b"\0" * 99 + b"\xff\xd9"])
@pytest.mark.parametrize("size", [None, (80, 60)])
def test_a_part_of_a_jpeg_is_no_picture_and_nothing_goes_to_stderr(share, end, size, capfd):
    data = jpeg(NOISY)
    part = data[: int(len(data) * share)] + end

    with pytest.raises(InputError, match="cut off or damaged"):
        decode_compressed(part, size=size)

    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("grey", [127, 128, 129])
def test_a_grey_picture_is_not_taken_for_a_part(grey):
    flat = np.full((64, 64, 3), grey, np.uint8)
    np.testing.assert_allclose(decode_compressed(jpeg(flat)), flat, atol=1)


def test_bytes_behind_the_end_do_no_harm():
    data = jpeg(NOISY)
    np.testing.assert_array_equal(decode_compressed(data + bytes(999)), decode_compressed(data))


def test_a_part_of_a_png_is_no_picture(capfd):
    data = png(PICTURE)
    for cut in (len(data) // 2, len(data) - 60):
        with pytest.raises(InputError, match="cut off or damaged"):
            decode_compressed(data[:cut])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("size", [(160, 120), (80, 60), (100, 90), (640, 480)])
def test_a_smaller_size_is_the_same_picture(size):
    whole = decode_compressed(jpeg(NOISY))
    small = decode_compressed(jpeg(NOISY), size=size)

    assert small.shape == (size[1], size[0], 3)
    expected = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - expected).mean() < 4


def test_the_size_is_told_by_the_first_bytes():
    assert read_size(jpeg(NOISY)[:700]) == (320, 240)
    assert read_size(png(PICTURE)[:100]) == (WIDTH, HEIGHT)
    assert read_size(b"no picture") is None


def test_other_kinds_of_files(tmp_path):
    for suffix in (".webp", ".bmp", ".tiff", ".ppm"):
        data = cv2.imencode(suffix, PICTURE[..., ::-1])[1].tobytes()
        np.testing.assert_allclose(centres(decode_compressed(data)), COLOURS, atol=25)
    deep = cv2.imencode(".tiff", wide(PICTURE[..., ::-1]))[1].tobytes()
    np.testing.assert_array_equal(decode_compressed(deep), PICTURE)
    floats = cv2.imencode(".tiff", GREY.astype(np.float32))[1].tobytes()
    assert np.ptp(decode_compressed(floats).astype(int)) > 80


@given(st.binary(max_size=200))
def test_random_data_are_one_error(data):
    with pytest.raises(InputError):
        decode_compressed(data)


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=4))
def test_damage_is_a_picture_or_one_error(at, damage):
    data = bytearray(jpeg(NOISY[:64, :64]))
    at %= len(data)
    data[at : at + len(damage)] = damage
    try:
        image = decode_compressed(bytes(data))
    except InputError:
        return
    assert image.dtype == np.uint8
