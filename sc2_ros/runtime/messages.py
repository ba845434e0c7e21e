# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""ROS messages as mutable classes with defaults, over rosbags' type store and CDR.

They behave as rclpy's do: keyword construction, typed assignment (AssertionError on a wrong type),
`array.array` for numeric sequences, numpy for fixed arrays, `bytes` of length one for `byte`.
"""

import array
import math
from collections.abc import Callable
from functools import cache
from itertools import repeat
from typing import Any, ClassVar, Final, cast

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from .definitions import MESSAGES, SERVICES

STORE: Final = get_typestore(Stores.ROS2_JAZZY)
for _name, _text in MESSAGES.items():
    STORE.register(get_types_from_msg(_text, _name))
for _name, _texts in SERVICES.items():
    for _part, _text in zip(("Request", "Response"), _texts, strict=True):
        _parsed = get_types_from_msg(_text, f"{_name}_{_part}")
        # The parser knows messages only and puts "msg" where the service's own name has "srv".
        STORE.register({key.replace("/srv/msg/", "/srv/"): d for key, d in _parsed.items()})

# Defaults that the .msg files give; the type store does not keep them.
_DEFAULTS: Final[dict[str, dict[str, Any]]] = {"geometry_msgs/msg/Quaternion": {"w": 1.0}}
_TYPECODES: Final = {
    "int8": "b", "uint8": "B", "char": "B", "int16": "h", "uint16": "H", "int32": "i",
    "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f", "float64": "d",
}  # fmt: skip
Convert = Callable[[Any], Any]


class Numbers(array.array):  # type: ignore[type-arg]
    """Numeric sequence; `view` is what rosbags' serialiser asks of a sequence."""

    def view(self, _dtype: object) -> memoryview:
        return memoryview(self).cast("B")


class Bools(list[bool]):
    """Sequence of bool, serialisable by rosbags."""

    def view(self, _dtype: object) -> bytes:
        return bytes(self)


class Octets(list[bytes]):
    """Sequence of `byte`, each a `bytes` of length one, serialisable by rosbags."""

    def view(self, _dtype: object) -> bytes:
        return b"".join(self)


class Octet(bytes):
    """One `byte`; struct packs it through `__index__` as the signed byte that rosbags expects."""

    def __index__(self) -> int:
        return int.from_bytes(self, "little", signed=True)


