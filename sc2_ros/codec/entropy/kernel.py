# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled kernel (csrc/), where it could be built: what a frame may send, the walk, rANS.

It computes what the Python code beside it computes, bit for bit, without the interpreter's lock:

    0.6 - 1.7 ms instead of 3 - 4 to choose a frame's symbols, 0.2 instead of 1.8 to code them,
    1 - 2 instead of 12 to decode them (640x512, one core)

setup.py builds it as an optional extension; `library` is None where there was no compiler.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_int32, c_uint64, c_void_p
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.cdf import Bank
from sc2_ros.errors import PacketError

if TYPE_CHECKING:
    from sc2_ros.codec.entropy.context_network import ContextNetwork
    from sc2_ros.codec.entropy.walk import PredictedInput
    from sc2_ros.codec.slicing import CodingOrder

VERSION = 4
"""Of the calls; a library of another one, left over from an older build, is not used."""
BLOCK = 16
"""The kernel's hidden units are a multiple of it."""
MAX_HIDDEN = 256
_LINE_BYTES = 64
_OUT_OF_MEMORY, _OUT_OF_RANGE = -1, -3

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]


class _Fields(ctypes.Structure):
    """A structure of numbers and of pointers to arrays, which it keeps alive."""

    def __init__(self, **values: Array | int | ctypes.Structure | None) -> None:
        self.kept = tuple(values.values())
        super().__init__(**{name: _field(value) for name, value in values.items()})


def _field(value: Array | int | ctypes.Structure | None) -> int | None:
    if isinstance(value, ctypes.Structure):
        return ctypes.addressof(value)
    return value.ctypes.data if isinstance(value, np.ndarray) else value


def _members(numbers: str, pointers: str) -> list[tuple[str, Any]]:
    return [(name, c_int32) for name in numbers.split()] + [
        (name, c_void_p) for name in pointers.split()
    ]


class CompiledBank(_Fields):
    """A `Bank`, as the kernel takes it; it trusts that the bank was checked."""

    _fields_ = _members("width", "cdfs sizes offsets bits")

    @classmethod
    def of(cls, bank: Bank) -> CompiledBank:
        """Point to the bank's arrays."""
        return cls(
            width=bank.cdfs.shape[1],
            cdfs=bank.cdfs,
            sizes=bank.sizes,
            offsets=bank.offsets,
            bits=np.ascontiguousarray(bank.bits, np.float32),
        )


class Network(_Fields):
    """A context network at one rate code.

    G groups that are coded, A in all, n channels with the map, s planes of a reference, H hidden
    units, padded to a multiple of 16.

    Attributes:
        starts: (G + 1,) int32, first channel of each group, and the end.
        enter: (A, 2, 9 n + 9 s, H) int16, for each tap the channels, then for each the planes.
        enter_bias: (G, 2, H) int32.
        share_bias: (4, G, 2, H) int32, where there is a map.
        leave: (n, 2, 2, H) int16.
        leave_bias: (n, 2, 2) int32.
    """

    _fields_ = _members(
        "groups channels hidden side_planes has_map",
        "bank starts enter enter_bias share_bias leave leave_bias",
    )


class Positions(_Fields):
    """The positions of a frame or a slice in coding order, P of them.

    Attributes:
        split: how many are even ones of the checkerboard; those come first.
        places: positions of the frame that a reference tells of.
        around: (P, 9) int32, ranks of the 3x3 round each; P: not one of them.
        frame_around: (P, 9) int32, places in the frame; `places`: beyond its edge.
        planes: (places, planes) int8, what the reference says of each place.
        shares: (P,) uint8, the share class of each one's slice.
    """

    _fields_ = _members("positions split places", "around frame_around planes shares")


class Source(_Fields):
    """A frame at a rate code: C channels of which `count` are coded, P positions.

    Attributes:
        exact: (C, P) float32, latent times gain.
        rounded: (C, P) int8.
        rdoq_lambda: (P,) float32.
        moved: (C, P) int8, symbols of the reference, moved; None, as the next three: a keyframe.
        ratio: (C,) int64, what those are scaled by, in units of 1/4096.
        known: (P,) uint8, positions that the reference knows.
        was_coded: (P,) uint8, positions that were coded in the reference.
        places: (P,) int32, position of each rank.
        bounds: (2, slices + 1) int32, first rank of each slice in each phase.
    """

    _fields_ = _members(
        "channels count positions slices",
        "exact rounded rdoq_lambda moved ratio known was_coded places bounds",
    )


class CandidateArrays(_Fields):
    """What `candidates` fills in.

    Attributes:
        values: (P, C) int32 by rank: what is sent, or predicted where a position is skipped.
        rest: (P, C) float32 by rank, what rounding took off.
        rdoq_lambda: (P,) float32 by rank.
        coded: (P,) uint8 by rank; of a predicted frame, and so the next four.
        coded_at: (P,) uint8 by position.
        shares: (P,) uint8 by rank, class of its slice.
        slice_shares: (slices,) uint8.
        planes: (P, C + 2) int8 by position, as walk.PredictedInput has them.
    """

    _fields_ = _members("", "values rest rdoq_lambda coded coded_at shares slice_shares planes")


