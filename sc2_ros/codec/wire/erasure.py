# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An erasure code: from any n of n blocks and their r repair blocks, the n blocks.

    blocks (n, bytes) --Cauchy matrix (r, n) over GF(256)--> repair blocks (r, bytes)

A systematic maximum distance separable code (J. Bloemer et al., "An XOR-based erasure-resilient
coding scheme", 1995; the field is that of RFC 5510, section 8.1). The columns of the Cauchy matrix
are scaled so that the first repair block is the exclusive or of all blocks. numpy does the work: a
block is multiplied by looking its bytes up in one row of a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

MAX_BLOCKS = 256
"""Blocks and repair blocks together: every one needs an element of the field of its own."""
_POLYNOMIAL = 0x11D


def _field() -> tuple[Bytes, Bytes]:
    """Products (256, 256) and inverses (256,) of GF(256); the inverse of 0 is of no meaning."""
    power, log = np.zeros(510, np.int64), np.zeros(256, np.int64)
    element = 1
    for exponent in range(255):
        power[exponent] = power[exponent + 255] = element
        log[element] = exponent
        element <<= 1
        if element > 255:
            element ^= _POLYNOMIAL
    product = power[log[:, None] + log]
    product[0] = product[:, 0] = 0
    return product.astype(np.uint8), power[255 - log].astype(np.uint8)


_PRODUCT, _INVERSE = _field()


@lru_cache(maxsize=256)
def _row(repair: int, count: int) -> Bytes:
    """Row `repair` of the matrix for `count` blocks, (count,) uint8; row 0 is all ones."""
    blocks = np.arange(count)
    scale = (MAX_BLOCKS - 1) ^ blocks
    row: Bytes = _PRODUCT[scale, _INVERSE[(MAX_BLOCKS - 1 - repair) ^ blocks]]
    return row


def repair_block(blocks: Sequence[bytes], repair: int) -> bytes:
    """Repair block number `repair` of blocks that are padded with zeros to the longest of them.

    Raises:
        ValueError: more than 256 blocks and repair blocks.
    """
    if not 0 <= repair < MAX_BLOCKS - len(blocks):
        raise ValueError(f"repair block {repair} of {len(blocks)} blocks; at most {MAX_BLOCKS}")
    found = np.zeros(max(map(len, blocks), default=0), np.uint8)
    for factor, block in zip(_row(repair, len(blocks)), blocks, strict=True):
        found[: len(block)] ^= _PRODUCT[factor][np.frombuffer(block, np.uint8)]
    return found.tobytes()


def recover(
    blocks: Mapping[int, bytes], repairs: Mapping[int, bytes], count: int
) -> dict[int, bytes]:
    """The blocks that are missing, by number, each as long as the repair blocks.

    Args:
        blocks: those of the `count` blocks that are there, by number.
        repairs: repair blocks by number, all of one length and no block longer.
        count: how many blocks there were.

    Returns:
        All that are missing, or nothing where there are too few repair blocks.
    """
    missing = [number for number in range(count) if number not in blocks]
    if not missing or len(repairs) < len(missing):
        return {}
    rows = sorted(repairs)[: len(missing)]
    matrix = np.stack([_row(row, count) for row in rows])
    # What the missing blocks alone would have given: take the others out of the repair blocks.
    rest = np.stack([np.frombuffer(repairs[row], np.uint8) for row in rows])
    for number, block in blocks.items():
        data = np.frombuffer(block, np.uint8)
        rest[:, : len(data)] ^= _PRODUCT[matrix[:, number]][:, data]
    solved = _solve(matrix[:, missing].copy(), rest)
    return {number: block.tobytes() for number, block in zip(missing, solved, strict=True)}


def _solve(matrix: Bytes, rest: Bytes) -> Bytes:
    """Gauss and Jordan over GF(256); no pivot is zero, for all minors of a Cauchy matrix are not.

    ``matrix`` (m, m) and ``rest`` (m, bytes) are overwritten.
    """
    for pivot in range(len(matrix)):
        factor = _INVERSE[matrix[pivot, pivot]]
        matrix[pivot] = _PRODUCT[factor][matrix[pivot]]
        rest[pivot] = _PRODUCT[factor][rest[pivot]]
        for other in range(len(matrix)):
            factor = matrix[other, pivot]
            if other != pivot and factor:
                matrix[other] ^= _PRODUCT[factor][matrix[pivot]]
                rest[other] ^= _PRODUCT[factor][rest[pivot]]
    return rest
