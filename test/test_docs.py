# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pages of the documentation lead to one another, and docs/README.md leads to all of them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "models" / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]


def linked(page):
    """Files that a page links to, without the places in them."""
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    return {(page.parent / link).resolve() for link in links if "://" not in link}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert [str(target) for target in linked(page) if not target.exists()] == []


def test_the_map_names_every_page_and_every_folder():
    page = ROOT / "docs" / "README.md"
    reached = linked(page) | linked(ROOT / "docs" / "recipes" / "README.md") | {page}
    assert [path.name for path in PAGES if path.resolve() not in reached] == []
    named = set(re.findall(r"`(\w+)/`", page.read_text("utf-8")))
    assert {path.parent.name for path in ROOT.glob("sc2_ros/*/__init__.py")} - named == set()


def test_the_architecture_page_names_files_that_exist():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    files = set(re.findall(r"[\w/]+/\w+\.py", page))
    assert len(files) > 30
    roots = (ROOT, ROOT / "sc2_ros")
    assert {name for name in files if not any((root / name).exists() for root in roots)} == set()