class Reader(_Fields):
    """Where a rANS string is being read."""

    _fields_ = [("at", c_void_p), ("end", c_void_p), ("state", c_uint64), ("damaged", c_int32)]


class CompiledNetwork:
    """A `ContextNetwork`, as the kernel takes it."""

    def __init__(self, network: ContextNetwork) -> None:
        """Lay out the weights, which are those of all rate codes."""
        self._network = network
        self._weights: dict[str, Array | int | ctypes.Structure | None] = {
            "bank": CompiledBank.of(network.bank),
            "channels": int(network.groups.sum()),
            "hidden": network.enter.shape[2] + -network.enter.shape[2] % BLOCK,
            "side_planes": 0 if network.side is None else network.side.shape[-1],
            "has_map": int(network.has_map),
            "starts": np.concatenate(([0], np.cumsum(network.groups))).astype(np.int32),
            "enter": _entering(network),
            "leave": _padded(network.leave, np.int16),
        }
        self.at = lru_cache(maxsize=8)(self._at)

    def _at(self, code: int) -> Network:
        """The network at a rate code."""
        network = self._network
        groups = int(np.count_nonzero(network.first_code <= code))
        enter_bias, leave_bias = network.biases(code)
        share_bias = network.share_bias
        return Network(
            groups=groups,
            enter_bias=_padded(enter_bias[:groups], np.int32),
            share_bias=None if share_bias is None else _padded(share_bias[:, :groups], np.int32),
            leave_bias=np.ascontiguousarray(leave_bias, np.int32),
            **self._weights,
        )


def positions(order: CodingOrder, predicted: PredictedInput | None) -> Positions:
    """A coding order, and what is predicted there."""
    around = order.compact_around
    count, split = len(around), len(order.phases[0])
    if predicted is None:
        return Positions(positions=count, split=split, around=around)
    return Positions(
        positions=count,
        split=split,
        around=around,
        places=len(predicted.planes),
        frame_around=np.ascontiguousarray(predicted.around, np.int32),
        planes=np.ascontiguousarray(predicted.planes, np.int8),
        shares=np.ascontiguousarray(predicted.shares, np.uint8),
    )


def _entering(network: ContextNetwork) -> Array:
    """(G, 2, H, 9, n) and (G, 2, H, 9, s) to (G, 2, 9 n + 9 s, H)."""
    parts = [network.enter] if network.side is None else [network.enter, network.side]
    rows = [part.reshape(*part.shape[:3], -1).swapaxes(2, 3) for part in parts]
    return _padded(np.concatenate(rows, axis=2), np.int16)


def _padded(array: Array, dtype: type[np.signedinteger[Any]]) -> Array:
    """The last axis, of hidden units, padded with zeros to a multiple of 16."""
    widths = [(0, 0)] * (array.ndim - 1) + [(0, -array.shape[-1] % BLOCK)]
    return _aligned(np.pad(array, widths).astype(dtype))


def _aligned(array: Array) -> Array:
    """A copy that begins with a cache line, so that no vector of it lies in two."""
    room = np.empty(array.nbytes + _LINE_BYTES, np.uint8)
    begin = -room.ctypes.data % _LINE_BYTES
    found = room[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    found[...] = array
    return found


def _load() -> ctypes.CDLL | None:
    """The library beside this file, if there is one that fits."""
    if sys.byteorder != "little":
        return None
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_kernel{suffix}")
        if not path.is_file():
            continue
        try:
            found = ctypes.CDLL(str(path))
            if found.sc2_kernel_version() == VERSION:
                return _typed(found)
        except (OSError, AttributeError):  # built for another machine, or not ours
            continue
    return None


def _typed(found: ctypes.CDLL) -> ctypes.CDLL:
    bank, net, where, reader = (
        POINTER(kind) for kind in (CompiledBank, Network, Positions, Reader)
    )
    arrays = c_void_p
    found.sc2_walk_encode.argtypes = [net, where, *[arrays] * 7]
    found.sc2_walk_decode.argtypes = [net, where, c_char_p, c_int32, arrays, arrays]
    found.sc2_rans_encode_slice.argtypes = [net, *[arrays] * 4, c_int32]
    found.sc2_rans_encode.argtypes = [bank, arrays, arrays, c_int32, arrays, c_int32]
    found.sc2_round.argtypes = [arrays, arrays, c_int32, c_int32, arrays, arrays]
    found.sc2_candidates.argtypes = [POINTER(Source), POINTER(CandidateArrays)]
    found.sc2_rans_open.argtypes = [reader, c_char_p, c_int32]
    found.sc2_rans_close.argtypes = [reader]
    found.sc2_rans_decode.argtypes = [reader, bank, arrays, c_int32, arrays]
    return found


library = _load()


def rounded(
    latent: npt.NDArray[np.float32], gain: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], Bytes]:
    """A latent (C, h, w) times its gains (C,), clipped to -127 .. 127; and that rounded."""
    assert library is not None
    latent, gain = np.ascontiguousarray(latent, np.float32), np.ascontiguousarray(gain, np.float32)
    exact, symbols = np.empty(latent.shape, np.float32), np.empty(latent.shape, np.int8)
    channels = len(latent)
    library.sc2_round(
        _data(latent), _data(gain), channels, latent.size // channels, _data(exact), _data(symbols)
    )
    return exact, symbols


