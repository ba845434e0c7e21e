# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import base64
import errno
import os
import pickle
import traceback

import pytest

from sc2_ros.cli.main import main
from sc2_ros.errors import KeyFileError
from sc2_ros.link.air.key import PREFIX, AirKey, hkdf, load_key_file, new_key_file


def test_a_new_key_is_for_its_owner_only_and_is_read_back(tmp_path):
    path = tmp_path / "a.key"
    old_mask = os.umask(0)
    try:
        key = new_key_file(path)
    finally:
        os.umask(old_mask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key_file(path).fingerprint == key.fingerprint
    assert new_key_file(tmp_path / "b.key").fingerprint != key.fingerprint


def test_a_full_disk_leaves_no_empty_key(tmp_path, monkeypatch):
    path = tmp_path / "a.key"

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fchmod", full)
        with pytest.raises(KeyFileError, match="No space left"):
            new_key_file(path)
    assert not path.exists()
    new_key_file(path)


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "a.key"
    key = new_key_file(path)
    with pytest.raises(KeyFileError, match="never overwritten"):
        new_key_file(path)
    assert load_key_file(path).fingerprint == key.fingerprint


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_may_touch_is_refused(tmp_path, mode):
    path = tmp_path / "a.key"
    new_key_file(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_key_file(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path):
    path = tmp_path / "a.key"
    new_key_file(path)
    os.chown(path, 12345, -1)
    with pytest.raises(KeyFileError, match="belongs to user 12345"):
        load_key_file(path)


def test_what_is_no_key_is_refused_without_showing_it(tmp_path):
    secret = base64.b64encode(b"s3cret" * 5).decode()
    contents = ["", "hello", PREFIX, PREFIX + secret, PREFIX + "!!!" + secret, secret]
    for content in [*(text.encode() for text in contents), b"\xff\xfe\x00", os.urandom(5000)]:
        path = tmp_path / "a.key"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyFileError, match="sc2 key new") as caught:
            load_key_file(path)
        assert secret not in "".join(traceback.format_exception(caught.value))


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(KeyFileError, match="there is no key file"):
        load_key_file(tmp_path / "none")
    with pytest.raises(KeyFileError, match="not a regular file"):
        load_key_file(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileError, match="not a regular file"):
        load_key_file(tmp_path / "pipe")
    with pytest.raises(KeyFileError, match="cannot write"):
        new_key_file(tmp_path / "no" / "folder")


def test_the_secret_cannot_be_shown_or_pickled():
    secret = b"0123456789abcdef0123456789ABCDEF"
    key = AirKey(secret)
    for shown in (repr(key), str(key), f"{key}", f"{[key]}"):
        assert "0123" not in shown
        assert secret.hex() not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(key)
    assert not hasattr(key, "__dict__")
    with pytest.raises(KeyFileError, match="32 bytes"):
        AirKey(secret[:16])


def test_derivation_is_rfc_5869s():
    expected = _hkdf_by_hand(bytes(range(32)), b"\xaa\xbb", b"sc2 air 1 test", 16)
    assert hkdf(bytes(range(32)), b"test", 16, b"\xaa\xbb") == expected


def _hkdf_by_hand(secret, salt, info, length):
    import hmac

    block, made = b"", b""
    extracted = hmac.digest(salt, secret, "sha256")
    for number in range(1, 9):
        block = hmac.digest(extracted, block + info + bytes([number]), "sha256")
        made += block
    return made[:length]


def test_the_command_makes_and_names_keys(tmp_path, capsys):
    path = tmp_path / "drone.key"
    assert main(["key", "new", str(path)]) == 0
    said = capsys.readouterr().out
    assert path.read_text().strip() not in said
    assert main(["key", "id", str(path)]) == 0
    fingerprint = capsys.readouterr().out.strip()
    assert fingerprint in said
    assert fingerprint == load_key_file(path).fingerprint
    assert main(["key", "new", str(path)]) == 2
    assert "never overwritten" in capsys.readouterr().err
