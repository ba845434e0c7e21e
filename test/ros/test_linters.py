# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2's linters have nothing against what ruff has formatted."""

import shutil
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [str(ROOT / name) for name in ("sc2_ros", "launch", "test", "setup.py")]


def test_copyright():
    main = pytest.importorskip("ament_copyright.main", reason="needs ament_copyright of ROS 2")
    licences = {entry.name for entry in entry_points(group="ament_copyright.license")}
    if "apache2_spdx" not in licences:
        pytest.skip("needs `colcon build` and `source install/setup.bash` first")

    assert main.main(argv=CODE) == 0


def test_flake8():
    main = pytest.importorskip("ament_flake8.main", reason="needs ament_flake8 of ROS 2")

    count, errors = main.main_with_errors(argv=["--config", str(ROOT / "setup.cfg"), *CODE])

    assert not count, "\n".join(errors)


def test_docstrings():
    main = pytest.importorskip("ament_pep257.main", reason="needs ament_pep257 of ROS 2")
    # As in pyproject.toml, and D402, D403, where a capital or a bracket is meant; tests have names.
    ignored = ["D102", "D105", "D107", "D205", "D402", "D403"]

    assert main.main(argv=["--convention", "google", "--add-ignore", *ignored, "--", CODE[0]]) == 0


def test_manifest(capfd):
    main = pytest.importorskip("ament_xmllint.main", reason="needs ament_xmllint of ROS 2")
    if shutil.which("xmllint") is None:
        pytest.skip("needs xmllint (libxml2-utils)")

    failed = main.main(argv=[str(ROOT / "package.xml")])

    told = capfd.readouterr().err
    if "failed to load external entity" in told:
        pytest.skip("needs the schema of package.xml, which is on download.ros.org")
    assert not failed, told