def candidates(source: Source, found: CandidateArrays) -> None:
    """Fill in what a frame may send."""
    assert library is not None
    _check(library.sc2_candidates(byref(source), byref(found)))


def walk_encode(
    network: Network,
    where: Positions,
    coded: Flags | None,
    values: Ints,
    rest: npt.NDArray[np.float32],
    rdoq_lambda: npt.NDArray[np.float32],
) -> tuple[Flags, Bytes, npt.NDArray[np.float64]]:
    """Choose the symbols of a frame, which `values` become.

    Args:
        network: at the rate code.
        where: P positions.
        coded: (P,) 0 or 1, of a predicted frame: which positions are coded.
        values: (P, n) rounded symbols where coded, elsewhere what the reference says.
        rest: (P, n), what rounding took off.
        rdoq_lambda: (P,), squared error that a saved bit is worth, in quantiser steps.

    Returns:
        (P, n or n + 1) the table of each symbol, the map's first, 0 where none is coded; what is
        coded there; (P,) bits.
    """
    assert library is not None
    count = where.positions
    tables = np.empty((count, network.channels), np.uint8)
    less = np.empty((count, network.channels), np.int8)
    cost = np.empty(count, np.float64)
    arrays = (coded, values, rest, rdoq_lambda, tables, less, cost)
    _check(library.sc2_walk_encode(byref(network), byref(where), *map(_data, arrays)))
    return tables, less, cost


def walk_decode(
    network: Network, where: Positions, data: bytes, coded: Flags | None, values: Ints
) -> None:
    """Decode a slice: `values` (P, n), and of a predicted one `coded` (P,), become what it says.

    Raises:
        PacketError: the bytes are none that an encoder makes.
    """
    assert library is not None
    _check(
        library.sc2_walk_decode(
            byref(network), byref(where), data, len(data), _data(coded), _data(values)
        )
    )


def rans_encode_slice(network: Network, bounds: Ints, tables: Flags, less: Bytes) -> bytes:
    """The rANS string of a slice of what `walk_encode` gave.

    bounds: (4,) its first rank and the one after its last, in phase 0 and in phase 1.
    """
    assert library is not None
    begin, end, odd_begin, odd_end = bounds.tolist()
    room = 2 * (end - begin + odd_end - odd_begin) * network.channels + 2
    words = np.empty(room, np.uint32)
    size: int = library.sc2_rans_encode_slice(
        byref(network), _data(bounds), _data(tables), _data(less), _data(words), room
    )
    return words[room - size // 4 :].tobytes()


def rans_encode(bank: CompiledBank, tables: Flags, symbols: Bytes) -> bytes:
    """The rANS string of symbols, each with its table, none of them 0."""
    assert library is not None
    room = 2 * len(symbols) + 2
    words = np.empty(room, np.uint32)
    size: int = library.sc2_rans_encode(
        byref(bank), _data(tables), _data(symbols), len(symbols), _data(words), room
    )
    return words[room - size // 4 :].tobytes()


class CompiledReader:
    """Decodes a rANS string piece by piece; see rans.SymbolReader."""

    def __init__(self, bank: CompiledBank, data: bytes) -> None:
        assert library is not None
        self._bank = bank
        self._data = data  # the reader points into it
        self._reader = Reader()
        library.sc2_rans_open(byref(self._reader), data, len(data))

    def decode(self, tables: Flags) -> Bytes:
        """The next symbols, given their tables, none of them 0."""
        assert library is not None
        symbols = np.empty(len(tables), np.int8)
        tables = np.ascontiguousarray(tables, np.uint8)
        _check(
            library.sc2_rans_decode(
                byref(self._reader), byref(self._bank), _data(tables), len(tables), _data(symbols)
            )
        )
        return symbols

    def check_done(self) -> None:
        """Raise PacketError unless all was read."""
        assert library is not None
        _check(library.sc2_rans_close(byref(self._reader)))


def _data(array: Array | None) -> int | None:
    return None if array is None else array.ctypes.data


def _check(status: int) -> None:
    if status == _OUT_OF_MEMORY:
        raise MemoryError("no memory for a frame's symbols")
    if status == _OUT_OF_RANGE:
        raise PacketError("rANS payload holds symbols out of range: damaged or not ours")
    if status:
        raise PacketError("rANS payload is damaged or not ours")
