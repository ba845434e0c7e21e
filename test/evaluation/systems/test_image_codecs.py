# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every codec gives back an image of the same size that resembles the first."""

import cv2
import numpy as np
import pytest
from PIL import features

from sc2_ros.errors import ParameterError
from sc2_ros.evaluation.systems.image_codecs import parse_codec, plain

ROWS, COLUMNS = np.mgrid[:48, :64]
GREY = (ROWS * 2 + COLUMNS).astype(np.uint8)
COLOUR = np.dstack([GREY, 255 - GREY, GREY // 2])
LOSSY = ["jpeg:80", "webp:80"] + (["avif:80"] if features.check("avif") else [])


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", LOSSY)
def test_lossy_codecs_resemble(name, image):
    codec = parse_codec(name)

    data = codec.encode(image)
    decoded = codec.decode(data)

    if decoded.ndim == 3 and image.ndim == 2:
        decoded = cv2.cvtColor(decoded, cv2.COLOR_RGB2GRAY)
    assert decoded.shape == image.shape
    assert np.abs(decoded.astype(int) - image).mean() < 4
    assert len(data) < image.nbytes
    assert codec.name == name


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_uncompressed_is_exact(image):
    codec = parse_codec("uncompressed")

    data = codec.encode(image)

    assert np.array_equal(codec.decode(data), image)
    assert len(data) == image.nbytes + 8


@pytest.mark.parametrize("text", ["jpeg", "jpeg:101", "jpeg:-1", "webp:x"])
def test_bad_qualities_are_refused(text):
    with pytest.raises(ParameterError, match="not a baseline"):
        parse_codec(text)


def test_colour_that_is_grey_is_coded_as_grey():
    codec = parse_codec("jpeg:50")

    assert codec.encode(np.dstack([GREY] * 3)) == codec.encode(GREY)
    assert np.array_equal(parse_codec("png").decode(parse_codec("png").encode(GREY)), GREY)
    assert np.array_equal(plain(COLOUR), COLOUR)


def test_jpeg_is_never_larger_than_opencv_makes_it():
    for quality in (1, 10, 30):
        _, theirs = cv2.imencode(".jpg", GREY, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert len(parse_codec(f"jpeg:{quality}").encode(GREY)) <= len(theirs)
