# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS bags opened for reading: sqlite3 or MCAP, whole or what is left of them, no ROS needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from sc2_ros.errors import InputError
from sc2_ros.media.bag_salvage import (
    Salvaged,
    has_log,
    merge_log,
    salvaged,
    sqlite_size,
    unpack_file,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FILE_SUFFIXES = {".mcap", ".db3", ".bag"}
PACKED_SUFFIX = ".zstd"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class BagReader(AnyReader):
    """rosbags' reader; `note` says in a sentence what is missing, and is empty if nothing is."""

    note = ""


def is_bag(path: Path) -> bool:
    """Whether `path` is a bag's folder or one of its files."""
    if path.is_dir():
        return (path / "metadata.yaml").exists() or bool(_storage_files(path))
    return _is_storage(path)


@contextmanager
def open_bag(path: Path) -> Iterator[BagReader]:
    """An open reader of a bag.

    A folder whose metadata.yaml was lost is read file by file, and so is a bag of which a file is
    cut off or missing.

    Raises:
        InputError: nothing of it can be read, or it is not a bag.
    """
    with ExitStack() as stack:
        yield _opened(path, stack)


def _opened(path: Path, stack: ExitStack) -> BagReader:
    regular = path.suffix != PACKED_SUFFIX and (
        not path.is_dir() or (path / "metadata.yaml").exists()
    )
    why: Exception | None = None
    if regular and not any(_is_short(file) or has_log(file) for file in _files_of(path)):
        try:
            reader = _reader([path])
            with ExitStack() as opened:
                opened.enter_context(reader)
                if not any(_has_no_index(found) for found in reader.readers):
                    stack.push(opened.pop_all())
                    return reader
        except Exception as error:  # the storage libraries raise classes of their own
            why = error
    try:
        return _salvage(path, stack)
    except Exception as error:
        raise InputError(f"{path} is not a ROS bag that can be read: {why or error}") from error


def _salvage(path: Path, stack: ExitStack) -> BagReader:
    """Read file by file, of each what there is."""
    notes = []
    files = []
    for file in _files_of(path):
        if file.suffix == PACKED_SUFFIX:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            file, whole = unpack_file(file, folder)
            notes += [] if whole else [f"{file.name}{PACKED_SUFFIX} is cut off"]
        elif has_log(file):
            file, note = merge_log(file, Path(stack.enter_context(TemporaryDirectory())))
            notes += [note] if note else []
        files.append(file)
    if not files:
        raise InputError("it has no .mcap and no .db3 file")
    reader = _reader([file for file in files if file.suffix != ".bag"] or files)
    reader.readers = [
        found if _is_whole(found) else salvaged(found.path) for found in reader.readers
    ]
    stack.enter_context(reader)
    notes += [found.note for found in reader.readers if isinstance(found, Salvaged) and found.note]
    files, count = _told(path)
    missing = [name for name in files if not (path / name).exists()]
    if missing:
        notes.append(f"of its files {', '.join(missing)} are not there")
    if count and (notes or reader.message_count < count):
        notes.append(f"{reader.message_count} of {count} messages are left")
    reader.note = "; ".join(notes)
    return reader


def _reader(paths: list[Path]) -> BagReader:
    return BagReader(paths, default_typestore=get_typestore(Stores.ROS2_JAZZY))


def _is_whole(reader: Any) -> bool:
    """Whether rosbags reads a storage file by itself."""
    if _is_short(reader.path):
        return False
    try:
        with reader:
            return not _has_no_index(reader)
    except Exception:  # the storage libraries raise classes of their own
        return False


def _is_short(path: Path) -> bool:
    return path.suffix == ".db3" and path.stat().st_size < sqlite_size(path)


def _has_no_index(reader: Any) -> bool:
    """Whether an MCAP file has no chunks: rosbags wants its messages in the order of time then."""
    storage = getattr(reader, "storage", None)
    files = getattr(storage, "storages", [storage])
    return any(getattr(file, "chunks", None) == [] for file in files)


def read_messages(
    reader: AnyReader, path: Path, connections: Sequence[Connection]
) -> Iterator[tuple[Connection, int, Any]]:
    """Connection, time of recording in nanoseconds and message, of an open bag in its order.

    Raises:
        InputError: it is damaged.
    """
    for connection, recorded_ns, data in read_raw(reader, path, connections):
        try:
            message = reader.deserialize(data, connection.msgtype)
        except Exception as error:  # what rosbags raises is many-fold
            raise InputError(f"{path} is damaged: {error}") from error
        yield connection, recorded_ns, message


def read_raw(
    reader: AnyReader, path: Path, connections: Sequence[Connection]
) -> Iterator[tuple[Connection, int, bytes]]:
    """As `read_messages`, but the messages as they were sent.

    Raises:
        InputError: it is damaged.
    """
    found = reader.messages(connections=connections) if connections else iter(())
    while True:
        try:
            connection, recorded_ns, data = next(found)
            if data[:4] == _ZSTD_MAGIC:  # message-compressed, and no metadata.yaml that says so
                data = zstd.decompress(data)
        except StopIteration:
            return
        except Exception as error:  # what rosbags and the storage raise is many-fold
            raise InputError(f"{path} is damaged: {error}") from error
        yield connection, recorded_ns, data


def _is_storage(path: Path) -> bool:
    name = path.name.lower().removesuffix(PACKED_SUFFIX)
    return Path(name).suffix in FILE_SUFFIXES


def _storage_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if _is_storage(p))


def _files_of(path: Path) -> list[Path]:
    return _storage_files(path) if path.is_dir() else [path]


def _told(path: Path) -> tuple[list[str], int]:
    """The files and the number of messages that a bag has by its metadata.yaml; [], 0 without."""
    try:
        told = yaml.safe_load((path / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
        names = [Path(str(name)).name for name in told["relative_file_paths"]]
        return names, int(told["message_count"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError):
        return [], 0
