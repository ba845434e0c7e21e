# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pre-shared key: its file, and the keys that are derived from it (HKDF-SHA256, RFC 5869)."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import stat
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sc2_ros.errors import KeyFileError

KEY_BYTES = 32
PREFIX = "sc2-air-key-1:"
MAX_FILE_BYTES = 1024


class AirKey:
    """A 256-bit secret that both sides hold. It cannot be printed, compared or pickled.

    `fingerprint` names it: the same on both sides if and only if the keys are the same.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """secret: 32 bytes of a cryptographic random generator."""
        if len(secret) != KEY_BYTES:
            raise KeyFileError(f"a key has {KEY_BYTES} bytes, this one has {len(secret)}")
        self._secret = secret

    def __repr__(self) -> str:
        return f"AirKey(fingerprint {self.fingerprint})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled; load it from its file")

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that may be shown: they say nothing about the key."""
        return self.derive(b"fingerprint", 4).hex()

    def derive(self, purpose: bytes, length: int, salt: bytes = b"", more: bytes = b"") -> bytes:
        """`length` bytes for one purpose; `more` is further secret input (a Diffie-Hellman)."""
        return hkdf(self._secret + more, purpose, length, salt)


def hkdf(secret: bytes, purpose: bytes, length: int, salt: bytes = b"") -> bytes:
    """HKDF-SHA256, with our name and version in the purpose."""
    kdf = HKDF(hashes.SHA256(), length, salt=salt or None, info=b"sc2 air 1 " + purpose)
    return kdf.derive(secret)


def mac(key: bytes, message: bytes, length: int) -> bytes:
    """The first `length` bytes of HMAC-SHA256."""
    return hmac.digest(key, message, "sha256")[:length]


def new_key_file(path: Path) -> AirKey:
    """Write a new random key to a file that only its owner may read.

    Raises:
        KeyFileError: there is such a file already, or it cannot be written.
    """
    secret = os.urandom(KEY_BYTES)
    text = PREFIX + base64.b64encode(secret).decode("ascii") + "\n"
    try:
        # O_EXCL: a key that flies is never overwritten; the mode is right from the first byte.
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(
            f"{path} exists; a key is never overwritten. Move it away or name another file"
        ) from None
    except OSError as error:
        raise KeyFileError(f"cannot write the key file {path}: {error.strerror}") from None
    try:
        with os.fdopen(file, "w", encoding="ascii") as stream:
            os.fchmod(file, 0o600)  # whatever the umask is
            stream.write(text)
    except OSError as error:
        path.unlink(missing_ok=True)  # an empty file would be in the way of the next attempt
        raise KeyFileError(f"cannot write the key file {path}: {error.strerror}") from None
    return AirKey(secret)


def load_key_file(path: Path) -> AirKey:
    """Read a key that `sc2 key new` wrote.

    Raises:
        KeyFileError: no such file, others may read it, or it holds no key.
    """
    try:
        # Not blocking, so that a named pipe is an error and not a node that hangs.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyFileError(
            f"there is no key file {path}; make one with: sc2 key new {path}, and copy it to the "
            "other side by a way that you trust"
        ) from None
    except OSError as error:
        raise KeyFileError(f"cannot read the key file {path}: {error.strerror}") from None
    try:
        check_file(path, os.fstat(file))
        content = os.read(file, MAX_FILE_BYTES)
    finally:
        os.close(file)
    return parse(path, content)


def check_file(path: Path, status: os.stat_result) -> None:
    """Refuse a file that somebody else can read, write or replace the content of."""
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"the key file {path} is not a regular file")
    if status.st_uid not in (os.geteuid(), 0):
        raise KeyFileError(
            f"the key file {path} belongs to user {status.st_uid}, not to you ({os.geteuid()}); "
            f"chown it"
        )
    if status.st_mode & 0o077:
        raise KeyFileError(
            f"others may read the key file {path} (mode {stat.S_IMODE(status.st_mode):04o}): "
            f"chmod 600 {path}, and think about whether somebody has read it"
        )


def parse(path: Path, content: bytes) -> AirKey:
    """The key in a file's content; errors name the file and never show what is in it."""
    hint = f"{path} holds no key of the air link; make one with: sc2 key new FILE"
    try:
        text = content.decode("ascii").strip()
        if not text.startswith(PREFIX):
            raise KeyFileError(hint)
        secret = base64.b64decode(text[len(PREFIX) :], validate=True)
    except (UnicodeDecodeError, binascii.Error):
        raise KeyFileError(hint) from None
    if len(secret) != KEY_BYTES:
        raise KeyFileError(hint + f" (it has {len(secret)} bytes instead of {KEY_BYTES})")
    return AirKey(secret)
