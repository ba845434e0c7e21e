# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The part of the package's description that has to be computed; the rest is in setup.cfg.

The data files are what ROS 2 expects in an ament_python package: the marker in the ament index,
the manifest, launch files and parameters, and beside them the checkpoints that ship.
"""

from pathlib import Path

from setuptools import Extension, setup

NAME = "sc2_ros"
SHARE = Path("share") / NAME
UNFINISHED = Path("models") / "training"


def files(folder: str) -> list[tuple[str, list[str]]]:
    """Every file under `folder`, to be installed under the same path in share/sc2_ros.

    But for unfinished trainings: nine megabytes of which some are for non-commercial use only.
    """
    by_folder: dict[Path, list[str]] = {}
    for path in sorted(Path(folder).rglob("*")):
        if UNFINISHED in path.parents or "__pycache__" in path.parts:
            continue
        if path.is_file():
            by_folder.setdefault(path.parent, []).append(str(path))
    return [(str(SHARE / parent), paths) for parent, paths in by_folder.items()]


CSRC = "sc2_ros/codec/entropy/csrc"
KERNEL = Extension(
    "sc2_ros.codec.entropy._kernel",
    sources=[f"{CSRC}/kernel.c"],
    depends=[f"{CSRC}/{name}.h" for name in ("candidates", "network", "rans")],
    # Without contraction of a product and a sum, the floats of the encoder's choice are those of
    # numpy. Python's own -fwrapv keeps the loops from being vectorised: twice the time.
    extra_compile_args=[
        "-O3",
        "-ffp-contract=off",
        "-fno-wrapv",
        "-fvisibility=hidden",
        "-Wno-psabi",
    ],
    # A machine without a compiler runs the same in Python, a few milliseconds slower.
    optional=True,
)

setup(
    ext_modules=[KERNEL],
    # In setup.cfg it would become an object of a class, which colcon cannot read.
    python_requires=">=3.10",
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (str(SHARE), [name for name in ("package.xml",) if Path(name).exists()]),
        *files("launch"),
        *files("config"),
        *files("models"),
    ],
)
