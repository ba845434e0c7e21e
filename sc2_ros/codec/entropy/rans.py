# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""compressai's rANS coder, without compressai's torch, and safe against hostile bytes.

J. Duda, "Asymmetric numeral systems", arXiv:1311.2540; F. Giesen's rans64 is what compressai wraps.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL, Bank
from sc2_ros.errors import PacketError, Sc2Error

WORD_BYTES = 4
STATE_BYTES = 8


class _Decoder(Protocol):
    def set_stream(self, stream: bytes) -> None: ...

    def decode_stream(
        self, indexes: list[int], cdfs: list[list[int]], sizes: list[int], offsets: list[int]
    ) -> list[int]: ...


def _load_extension() -> Any:
    """Import compressai.ans alone: `import compressai` would pull torch into every process."""
    name = "compressai.ans"
    if name in sys.modules:
        return sys.modules[name]
    package = importlib.util.find_spec("compressai")
    spec = package and importlib.machinery.PathFinder.find_spec(
        name, package.submodule_search_locations
    )
    if spec is None or spec.loader is None:
        raise Sc2Error("compressai's rANS coder is not installed; run: pip install compressai")
    module = importlib.util.module_from_spec(spec)
    # Registered first, so that a later `import compressai` takes this one: the C++ types of the
    # module can be registered only once in a process.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_ans = _load_extension()


class SymbolCoder:
    """rANS with the tables of a bank."""

    def __init__(self, bank: Bank) -> None:
        """Turn the bank into the lists that compressai takes, once."""
        # Entry 0 stands for NOT_CODED, so that table numbers need no shift; it is never used.
        self._cdfs = [[0, 1, 1 << 16]]
        for cdf, size in zip(bank.cdfs, bank.sizes, strict=True):
            self._cdfs.append(cdf[:size].tolist())
        self._sizes = [3, *bank.sizes.tolist()]
        self._offsets = [0, *bank.offsets.tolist()]

    def encode(self, symbols: list[int], tables: list[int]) -> bytes:
        """Code symbols, each with its table; nothing gives nothing.

        Returns:
            A whole number of 32-bit words, at least two unless there were no symbols.
        """
        if not symbols:
            return b""
        if len(symbols) == 1:
            # compressai reserves a word for each symbol but flushes two. A second symbol, which the
            # decoder does not ask for, makes the room; it never costs another word.
            symbols, tables = [symbols[0], self._offsets[tables[0]]], tables * 2
        encoder = _ans.RansEncoder()
        data: bytes = encoder.encode_with_indexes(
            symbols, tables, self._cdfs, self._sizes, self._offsets
        )
        return data

    def decoder(self, data: bytes, most: int) -> SymbolReader:
        """A decoder for one byte string that holds at most `most` symbols.

        Raises:
            PacketError: the length is none that the encoder makes.
        """
        if len(data) % WORD_BYTES or 0 < len(data) < STATE_BYTES:
            raise PacketError(f"rANS payload of {len(data)} bytes; expected words of 4, at least 2")
        return SymbolReader(self._cdfs, self._sizes, self._offsets, data, most)


class SymbolReader:
    """Decodes the symbols of one string, some at a time."""

    def __init__(
        self,
        cdfs: list[list[int]],
        sizes: list[int],
        offsets: list[int],
        data: bytes,
        most: int,
    ) -> None:
        """See `SymbolCoder.decoder`."""
        self._tables = (cdfs, sizes, offsets)
        self._decoder: _Decoder = _ans.RansDecoder()
        self._decoder.set_stream(data + bytes(padding_bytes(len(data), most)))

    def decode(self, tables: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
        """The next symbols, given their table numbers (n,), none of them NOT_CODED.

        Raises:
            PacketError: a symbol beyond -127 .. 127, which no encoder makes.
        """
        if not len(tables):
            return np.zeros(0, np.int8)
        values = np.array(self._decoder.decode_stream(tables.tolist(), *self._tables), np.int64)
        if values.min() < -MAX_SYMBOL or values.max() > MAX_SYMBOL:
            raise PacketError("rANS payload holds symbols out of range: damaged or not ours")
        return values.astype(np.int8)


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


def padding_bytes(length: int, most: int) -> int:
    """Zero bytes to put behind `length` hostile bytes so that `most` symbols cannot overrun them.

    compressai's decoder reads on without looking at the end of its buffer. A symbol reads one word
    at most. An escape is a run of nibbles 15 that adds up to the number of nibbles to follow, and
    each nibble reads a word at most:

    - The bytes given, and 8 of state, hold 2 (length + 8) nibbles, so all runs that lie in them ask
      for at most 15 times as many nibbles.
    - In the zeros behind, a run is at most the 16 nibbles of the state long and asks for 240 more;
      nibbles are only shifted out, so after 16 of them the state is 0 and stays 0, where every
      symbol is a table's first and reads one word. Such a run happens once.
    - Shorter escapes in the zeros shift out at most 60 bits, which is two words besides the one of
      the escape itself.
    """
    nibbles = 2 * (length + STATE_BYTES)
    return WORD_BYTES * (16 * nibbles + 256 + 3 * most)