class Message:
    """Base of all message classes; subclasses are made by `message_type`."""

    __msgtype__: ClassVar[str] = ""
    _converters: ClassVar[dict[str, Convert]] = {}
    _defaults: ClassVar[dict[str, Callable[[], Any]]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take every field in order (as the CDR reader gives them) or any of them by keyword."""
        values = self.__dict__
        if args:
            for (name, convert), value in zip(self._converters.items(), args, strict=True):
                values[name] = convert(value)
            return
        for name, default in self._defaults.items():
            if name not in kwargs:
                values[name] = default()
        for name, value in kwargs.items():
            assert name in self._converters, f"{self.__msgtype__} has no field '{name}'"
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        convert = self._converters.get(name)
        if convert is None:
            raise AttributeError(f"{self.__msgtype__} has no field '{name}'")
        try:
            self.__dict__[name] = convert(value)
        except AssertionError as error:
            raise AssertionError(f"{self.__msgtype__}.{name}: {error}") from None

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            np.array_equal(value, other.__dict__[name])
            if isinstance(value, np.ndarray)
            else value == other.__dict__[name]
            for name, value in self.__dict__.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._converters)
        return f"{self.__msgtype__.replace('/', '.')}({fields})"


@cache
def message_type(name: str) -> type[Message]:
    """Class of a message such as `std_msgs/msg/Header`.

    Raises:
        KeyError: the type store does not know it.
    """
    constants, fields = STORE.fielddefs[name]
    converters = {field: _converter(desc) for field, desc in fields}
    defaults = {field: _default(desc) for field, desc in fields}
    for field, value in _DEFAULTS.get(name, {}).items():
        defaults[field] = repeat(value).__next__
    namespace: dict[str, Any] = {key: _constant(kind, value) for key, kind, value in constants}
    namespace |= {"__msgtype__": name, "_converters": converters, "_defaults": defaults}
    cls = cast("type[Message]", type(name.rsplit("/", 1)[1], (Message,), namespace))
    STORE.types[name] = cls  # what rosbags' CDR reader constructs
    return cls


def to_cdr(message: Message) -> bytes:
    """Serialise to XCDR1 with its 4-byte header."""
    return bytes(STORE.serialize_cdr(message, message.__msgtype__))


def from_cdr(data: bytes | memoryview, cls: type[Message]) -> Message:
    """Read XCDR1 with its 4-byte header.

    Raises:
        rosbags.serde.SerdeError: the bytes are not a message of this type.
    """
    return cast("Message", STORE.deserialize_cdr(data, cls.__msgtype__))


def type_hash(name: str) -> str:
    """REP-2011 hash that ROS 2 announces beside the type name: `RIHS01_...`."""
    return STORE.hash_rihs01(name)


def _constant(kind: str, value: Any) -> Any:
    return bytes([value]) if kind == "byte" else value


def _default(desc: Any) -> Callable[[], Any]:
    kind, inner = desc
    if kind == Nodetype.NAME:
        return message_type(inner)
    if kind == Nodetype.BASE:
        base = inner[0]
        values: dict[str, Any] = {"string": "", "bool": False, "byte": Octet(b"\0")}
        value = values.get(base, 0.0 if base.startswith("float") else 0)
        return lambda: value
    (sub_kind, sub), length = inner
    if sub_kind == Nodetype.NAME:
        item = message_type(sub)
        return list if kind == Nodetype.SEQUENCE else lambda: [item() for _ in range(length)]
    base = sub[0]
    if kind == Nodetype.ARRAY:
        if base in _TYPECODES:
            return lambda: np.zeros(length, np.dtype(_TYPECODES[base]))
        return lambda: _SEQUENCES[base]([_default((sub_kind, sub))()] * length)
    if base in _TYPECODES:
        return lambda: Numbers(_TYPECODES[base])
    return cast("Callable[[], Any]", _SEQUENCES[base])


def _converter(desc: Any) -> Convert:
    kind, inner = desc
    if kind == Nodetype.NAME:
        return _instance_of(message_type(inner))
    if kind == Nodetype.BASE:
        return _scalar(inner[0])
    (sub_kind, sub), length = inner
    if sub_kind == Nodetype.BASE and sub[0] in _TYPECODES:
        code = _TYPECODES[sub[0]]
        return _fixed_array(code, length) if kind == Nodetype.ARRAY else _numbers(code, length)
    item = message_type(sub) if sub_kind == Nodetype.NAME else str
    return _sequence(list if sub_kind == Nodetype.NAME else _SEQUENCES[sub[0]], item, length)


_SEQUENCES: Final[dict[str, Any]] = {"string": list, "bool": Bools, "byte": Octets}


def _instance_of(cls: type) -> Convert:
    def convert(value: Any) -> Any:
        assert isinstance(value, cls), f"expected {cls.__name__}, got {type(value).__name__}"
        return value

    return convert


def _scalar(base: str) -> Convert:
    if base == "string":
        return _instance_of(str)
    if base == "bool":
        return _instance_of(bool)
    if base == "byte":
        return _octet
    if base.startswith("float"):
        limit = 3.402823466e38 if base == "float32" else math.inf

        def convert_float(value: Any) -> Any:
            assert isinstance(value, float), f"expected float, got {type(value).__name__}"
            assert not (limit < abs(value) < math.inf), f"{value} does not fit {base}"
            return value

        return convert_float
    bits = array.array(_TYPECODES[base]).itemsize * 8
    signed = base.startswith("int")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def convert_int(value: Any) -> Any:
        assert isinstance(value, int), f"expected int, got {type(value).__name__}"
        assert low <= value <= high, f"{value} does not fit {base}"
        return value

    return convert_int


def _octet(value: Any) -> Octet:
    if isinstance(value, int):
        return Octet([value & 0xFF])
    assert isinstance(value, bytes), f"expected bytes, got {type(value).__name__}"
    assert len(value) == 1, f"expected bytes of length 1, got {len(value)}"
    return Octet(value)


def _numbers(code: str, limit: int) -> Convert:
    def convert(value: Any) -> Numbers:
        assert not isinstance(value, str), "expected numbers, got str"
        if isinstance(value, array.array):
            assert value.typecode == code, f"expected array('{code}'), got '{value.typecode}'"
        elif isinstance(value, np.ndarray):
            assert value.dtype == np.dtype(code), f"expected dtype '{code}', got {value.dtype}"
            value = np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
        if isinstance(value, memoryview | bytes | bytearray):
            numbers = Numbers(code)
            numbers.frombytes(value)
        else:
            numbers = Numbers(code, value)
        assert not limit or len(numbers) <= limit, f"at most {limit} elements, got {len(numbers)}"
        return numbers

    return convert


def _fixed_array(code: str, length: int) -> Convert:
    def convert(value: Any) -> Any:
        values = np.array(value, np.dtype(code))
        assert values.shape == (length,), f"expected {length} numbers, got shape {values.shape}"
        return values

    return convert


def _sequence(make: Any, item: type, length: int) -> Convert:
    def convert(value: Any) -> Any:
        assert not isinstance(value, str | bytes), f"expected a sequence, got {value!r}"
        if make is Octets:
            items: Any = Octets(_octet(entry) for entry in _octets(value))
        elif make is Bools:
            items = Bools(bool(entry) for entry in value)
        else:
            items = value if isinstance(value, list) else list(value)
            assert all(isinstance(entry, item) for entry in items), f"expected {item.__name__}s"
        assert not length or len(items) <= length, f"at most {length} elements, got {len(items)}"
        return items

    return convert


def _octets(value: Any) -> list[Any]:
    """Elements of a `byte` sequence, from rosbags (int8 array) or from a user (list of bytes)."""
    return cast("list[Any]", value.tolist()) if isinstance(value, np.ndarray) else list(value)
