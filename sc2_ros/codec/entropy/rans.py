# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rANS: symbols to bytes and back, each with a table of a bank.

J. Duda, "Asymmetric numeral systems", arXiv:1311.2540. The bytes are those of F. Giesen's rans64 as
compressai wraps it, from the kernel (kernel.py) or from plain Python (plain_rans.py).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy import kernel
from sc2_ros.codec.entropy.cdf import Bank
from sc2_ros.codec.entropy.plain_rans import PlainBank, PlainReader
from sc2_ros.errors import PacketError

WORD_BYTES = 4
STATE_BYTES = 8


class SymbolReader(Protocol):
    """Decodes the symbols of one string, some at a time."""

    def decode(self, tables: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
        """The next symbols, given their table numbers (n,), none of them NOT_CODED.

        Raises:
            PacketError: the bytes are none that an encoder makes.
        """

    def check_done(self) -> None:
        """Raise PacketError unless what was read is all there is."""


class SymbolCoder:
    """rANS with the tables of a bank."""

    def __init__(self, bank: Bank) -> None:
        """Lay the bank out, once."""
        if kernel.library is not None:
            self._compiled = kernel.CompiledBank.of(bank)
        else:
            self._plain = PlainBank(bank)

    def encode(self, symbols: npt.ArrayLike, tables: npt.ArrayLike) -> bytes:
        """Code symbols -127 .. 127 (n,), each with its table, none of them NOT_CODED.

        Returns:
            A whole number of 32-bit words, at least two unless there were no symbols.
        """
        values, numbers = np.asarray(symbols, np.int8), np.asarray(tables, np.uint8)
        if kernel.library is not None:
            return kernel.rans_encode(self._compiled, numbers, values)
        return self._plain.encode(numbers.tolist(), values.tolist())

    def reader(self, data: bytes) -> SymbolReader:
        """A reader of one byte string."""
        if kernel.library is not None:
            return kernel.CompiledReader(self._compiled, data)
        return PlainReader(self._plain, data)


def trimmed(data: bytes) -> bytes:
    """A rANS string without up to three of the zero bytes that its state ends with.

    Its length tells how many, as it is a multiple of 4 with them.
    """
    if not data:
        return data
    state = data[:STATE_BYTES]
    kept = max(len(state.rstrip(b"\0")), STATE_BYTES - WORD_BYTES + 1)
    return state[:kept] + data[STATE_BYTES:]


def untrimmed(data: bytes) -> bytes:
    """What `trimmed` was given.

    Raises:
        PacketError: too short for a state.
    """
    missing = -len(data) % WORD_BYTES
    at = STATE_BYTES - missing
    if 0 < len(data) < at:
        raise PacketError(f"rANS payload of {len(data)} bytes; expected at least {at}")
    return data[:at] + bytes(missing) + data[at:]
