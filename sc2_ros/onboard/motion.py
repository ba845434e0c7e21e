# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the picture moved since a reference, from two thumbnails; and how to lay the grid for it.

::

    picture -> grey thumbnail, about 160 px wide
    two of them -> less apart than half a pixel of motion puts them: standing still
                -> else phase correlation -> Lucas-Kanade on corners -> similarity by RANSAC
                -> kept if the corners lie all over the picture, not on one thing that moves
                   and if it explains the picture better than standing still
                -> origin of the latent grid, Motion between the grids

A latent changes when the picture moves within the 16 px of a position, so the grid moves along with
the picture: on a panning camera that halves what has to be sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.codec.wire import Geometry, Motion
from sc2_ros.codec.wire.header import STRIDE
from sc2_ros.codec.wire.predicted import NO_MOTION, TURN_UNIT
from sc2_ros.network.imaging import Image

THUMBNAIL_WIDTH = 160
_CORNERS = 80
_LEAST_CORNERS = 10
_WINDOW = (11, 11)
_LEVELS = 2
_ENOUGH = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.02)
_STILL = 0.35
"""Difference of two thumbnails, as a share of that between one and itself a pixel beside, below
which the camera stands: the grid follows motion by half a thumbnail's pixel and more."""
_LEAST_RESPONSE = 0.1
_LEAST_SPREAD = 0.2
"""Standard deviation of the corners that move together, as a share of the thumbnail's sides; 0.29
is that of corners all over it. One car on a plain road had moved the whole grid."""
_BETTER = 0.97
_LEAST_MOVE = 3.0
"""Pixels. What the network finds on another grid differs by more than so small a motion costs: at
rate index 0.1 and two frames per second, 34 frames, KIT took 171 bytes with 2 and with 3, and
agreed with the uncompressed frames to 0.372 and 0.488; the hovering flight 412 bytes, 0.843, and
420, 0.878. With 4, what pans is not followed any more (261 bytes become 321)."""
_COARSE_STEP, _WORTH_IT = 8, 1 / 3
"""Where single pixels leave more than this share of the misalignment that multiples of 8 leave, the
picture has turned or come nearer rather than moved, and the grid moves by multiples of 8. That
takes as many bytes there, and what the network finds on the new grid is more like what it found on
the old one: docs/temporal.md."""
_LEAST_ALIKE = 0.25
_MOST_TURN = 127
_MOST_SHIFT = 1 << 14

