# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Samples as a reader of Cyclone DDS has received them.

Its Python layer copies every sample twice. Here a large one stays where DDS holds it until the last
who looks at it has gone: an image of 6 MB that nobody reads costs no more than a small message.
"""

import ctypes
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from cyclonedds.core import DDSException
from cyclonedds.internal import DDS, dds_c_t

from .serialization import Cdr

BORROWED_BYTES = 1 << 16
"""From this size on it is cheaper to lend a sample than to copy it."""


class _Part(ctypes.Structure):
    """An iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _function(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(DDS._dll_handle, name)
    function.restype, function.argtypes = result, arguments
    return function


_take = _function(
    "dds_takecdr", ctypes.c_int32, dds_c_t.entity, ctypes.POINTER(ctypes.c_void_p), ctypes.c_uint32,
    ctypes.POINTER(dds_c_t.sample_info), ctypes.c_uint32,
)  # fmt: skip
_size = _function("ddsi_serdata_size", ctypes.c_uint32, ctypes.c_void_p)
_borrow = _function(
    "ddsi_serdata_to_ser_ref", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t,
    ctypes.POINTER(_Part),
)  # fmt: skip
_give_back = _function("ddsi_serdata_to_ser_unref", None, ctypes.c_void_p, ctypes.POINTER(_Part))
_release = _function("ddsi_serdata_unref", None, ctypes.c_void_p)


@dataclass(frozen=True)
class Sample:
    """A message as it came, and the handle of the writer that it is from."""

    cdr: Cdr
    writer: int


class _Loan:
    """Bytes that DDS keeps until nobody here looks at them any more."""

    def __init__(self, serdata: int, size: int, domain_open: threading.Event) -> None:
        self._part, self._domain_open = _Part(), domain_open
        self._serdata = _borrow(serdata, 0, size, ctypes.byref(self._part))

    @property
    def __array_interface__(self) -> dict[str, Any]:
        place = (self._part.base, True)
        return {"version": 3, "typestr": "|u1", "shape": (self._part.length,), "data": place}

    def __del__(self) -> None:
        if self._domain_open.is_set():  # after that DDS cannot take it back any more
            _give_back(self._serdata, ctypes.byref(self._part))


def take(reader: Any, states: int, domain_open: threading.Event) -> Sample | None:
    """The oldest sample that was not taken yet; None if there is none.

    Args:
        reader: a cyclonedds DataReader.
        states: of samples, views and instances.
        domain_open: cleared before the reader's domain is closed.

    Raises:
        DDSException: the reader cannot be read.
    """
    serdata, info = ctypes.c_void_p(), dds_c_t.sample_info()
    while (count := _take(reader._ref, ctypes.byref(serdata), 1, ctypes.byref(info), states)) > 0:
        try:
            if info.valid_data:  # else an instance has changed its state
                return Sample(_cdr(serdata, domain_open), info.publication_handle)
        finally:
            _release(serdata)
    if count < 0:
        raise DDSException(count, "taking a sample")
    return None


def _cdr(serdata: Any, domain_open: threading.Event) -> Cdr:
    size = _size(serdata)
    loan = _Loan(serdata.value, size, domain_open)
    view = memoryview(np.asarray(loan))
    return view if size >= BORROWED_BYTES else bytes(view)
