# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Twelve colours as images of every encoding, made without any library's conversion."""

from collections.abc import Callable

import numpy as np

SIDE, COLUMNS, ROWS = 16, 4, 3
COLOURS = np.array(
    [
        (0, 0, 0),
        (255, 255, 255),
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 255, 0),
        (0, 255, 255),
        (255, 0, 255),
        (128, 128, 128),
        (255, 128, 0),
        (10, 200, 120),
        (200, 60, 90),
    ],
    np.uint8,
)
PICTURE = COLOURS.reshape(ROWS, COLUMNS, 3).repeat(SIDE, 0).repeat(SIDE, 1)
HEIGHT, WIDTH = PICTURE.shape[:2]
GREY = PICTURE[..., 1]


def centres(image: np.ndarray) -> np.ndarray:
    """The middle pixel of every colour, int (12[, 3])."""
    half = SIDE // 2
    return image[half::SIDE, half::SIDE].reshape(len(COLOURS), -1).squeeze().astype(int)


def wide(samples: np.ndarray) -> np.ndarray:
    """8 bits as 16, of the whole range."""
    return (samples.astype(np.uint32) * 257).astype("<u2")


def with_alpha(samples: np.ndarray) -> np.ndarray:
    return np.dstack([samples, np.full(samples.shape[:2], 9, np.uint8)])


def yuv() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ITU-R BT.601, luma 16 to 235."""
    r, g, b = np.moveaxis(PICTURE.astype(float), 2, 0)
    y = 16 + 0.257 * r + 0.504 * g + 0.098 * b
    u = 128 - 0.148 * r - 0.291 * g + 0.439 * b
    v = 128 + 0.439 * r - 0.368 * g - 0.071 * b
    y, u, v = (np.rint(plane).astype(np.uint8) for plane in (y, u, v))
    return y, u, v


def packed(luma: int) -> np.ndarray:
    """YUV 4:2:2, with the luma in byte `luma` of every pixel's two."""
    y, u, v = yuv()
    samples = np.empty((HEIGHT, WIDTH, 2), np.uint8)
    samples[..., luma] = y
    samples[:, ::2, 1 - luma], samples[:, 1::2, 1 - luma] = u[:, ::2], v[:, ::2]
    return samples


def planes(step: int, swapped: bool = False) -> np.ndarray:
    """Luma, then chroma pairs of every `step`th row and column, in rows as long as the luma's."""
    y, u, v = yuv()
    pairs = np.dstack([v, u] if swapped else [u, v])[::step, ::step]
    return np.concatenate([y, pairs.reshape(-1, WIDTH)])


def mosaic(pattern: str) -> np.ndarray:
    samples = np.empty((HEIGHT, WIDTH), np.uint8)
    for place, colour in enumerate(pattern):
        y, x = divmod(place, 2)
        samples[y::2, x::2] = PICTURE[y::2, x::2, "rgb".index(colour)]
    return samples


BGR = PICTURE[..., ::-1]
SENT: dict[str, Callable[[], np.ndarray]] = {
    "rgb8": lambda: PICTURE,
    "bgr8": lambda: BGR,
    "rgba8": lambda: with_alpha(PICTURE),
    "bgra8": lambda: with_alpha(BGR),
    "rgb16": lambda: wide(PICTURE),
    "bgr16": lambda: wide(BGR),
    "rgba16": lambda: wide(with_alpha(PICTURE)),
    "bgra16": lambda: wide(with_alpha(BGR)),
    "yuv422": lambda: packed(1),
    "uyvy": lambda: packed(1),
    "yuv422_yuy2": lambda: packed(0),
    "yuyv": lambda: packed(0),
    "nv12": lambda: planes(2),
    "nv21": lambda: planes(2, swapped=True),
    "nv24": lambda: planes(1),
    "8UC3": lambda: BGR,
    "8UC4": lambda: with_alpha(BGR),
    "16UC3": lambda: wide(BGR),
    "16UC4": lambda: wide(with_alpha(BGR)),
    "8SC3": lambda: (BGR.astype(int) - 128).astype("i1"),
    "8SC4": lambda: (with_alpha(BGR).astype(int) - 128).astype("i1"),
    "16SC3": lambda: (BGR.astype(int) * 100 - 9000).astype("<i2"),
    "16SC4": lambda: (with_alpha(BGR).astype(int) * 100 - 9000).astype("<i2"),
    "32SC3": lambda: BGR.astype("<i4") * 9000,
    "32SC4": lambda: with_alpha(BGR).astype("<i4") * 9000,
    "32FC3": lambda: BGR.astype("<f4") / 255,
    "32FC4": lambda: with_alpha(BGR).astype("<f4") / 255,
    "64FC3": lambda: BGR.astype("<f8") / 255,
    "64FC4": lambda: with_alpha(BGR).astype("<f8") / 255,
}
for _pattern in ("rggb", "bggr", "gbrg", "grbg"):
    SENT[f"bayer_{_pattern}8"] = lambda pattern=_pattern: mosaic(pattern)
    SENT[f"bayer_{_pattern}16"] = lambda pattern=_pattern: wide(mosaic(pattern))
"""Encodings of colours, and the samples (rows, ...) that stand for PICTURE in them."""

GREY_SENT: dict[str, Callable[[], np.ndarray]] = {
    "mono8": lambda: GREY,
    "8UC1": lambda: GREY,
    "8U": lambda: GREY,
    "8UC2": lambda: np.dstack([GREY, 255 - GREY]),
    "mono16": lambda: wide(GREY),
    "16UC1": lambda: wide(GREY),
    "16U": lambda: wide(GREY),
    "16UC2": lambda: np.dstack([wide(GREY), wide(255 - GREY)]),
    "8SC1": lambda: (GREY.astype(int) - 128).astype("i1"),
    "8SC2": lambda: np.dstack([(GREY.astype(int) - 128).astype("i1")] * 2),
    "16SC1": lambda: (GREY.astype(int) * 100 - 9000).astype("<i2"),
    "16SC2": lambda: np.dstack([(GREY.astype(int) * 100 - 9000).astype("<i2")] * 2),
    "32SC1": lambda: GREY.astype("<i4") * 70000,
    "32SC2": lambda: np.dstack([GREY.astype("<i4")] * 2),
    "32FC1": lambda: GREY.astype("<f4") / 7 - 3,
    "32F": lambda: GREY.astype("<f4"),
    "32FC2": lambda: np.dstack([GREY.astype("<f4")] * 2),
    "64FC1": lambda: GREY.astype("<f8") * 1e6,
    "64FC2": lambda: np.dstack([GREY.astype("<f8")] * 2),
}
"""Encodings of one channel, and the samples that stand for GREY in them."""
