# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the README claims is in it, is what was measured, and was measured with what ships."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from sc2_ros import checkpoint as checkpoints

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def load_figures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("figures", ROOT / "benchmarks" / "figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["figures"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


figures = load_figures()
ENTRIES = figures.load_claims()


def claims_of(entry: dict) -> list[dict]:
    return list(entry["claims"])


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_the_readme_says_what_was_measured(entry: dict) -> None:
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    for claim in claims_of(entry):
        says = " ".join(claim["says"].split())
        assert says in readme
        assert all(str(number) in says for number in claim["numbers"])

    findings = list(figures.compare(entry, json.loads((ROOT / entry["json"]).read_text("utf-8"))))

    assert [f"{f.says}: {f.measured}" for f in findings if not f.holds] == []


@pytest.mark.parametrize(
    ("text", "measured", "within", "holds"),
    [
        ("0.754", 0.75402, 0, True),
        ("0.754", 0.7534, 0, False),
        ("2,336", 2336.4, 0, True),
        ("2,336", 2337.0, 0, False),
        ("12.9", 14.0, 0.25, True),
        ("12.9", 20.0, 0.25, False),
        ("92 %", 92.3, 0, True),
    ],
)
def test_a_number_holds_to_its_digits(text: str, measured: float, within: float, holds: bool):
    assert figures.agrees(text, measured, within) == holds


def named_checkpoints(results: object) -> set[str]:
    """Every checkpoint that a file of results names, in its head or in its rows."""
    if isinstance(results, dict):
        named = {str(results["checkpoint"])} if "checkpoint" in results else set()
        return named | named_checkpoints(results.get("rows", []))
    assert isinstance(results, list)
    return {str(row["checkpoint"]) for row in results if "checkpoint" in row}


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_results_are_of_the_shipped_checkpoint_or_marked_as_older(path: Path) -> None:
    exceptions = yaml.safe_load((RESULTS / "exceptions.yaml").read_text("utf-8")) or {}
    model = "urban_nc" if path.stem.startswith("urban_nc") else "default"
    shipped = f"{checkpoints.read(model).id:08x}"

    named = named_checkpoints(json.loads(path.read_text("utf-8")))

    if path.name in exceptions:
        assert len(str(exceptions[path.name])) > 20  # says what it is of, and why it is kept
        assert named != {shipped}  # measured again: the mark is to go
    else:
        assert named == {shipped}


def test_marks_of_older_results_name_files_that_exist() -> None:
    exceptions = yaml.safe_load((RESULTS / "exceptions.yaml").read_text("utf-8")) or {}
    assert all((RESULTS / name).exists() for name in exceptions)
