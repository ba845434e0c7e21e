# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files are replaced as a whole, or stay as they were."""

from pathlib import Path

import pytest

from sc2_ros.files import replacing, write_whole


def test_a_file_and_its_folder_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "file", b"all of it")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["file"]
    assert (tmp_path / "new" / "file").read_bytes() == b"all of it"


@pytest.mark.parametrize("fault", [OSError, KeyboardInterrupt])
def test_what_fails_half_way_leaves_the_older_file(
    tmp_path: Path, fault: type[BaseException]
) -> None:
    path = tmp_path / "file"
    write_whole(path, b"older")

    def fail_half_way() -> None:
        with replacing(path) as unfinished:
            unfinished.write_bytes(b"ha")
            raise fault

    with pytest.raises(fault):
        fail_half_way()
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]
