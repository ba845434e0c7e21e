# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's motion from two thumbnails, and the grid that follows it."""

import cv2
import numpy as np
import pytest

from sc2_ros.codec.wire import Geometry
from sc2_ros.onboard import motion

WIDTH, HEIGHT = 480, 384
MIDDLE = np.array([WIDTH, HEIGHT]) / 2


def ground(seed=0):
    """A textured picture, uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(
            rng.normal(0, 1, (HEIGHT // size, WIDTH // size)).astype(np.float32),
            (WIDTH, HEIGHT),
            interpolation=cv2.INTER_CUBIC,
        )
        for size in (6, 16, 48)
    ]
    grey = np.clip(128 + 30 * sum(layers), 0, 255).astype(np.uint8)
    return np.dstack([grey, 255 - grey, grey // 2])


def moved(picture, similarity, noise=2.0, seed=1):
    """What a camera sees whose pixels lie, by the similarity, where they lie in the picture."""
    seen = cv2.warpAffine(
        picture,
        similarity,
        (WIDTH, HEIGHT),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    grain = np.random.default_rng(seed).normal(0, noise, seen.shape)
    return np.clip(seen + grain, 0, 255).astype(np.uint8)


def similarity(dx=0.0, dy=0.0, degrees=0.0, zoom=1.0):
    matrix = cv2.getRotationMatrix2D(tuple(MIDDLE), degrees, zoom)
    matrix[:, 2] += dx, dy
    return matrix


def found(true, picture=None):
    picture = ground() if picture is None else picture
    before, after = motion.thumbnail(picture), motion.thumbnail(moved(picture, true))
    return motion.estimate(before, after)


@pytest.mark.parametrize(
    "true",
    [
        {"dx": 12, "dy": -7},
        {"dx": -60, "dy": 31},
        {"degrees": 4},
        {"zoom": 1.06},
        {"dx": 9, "dy": 5, "degrees": -3, "zoom": 0.96},
    ],
)
def test_the_motion_is_found_to_two_pixels(true):
    true = similarity(**true)
    corners = np.array([[0, WIDTH, 0, WIDTH], [0, 0, HEIGHT, HEIGHT], [1, 1, 1, 1]])

    assert np.abs((found(true) - true) @ corners).max() < 2


@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_a_camera_that_stands_is_left_where_it_is(shift):
    """Noise is no motion, nor is what the grid would not follow."""
    estimate = found(similarity(dx=shift))
    geometry = Geometry((WIDTH, HEIGHT), (WIDTH, HEIGHT))

    assert np.array_equal(estimate, motion.STILL)
    assert motion.align(estimate, geometry) == ((0, 0), motion.Motion())


def test_grey_pictures_are_taken():
    true = similarity(dx=20)
    picture = ground()[..., 1].copy()

    assert found(true, picture)[0, 2] == pytest.approx(20, abs=1)


@pytest.mark.parametrize("other", [np.zeros((HEIGHT, WIDTH, 3), np.uint8), ground(seed=9)])
def test_pictures_that_have_nothing_in_common_stand_still(other):
    before, after = motion.thumbnail(ground()), motion.thumbnail(other)

    assert np.array_equal(motion.estimate(before, after), motion.STILL)


@pytest.mark.parametrize(("dx", "dy"), [(5, 0), (-9, 14), (33, -40)])
def test_the_grid_follows_to_the_pixel(dx, dy):
    """The picture's corner lies on the grid where its content lay in the reference."""
    reference = Geometry((WIDTH, HEIGHT), (WIDTH, HEIGHT), (4, 8))
    origin, told = motion.align(similarity(dx, dy), reference)
    # What lies at (x, y) of the frame's grid lies at (x, y) + shift of the reference's.
    shift = np.array([4 + dx, 8 + dy]) - origin
    off = (shift + 8) % 16 - 8

    assert np.abs(off).max() == 0
    assert np.abs(shift - (told.dx, told.dy)).max() <= 1
    assert (told.zoom, told.turn) == (0, 0)


@pytest.mark.parametrize("origin", [(0, 0), (3, 9)])
def test_where_the_picture_turns_the_grid_moves_by_multiples_of_8(origin):
    reference = Geometry((WIDTH, HEIGHT), (WIDTH, HEIGHT), origin)
    turned = similarity(5, -11, degrees=3)

    place, told = motion.align(turned, reference)

    assert all(part % 8 == 0 for part in place)
    assert told.turn != 0


def test_the_grid_stays_where_the_picture_hardly_moved():
    reference = Geometry((WIDTH, HEIGHT), (WIDTH, HEIGHT), (4, 8))

    assert motion.align(similarity(1.8, -1.6), reference)[0] == (4, 8)


def test_one_thing_that_moves_on_plain_ground_does_not_move_the_grid():
    """A car on a road has all the corners; the camera stands."""
    noise = np.random.default_rng(1)

    def scene(x):
        picture = noise.normal(90, 1, (HEIGHT, WIDTH, 3)).clip(0, 255).astype(np.uint8)
        picture[HEIGHT // 3 : 2 * HEIGHT // 3, x : x + WIDTH // 4] = ground()[
            : 2 * HEIGHT // 3 - HEIGHT // 3, : WIDTH // 4
        ]
        return motion.thumbnail(picture)

    assert np.array_equal(motion.estimate(scene(WIDTH // 3), scene(WIDTH // 3 + 16)), motion.STILL)
