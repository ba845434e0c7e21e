# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether what the README claims is true: measures every quick figure again and compares.

    python benchmarks/figures.py                    # all of benchmarks/claims.yaml (`make figures`)
    python benchmarks/figures.py --only hituav      # one entry
    python benchmarks/figures.py --measured         # compare with the results as they are

Each entry of claims.yaml has a command, the JSON that it writes, and sentences of README.md with
the numbers in them as JMESPath expressions over that JSON. A number holds if the measured one, with
as many digits, is the same, or within what the entry allows (times vary, counts do not). The exit
status is 1 where a sentence no longer holds.
"""

from __future__ import annotations

import argparse
import json
import math
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jmespath
import yaml
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
CLAIMS = ROOT / "benchmarks" / "claims.yaml"


@dataclass(frozen=True)
class Finding:
    """One number of one sentence: what the README says, what was measured, whether it holds."""

    entry: str
    says: str
    number: str
    measured: float | None
    holds: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Run the commands, compare, print what does not hold."""
    args = _parse_arguments(argv)
    entries = [e for e in load_claims() if args.only in (None, e["name"])]
    if not entries:
        sys.exit(f"error: no entry {args.only!r} in {CLAIMS.name}")
    console, findings, skipped = Console(), [], []
    for entry in entries:
        if not args.measured:
            missing = [path for path in entry.get("needs", []) if not (ROOT / path).exists()]
            if missing:
                skipped.append(f"{entry['name']}: {', '.join(missing)} is not here")
                continue
            console.print(f"[bold]{entry['name']}[/bold] {entry['command']}", soft_wrap=True)
            subprocess.run(command_of(entry), cwd=ROOT, check=True)
        findings += compare(entry, json.loads((ROOT / entry["json"]).read_text("utf-8")))
    print_findings(console, findings)
    for reason in skipped:
        console.print(f"not measured: {reason}", soft_wrap=True)
    return 0 if all(finding.holds for finding in findings) else 1


def load_claims() -> list[dict[str, Any]]:
    """The entries of claims.yaml."""
    entries: list[dict[str, Any]] = yaml.safe_load(CLAIMS.read_text("utf-8"))
    return entries


def command_of(entry: dict[str, Any]) -> list[str]:
    """The command of an entry, run by this Python."""
    words = shlex.split(entry["command"])
    if words[0] == "sc2":
        return [sys.executable, "-m", "sc2_ros.cli.main", *words[1:]]
    return [sys.executable if words[0] == "python" else words[0], *words[1:]]


def compare(entry: dict[str, Any], results: Any) -> Iterator[Finding]:
    """Every number of an entry's sentences against what was measured."""
    for claim in entry["claims"]:
        for text, expression in claim["numbers"].items():
            value = jmespath.search(expression, results)
            measured = float(value) if isinstance(value, int | float) else None
            holds = measured is not None and agrees(str(text), measured, claim.get("within", 0.0))
            yield Finding(entry["name"], claim["says"], str(text), measured, holds)


def agrees(text: str, measured: float, within: float) -> bool:
    """Whether a number as written is what was measured, with its digits or within a share of it."""
    written = number_of(text)
    digits = len(text.partition(".")[2].rstrip(" %"))
    return math.isclose(written, round(measured, digits), rel_tol=within, abs_tol=1e-9)


def number_of(text: str) -> float:
    """A number as the README writes it, such as 2,336."""
    return float(text.replace(",", "").rstrip(" %"))


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """What does not hold, and how much does."""
    wrong = [finding for finding in findings if not finding.holds]
    table = Table("entry", "sentence", "README", "measured", title="no longer holds")
    for finding in wrong:
        measured = "-" if finding.measured is None else f"{finding.measured:.6g}"
        table.add_row(finding.entry, finding.says, finding.number, measured)
    if wrong:
        console.print(table)
    console.print(f"{len(findings) - len(wrong)} of {len(findings)} numbers hold")


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="ENTRY", help="of claims.yaml")
    parser.add_argument("--measured", action="store_true", help="do not run the commands")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
