# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Launch files and manifest agree with the nodes."""

import ast
import configparser
import importlib.util
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from sc2_ros import __version__
from sc2_ros.nodes.parameters import TABLES

ROOT = Path(__file__).parents[2]
LAUNCH_FILES = sorted((ROOT / "launch").glob("*.launch.py"))
LAUNCH_PARTS = ROOT / "sc2_ros" / "nodes" / "launch_parts.py"


def texts_in(path):
    """Every string constant of a Python file."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_files_take_the_usual_arguments_and_name_what_exists(path):
    texts = {text for text in texts_in(path) if isinstance(text, str)}

    assert "parts.common(" in path.read_text("utf-8")
    assert {"namespace", "use_sim_time", "log_level"} <= texts_in(LAUNCH_PARTS)
    assert "params_file" in texts
    started = set(re.findall(r'node\(\s*"(\w+)"', path.read_text("utf-8")))
    assert started
    assert started <= set(TABLES)
    for name in (text for text in texts if text.endswith(".yaml")):
        assert (ROOT / "config" / name).exists()


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_files_load(path):
    pytest.importorskip("launch_ros", reason="launch_ros comes with ROS 2, not from PyPI")
    spec = importlib.util.spec_from_file_location("launch_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert module.generate_launch_description().entities


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_every_topic_of_a_started_node_is_an_argument(path):
    topics = {
        "onboard_node": {"image", "features", "feedback"},
        "ground_node": {
            *("features", "feedback", "detections", "mask", "mask_color", "preview"),
            "label_info",
        },
    }
    texts = texts_in(path)

    if "drones" in texts:  # every drone's topics have the same names below its own namespace
        return
    for name in texts & set(topics):
        assert topics[name] <= texts


def test_the_manifest_names_every_package_that_is_imported():
    manifest = ElementTree.parse(ROOT / "package.xml")
    named = {entry.text for entry in manifest.iter("exec_depend")}
    words = set(
        (ROOT / "package.xml").read_text("utf-8").replace(",", " ").replace(". ", " ").split()
    )

    ros = texts_in(ROOT / "sc2_ros" / "runtime" / "ros.py")
    messages = {
        text for text in ros if isinstance(text, str) and text.endswith(("_msgs", "_interfaces"))
    }
    assert messages
    assert messages | {"rclpy", "launch", "launch_ros", "ament_index_python"} <= named

    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    keys = {"opencv-python-headless": "opencv", "pyyaml": "yaml", "pillow": "pil"}
    for line in setup["options"]["install_requires"].strip().splitlines():
        package = re.split("[>;]", line)[0].strip()
        assert f"python3-{keys.get(package, package)}" in named or package in words, package


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_everything_that_is_asked_for_is_pinned_once(python):
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = setup["options.extras_require"]
    parts = (extras[name] for name in ("ground", "demo", "train", "eval", "dev"))
    lines = "\n".join((setup["options"]["install_requires"], *parts))
    asked = [Requirement(line) for line in lines.splitlines() if line]
    text = (ROOT / "constraints.txt").read_text("utf-8")
    pins = [Requirement(line) for line in text.splitlines() if not line.startswith("#")]
    here = {"python_version": python}
    versions = {}
    for pin in pins:
        if pin.marker is None or pin.marker.evaluate(here):
            versions.setdefault(pin.name.lower(), []).append(next(iter(pin.specifier)).version)

    for requirement in asked:
        # setuptools comes with the virtual environment; the package asks for its own extras.
        if requirement.name in ("setuptools", "sc2_ros"):
            continue
        if requirement.marker is not None and not requirement.marker.evaluate(here):
            continue
        (version,) = versions[requirement.name.lower()]
        assert requirement.specifier.contains(version)


def test_every_node_is_an_entry_point():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    scripts = dict(
        (part.strip() for part in line.split("="))
        for line in setup["options.entry_points"]["console_scripts"].strip().splitlines()
    )

    for name in TABLES:
        assert scripts[name] == f"sc2_ros.nodes.{name}:main"
        assert importlib.util.find_spec(f"sc2_ros.nodes.{name}") is not None


def test_the_manifest_has_the_version_and_build_type_of_the_package():
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()

    assert manifest.get("format") == "3"
    assert manifest.findtext("name") == "sc2_ros"
    assert manifest.findtext("version") == __version__
    assert manifest.findtext("export/build_type") == "ament_python"


def test_colcon_can_read_the_description():
    # What colcon-python-setup-py asks of setup.py: a description whose repr is a literal.
    code = (
        "from setuptools import Distribution; from distutils.core import run_setup;"
        "found = run_setup('setup.py', ['--dry-run'], stop_after='config').__dict__;"
        "print({k: found[k] for k in ('python_requires', 'install_requires', 'extras_require',"
        " 'entry_points', 'data_files', 'packages')})"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = ast.literal_eval(text.strip().splitlines()[-1])

    assert found["python_requires"] == ">=3.10"
    # Without it `colcon test` runs unittest, which finds no test here and calls that a success.
    assert any(entry.startswith("pytest") for entry in found["extras_require"]["test"])
    assert ("share/ament_index/resource_index/packages", ["resource/sc2_ros"]) in found[
        "data_files"
    ]
    shipped = {file for _, files in found["data_files"] for file in files}
    assert "models/default.safetensors" in shipped
    assert not any(file.startswith("models/training/") for file in shipped)  # unfinished


def python_files():
    folders = ("sc2_ros", "launch", "test", "benchmarks")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_every_python_file_has_copyright_and_licence():
    notice = "# Copyright 2026 The sc2_ros authors\n# SPDX-License-Identifier: Apache-2.0\n"
    without = [
        str(path.relative_to(ROOT))
        for path in python_files()
        if notice not in path.read_text("utf-8")[:200]
    ]

    assert without == []


@pytest.mark.parametrize("name", ["python.yml", "ros.yml"])
def test_workflows_cover_what_is_supported(name):
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text("utf-8"))

    (matrix,) = (
        job["strategy"]["matrix"] for job in workflow["jobs"].values() if "strategy" in job
    )
    wanted = {
        "python.yml": {"python": ["3.10", "3.11", "3.12", "3.13"]},
        "ros.yml": {"distribution": ["humble", "jazzy", "kilted", "rolling"]},
    }
    assert matrix == wanted[name]


@pytest.mark.parametrize("name", ["docker/ground.Dockerfile", "docker/jetson.Dockerfile"])
def test_images_install_what_the_package_asks_for(name):
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    words = set((ROOT / name).read_text("utf-8").replace('"', " ").lower().split())
    words |= {word.split("<")[0] for word in words}

    for line in setup["options"]["install_requires"].strip().splitlines():
        package = Requirement(line).name.lower()
        assert package in words | {"setuptools"}
