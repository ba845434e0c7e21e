# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rANS in plain Python, for machines where the kernel could not be built (kernel.py).

J. Duda, "Asymmetric numeral systems", arXiv:1311.2540; the state and its words are those of F.
Giesen's rans64, the escapes compressai's: a distribution's last entry, then the number of nibbles
in a nibble, then the nibbles, lowest first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL, PRECISION, Bank
from sc2_ros.errors import PacketError

_LOW = 1 << 31
_WORD_BITS, _WORD = 32, (1 << 32) - 1
_NIBBLE_BITS, _NIBBLE = 4, 15
_MOST_NIBBLES = 4
_STATE_BYTES = 8


class PlainBank:
    """A `Bank` as lists, which the interpreter walks faster than arrays."""

    def __init__(self, bank: Bank) -> None:
        """Table numbers begin at 1."""
        rows = zip(bank.cdfs, bank.sizes, strict=True)
        self.cdfs = [[0, 1], *(cdf[:size].tolist() for cdf, size in rows)]
        self.offsets = [0, *bank.offsets.tolist()]

    def encode(self, tables: Iterable[int], symbols: Iterable[int]) -> bytes:
        """The rANS string of symbols, each with its table, none of them 0."""
        parts = [self._parts(table, symbol) for table, symbol in zip(tables, symbols, strict=True)]
        if not parts:
            return b""
        state, words = _LOW, []
        for part in reversed(parts):
            for start, bits, size in reversed(part):
                if state >= size << (31 - bits + _WORD_BITS):
                    words.append(state & _WORD)
                    state >>= _WORD_BITS
                state = ((state // size) << bits) + state % size + start
        words += [state >> _WORD_BITS, state & _WORD]
        return np.array(words[::-1], "<u4").tobytes()

    def _parts(self, table: int, symbol: int) -> list[tuple[int, int, int]]:
        """(start, bits, size) of what a symbol is written as."""
        cdf = self.cdfs[table]
        last, value = len(cdf) - 2, symbol - self.offsets[table]
        if 0 <= value < last:
            return [(cdf[value], PRECISION, cdf[value + 1] - cdf[value])]
        raw = -2 * value - 1 if value < 0 else 2 * (value - last)
        count = -(-raw.bit_length() // _NIBBLE_BITS)
        nibbles = [count, *(raw >> _NIBBLE_BITS * i & _NIBBLE for i in range(count))]
        escape = (cdf[last], PRECISION, cdf[last + 1] - cdf[last])
        return [escape, *((nibble, _NIBBLE_BITS, 1) for nibble in nibbles)]


class PlainReader:
    """Decodes a rANS string piece by piece; see rans.SymbolReader."""

    def __init__(self, bank: PlainBank, data: bytes) -> None:
        self._bank = bank
        self._data, self._at = data, _STATE_BYTES
        # Of an empty string nothing can be asked, nor of one too short for a state.
        self._state = int.from_bytes(data[:_STATE_BYTES], "little") if data else _LOW
        self._state *= len(data) >= _STATE_BYTES or not data

    def decode(self, tables: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
        """The next symbols, given their tables, none of them 0."""
        found = [self._symbol(int(table)) for table in tables.tolist()]
        if found and not -MAX_SYMBOL <= min(found) <= max(found) <= MAX_SYMBOL:
            raise PacketError("rANS payload holds symbols out of range: damaged or not ours")
        return np.array(found, np.int8)

    def _symbol(self, table: int) -> int:
        cdf = self._bank.cdfs[table]
        slot = self._state & (1 << PRECISION) - 1
        value = bisect_right(cdf, slot) - 1
        size = cdf[value + 1] - cdf[value]
        self._state = size * (self._state >> PRECISION) + slot - cdf[value]
        self._refill()
        last = len(cdf) - 2
        if value == last:
            count = self._nibble()
            if count > _MOST_NIBBLES:
                raise PacketError("rANS payload is damaged or not ours")
            raw = sum(self._nibble() << _NIBBLE_BITS * i for i in range(count))
            value = -(raw >> 1) - 1 if raw & 1 else (raw >> 1) + last
        symbol: int = value + self._bank.offsets[table]
        return symbol

    def _nibble(self) -> int:
        value: int = self._state & _NIBBLE
        self._state >>= _NIBBLE_BITS
        self._refill()
        return value

    def _refill(self) -> None:
        if self._state >= _LOW:
            return
        word = self._data[self._at : self._at + _WORD_BITS // 8]
        if len(word) < _WORD_BITS // 8:
            raise PacketError("rANS payload is damaged or not ours")
        self._at += len(word)
        self._state = self._state << _WORD_BITS | int.from_bytes(word, "little")

    def check_done(self) -> None:
        """Raise PacketError unless all was read: the encoder began with this state."""
        if self._state != _LOW or self._at < len(self._data):
            raise PacketError("rANS payload is damaged or not ours")