Floats = npt.NDArray[np.float64]
STILL: Floats = np.eye(2, 3)
_POINTS: Floats = np.mgrid[-0.9:0.9:7j, -0.9:0.9:7j].reshape(2, -1).T
"""Evenly over a picture whose half sides are 1."""


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A small grey picture: (h, w) uint8, and how many pixels of the picture make one of it."""

    grey: npt.NDArray[np.uint8]
    scale: tuple[float, float]


def thumbnail(image: Image) -> Thumbnail:
    """The thumbnail of an image uint8 (H, W[, 3])."""
    height, width = image.shape[:2]
    factor = max(width // THUMBNAIL_WIDTH, 1)
    size = (max(width // factor, 1), max(height // factor, 1))
    # Green is most of the luma, and a third of the work.
    plane = cv2.extractChannel(image, 1) if image.ndim == 3 else image
    grey = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return Thumbnail(grey.astype(np.uint8, copy=False), (width / size[0], height / size[1]))


def estimate(reference: Thumbnail, frame: Thumbnail) -> Floats:
    """The similarity (2, 3) that maps pixels of the frame to where they were in the reference.

    Both have the same size. Where nothing better is found, the identity.
    """
    old, new = reference.grey, frame.grey
    if min(new.shape) < 32 or _stands(old, new):
        return STILL
    corners = cv2.goodFeaturesToTrack(new, _CORNERS, 0.01, 6)
    if corners is None or len(corners) < _LEAST_CORNERS:
        return STILL
    window = _window(*new.shape)
    shift, response = cv2.phaseCorrelate(old.astype(np.float32), new.astype(np.float32), window)
    guess = corners - np.array(shift, np.float32) if response > _LEAST_RESPONSE else corners.copy()
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        new,
        old,
        corners,
        guess,
        winSize=_WINDOW,
        maxLevel=_LEVELS,
        criteria=_ENOUGH,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    good = status.ravel() == 1
    if good.sum() < _LEAST_CORNERS:
        return STILL
    found, inliers = cv2.estimateAffinePartial2D(
        corners[good], moved[good], method=cv2.RANSAC, ransacReprojThreshold=1.0, maxIters=200
    )
    if found is None or not _spread(corners[good][inliers == 1], new):
        return STILL
    if not _explains(found, old, new):
        return STILL
    similarity: Floats = found.astype(np.float64)
    # The middles of pixels are what thumbnails share with the picture.
    scale = np.array(frame.scale)
    half = np.array([0.5, 0.5])
    offset = similarity[:, 2] + similarity[:, :2] @ -half + half
    similarity[:, 2] = offset * scale
    return similarity


def is_cut(reference: Thumbnail, frame: Thumbnail) -> bool:
    """Whether two thumbnails, where nothing moved, have nothing in common: their correlation."""
    both = (reference.grey.astype(np.float32), frame.grey.astype(np.float32))
    old, new = (cv2.subtract(grey, cv2.mean(grey)) for grey in both)
    alone = cv2.norm(old, cv2.NORM_L2) * cv2.norm(new, cv2.NORM_L2)
    return float(np.vdot(old, new)) < _LEAST_ALIKE * alone


def align(similarity: Floats, reference: Geometry) -> tuple[tuple[int, int], Motion]:
    """The origin to give a frame's grid, and its motion against the reference's.

    similarity: of `estimate`, in pixels of the network's input. The frame has the same sizes as the
    reference.
    """
    if similarity is STILL:
        return reference.origin, NO_MOTION
    turning, shift = similarity[:, :2], similarity[:, 2]
    middle = np.array(reference.encoded_size) / 2
    moved = turning @ middle + shift - middle
    if np.abs(moved).max() > _MOST_SHIFT:
        turning, shift, moved = STILL[:, :2], STILL[:, 2], np.zeros(2)
    steps = np.rint(moved).astype(int)
    # To an origin that is such a multiple, whatever the reference's is.
    coarse = _COARSE_STEP * np.rint((moved + reference.origin) / _COARSE_STEP).astype(int)
    coarse = coarse - reference.origin
    if np.abs(moved).max() < _LEAST_MOVE:
        steps[:] = 0
    else:
        least = _off(turning, moved - np.rint(moved), middle)
        if least > _WORTH_IT * _off(turning, moved - coarse, middle):
            steps = coarse
    x, y = ((np.array(reference.origin) + steps) % STRIDE).tolist()
    origin = (x, y)
    height, width = Geometry(reference.encoded_size, reference.source_size, origin).latent_shape
    grid_middle = np.array([width, height]) * (STRIDE / 2)
    target = turning @ (grid_middle - origin) + shift + reference.origin
    dx, dy = np.rint(target - grid_middle).astype(int).tolist()
    zoom = _turn(turning[0, 0] - 1)
    turn = _turn(turning[1, 0])
    return origin, Motion(dx, dy, zoom, turn)


def _off(turning: Floats, shift: Floats, middle: Floats) -> float:
    """How far positions lie from where the reference has them, pixels, on average over a picture.

    turning: (2, 2) of the similarity; shift: what the grid leaves of the move of the middle.
    """
    points = _POINTS * middle
    return float(np.linalg.norm(points @ (turning - STILL[:, :2]).T + shift, axis=1).mean())


def _stands(old: npt.NDArray[np.uint8], new: npt.NDArray[np.uint8]) -> bool:
    """Whether the two are nearer to each other than a small motion would leave them."""
    across = cv2.norm(new[:, 1:], new[:, :-1], cv2.NORM_L1)
    down = cv2.norm(new[1:], new[:-1], cv2.NORM_L1)
    return cv2.norm(old, new, cv2.NORM_L1) < _STILL * min(across, down)


@lru_cache(maxsize=8)
def _window(height: int, width: int) -> npt.NDArray[Any]:
    return cv2.createHanningWindow((width, height), cv2.CV_32F)


def _explains(similarity: Floats, old: npt.NDArray[np.uint8], new: npt.NDArray[np.uint8]) -> bool:
    """Whether the reference, moved, is nearer to the frame than as it is."""
    warped = cv2.warpAffine(
        old,
        similarity,
        new.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.norm(warped, new, cv2.NORM_L1) < _BETTER * cv2.norm(old, new, cv2.NORM_L1)


def _spread(corners: npt.NDArray[np.float32], grey: npt.NDArray[np.uint8]) -> bool:
    """Whether corners (n, 2) lie all over a thumbnail, and not on one thing that moves in it."""
    least = _LEAST_SPREAD * np.array(grey.shape[::-1])
    return bool((corners.std(axis=0) >= least).all())


def _turn(value: float) -> int:
    return int(np.clip(np.rint(value / TURN_UNIT), -_MOST_TURN, _MOST_TURN))
