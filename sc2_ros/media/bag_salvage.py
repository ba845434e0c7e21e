# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is left of a bag's file that was cut off: its recorder died, or the disk was full.

An MCAP file (https://mcap.dev/spec) has its index at the end; without one it is read record by
record from the start, into the chunk in which it breaks off. A sqlite3 file is read row by row
until a page is missing or damaged. Both look to `rosbags.highlevel.AnyReader` like the readers it
makes. A write-ahead log that a recorder left beside a sqlite3 file is merged into a copy.
"""

from __future__ import annotations

import io
import shutil
import sqlite3
import struct
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import lz4.frame
from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinition,
    MessageDefinitionFormat,
    TopicInfo,
)

from sc2_ros.errors import InputError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MCAP_MAGIC = b"\x89MCAP0\r\n"
SCHEMA, CHANNEL, MESSAGE, CHUNK, FOOTER = 3, 4, 5, 6, 2
_DEFINITIONS = {"ros2msg": MessageDefinitionFormat.MSG, "ros2idl": MessageDefinitionFormat.IDL}
_NOTHING = MessageDefinition(MessageDefinitionFormat.NONE, "")

Row = tuple[int, int, bytes]
"""Number of the topic, time of recording in ns, message."""


class Salvaged:
    """The readable part of a storage file, with the properties of a rosbags reader."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connections: list[Connection] = []
        self.start_time, self.end_time, self.message_count = 2**63 - 1, 0, 0
        self.note = ""
        """What is missing, as a sentence; empty if nothing is."""
        self._topics: dict[int, tuple[str, str, MessageDefinition]] = {}

    def __enter__(self) -> Salvaged:
        counts: Counter[int] = Counter()
        for number, time_ns, _ in self._rows():
            counts[number] += 1
            self.start_time = min(self.start_time, time_ns)
            self.end_time = max(self.end_time, time_ns + 1)
        self.message_count = counts.total()
        cdr = ConnectionExtRosbag2("cdr", [])
        self.connections = [
            Connection(number, name, kind, definition, "", counts[number], cdr, self)
            for number, (name, kind, definition) in self._topics.items()
        ]
        return self

    def __exit__(self, *_error: object) -> None:
        self.connections = []

    @property
    def topics(self) -> dict[str, TopicInfo]:
        """The topics, as `rosbags.rosbag2.Reader` has them."""
        return {c.topic: TopicInfo(c.msgtype, c.msgdef, c.msgcount, [c]) for c in self.connections}

    def messages(
        self,
        connections: Collection[Connection] = (),
        start: int | None = None,
        stop: int | None = None,
    ) -> Iterator[tuple[Connection, int, bytes]]:
        """Connection, time of recording and message, in the order of the file."""
        wanted = {c.id: c for c in connections or self.connections}
        for number, time_ns, data in self._rows():
            early = start is not None and time_ns < start
            if number in wanted and not early and (stop is None or time_ns < stop):
                yield wanted[number], time_ns, data

    def _rows(self) -> Iterator[Row]:
        """All messages; fills `_topics` and `note` as it goes."""
        raise NotImplementedError


class SalvagedMcap(Salvaged):
    """An MCAP file without its end, or without an index."""

    def _rows(self) -> Iterator[Row]:
        size = self.path.stat().st_size
        schemas: dict[int, tuple[str, MessageDefinition]] = {}
        with self.path.open("rb") as file:
            if file.read(len(MCAP_MAGIC)) != MCAP_MAGIC:
                raise InputError(f"{self.path} is no MCAP file")
            lacking = yield from self._records(file, schemas)
        if lacking is None:
            return
        end = f"its last record lacks {lacking:,}" if lacking else "it ends without an index"
        self.note = (
            f"{self.path.name} is cut off after {size:,} bytes: {end}, and whatever followed is "
            "missing"
        )

    def _records(
        self, file: BinaryIO, schemas: dict[int, tuple[str, MessageDefinition]]
    ) -> Iterator[Row]:
        """The messages of a run of records.

        Returns:
            How many bytes the last record lacks, 0 if it is whole; None behind the footer, where
            nothing is missing.
        """
        while len(head := file.read(9)) == 9:
            code, length = struct.unpack("<BQ", head)
            if code == FOOTER:
                return None
            if code not in (SCHEMA, CHANNEL, MESSAGE, CHUNK):
                file.seek(min(length, 2**62), io.SEEK_CUR)
                continue
            content = file.read(min(length, sys.maxsize))
            lacking = length - len(content)
            if code == CHUNK:
                yield from self._records(io.BytesIO(unpacked(content)), schemas)
            elif code == MESSAGE and not lacking:
                number, _, time_ns, _ = struct.unpack_from("<HIQQ", content)
                if number in self._topics:
                    yield number, time_ns, content[22:]
            elif not lacking:
                self._note_topic(code, content, schemas)
            if lacking:
                return lacking
        return 9 - len(head) if head else 0

    def _note_topic(
        self, code: int, content: bytes, schemas: dict[int, tuple[str, MessageDefinition]]
    ) -> None:
        """Take a schema or a channel."""
        number, schema = struct.unpack_from("<HH", content)
        if code == CHANNEL:
            kind, definition = schemas.get(schema, ("", _NOTHING))
            topic = _strings(content, 4, 1)[0].decode()
            self._topics.setdefault(number, (topic, kind, definition))
            return
        name, encoding, text = (field.decode() for field in _strings(content, 2, 3))
        known = _DEFINITIONS.get(encoding)
        schemas[number] = name, MessageDefinition(known, text) if known else _NOTHING


def unpacked(chunk: bytes) -> bytes:
    """The records in the content of a chunk, as many as can be had if it is cut off."""
    if len(chunk) < 32:
        return b""
    (name_length,) = struct.unpack_from("<I", chunk, 28)
    compression = chunk[32 : 32 + name_length].decode(errors="replace")
    data = chunk[32 + name_length + 8 :]
    try:
        if compression == "zstd":
            return zstd.ZstdDecompressor().decompress(data)
        if compression == "lz4":
            return lz4.frame.LZ4FrameDecompressor().decompress(data)
    except (zstd.ZstdError, RuntimeError, EOFError):
        return b""
    return data if not compression else b""


def _strings(content: bytes, at: int, count: int) -> list[bytes]:
    """Length-prefixed strings, one after the other."""
    found = []
    for _ in range(count):
        (length,) = struct.unpack_from("<I", content, at)
        found.append(content[at + 4 : at + 4 + length])
        at += 4 + length
    return found


class SalvagedSqlite(Salvaged):
    """A sqlite3 file without its end, or with damaged pages."""

    def _rows(self) -> Iterator[Row]:
        size, expected = self.path.stat().st_size, sqlite_size(self.path)
        if size < expected:
            self.note = (
                f"{self.path.name} is cut off: {expected - size:,} of {expected:,} bytes are "
                "missing, and with them the messages in them"
            )
        uri = f"file:{self.path}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            # Else sqlite refuses a file that is shorter than its header says.
            database.execute("PRAGMA writable_schema=ON")
            try:
                for number, name, kind in database.execute("SELECT id, name, type FROM topics"):
                    self._topics.setdefault(number, (name, kind, _NOTHING))
                rows = database.execute("SELECT topic_id, timestamp, data FROM messages")
                yield from rows
            except sqlite3.DatabaseError as error:
                self.note = self.note or (
                    f"{self.path.name} is damaged ({error}): the messages from there on are missing"
                )


def sqlite_size(path: Path) -> int:
    """Bytes that a sqlite3 file has by its own header (https://sqlite.org/fileformat.html)."""
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        return 0
    page, pages = struct.unpack_from(">H", head, 16)[0], struct.unpack_from(">I", head, 28)[0]
    return (65536 if page == 1 else page) * pages


def salvaged(path: Path) -> Salvaged:
    """The reader of what is left of a file.

    Raises:
        InputError: it is neither MCAP nor sqlite3.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(MCAP_MAGIC):
        return SalvagedMcap(path)
    if head.startswith(b"SQLite format 3"):
        return SalvagedSqlite(path)
    raise InputError(f"{path} is neither MCAP nor sqlite3")


def has_log(path: Path) -> bool:
    """Whether a sqlite3 file's last messages are still in its write-ahead log.

    rosbag2's `resilient` preset has one; it stays when the recorder dies or the power fails.
    """
    log = _log_of(path)
    return path.suffix == ".db3" and log.exists() and log.stat().st_size > 0


def merge_log(path: Path, folder: Path) -> tuple[Path, str]:
    """A copy in `folder` of a sqlite3 file and its write-ahead log, as one file.

    Returns:
        The copy, and what is missing as a sentence, empty if nothing is.

    Raises:
        OSError: there is no room for the copy.
    """
    copy = folder / path.name
    # Beside a recording, sqlite would write to it.
    shutil.copyfile(path, copy)
    shutil.copyfile(_log_of(path), _log_of(copy))
    try:
        with closing(sqlite3.connect(copy)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError as error:
        shutil.copyfile(path, copy)  # what a checkpoint that broke off has left is worth less
        return copy, f"{_log_of(path).name} cannot be merged ({error}) and its messages are missing"
    return copy, ""


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def unpack_file(path: Path, folder: Path) -> tuple[Path, bool]:
    """A file that was compressed as a whole, decompressed into `folder`; and whether to its end."""
    target, whole = folder / path.stem, False
    decompressor = zstd.ZstdDecompressor()
    with path.open("rb") as packed, target.open("wb") as file:
        while block := packed.read(1 << 20):
            try:
                file.write(decompressor.decompress(block))
            except (zstd.ZstdError, EOFError):
                break
            if decompressor.eof:
                whole = True
                break
    return target, whole
