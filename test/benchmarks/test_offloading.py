# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latencies add up, and the cheapest setting that is good enough is taken."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from weights import write_untrained

from sc2_ros.errors import InputError

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "offloading.py"


@pytest.fixture(scope="module")
def offloading():
    spec = importlib.util.spec_from_file_location("benchmark_offloading", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _row(system, size, accuracy, rate_index=None):
    return {
        "system": system,
        "bytes_per_frame": size,
        "mean_ap50": accuracy,
        "rate_index": rate_index,
    }


ROWS = [
    _row("sc2_ros", 1000.0, 0.48, 0.1),
    _row("sc2_ros", 2000.0, 0.50, 0.3),
    _row("sc2_ros", 3000.0, 0.51, 0.5),
    _row("jpeg:10", 7000.0, 0.45),
    _row("jpeg:20", 9000.0, 0.50),
    _row("webp:1", 3000.0, 0.40),
    _row("onboard-only", 300.0, 0.50),
    _row("onboard-only:light", 300.0, 0.30),
    _row("uncompressed", 300000.0, 0.50),
]


def test_the_cheapest_setting_that_is_good_enough_is_taken(offloading):
    chosen = offloading.cheapest(ROWS, "mean_ap50", 0.49)

    assert [(row["system"], row["bytes_per_frame"]) for row in chosen] == [
        ("sc2_ros", 2000.0),
        ("jpeg:20", 9000.0),
        ("onboard-only", 300.0),
        ("onboard-only:light", 300.0),
    ]


def test_rows_of_sc2_evaluate_will_do(offloading, tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS))
    points = offloading._points(path, "default")
    assert (points["metric"], points["ceiling"], points["rows"]) == ("mean_ap50", 0.50, ROWS)

    path.write_text(json.dumps(ROWS[:-1]))
    with pytest.raises(InputError, match="--baselines uncompressed"):
        offloading._points(path, "default")


def test_latency_is_both_ends_and_the_bytes_over_the_link(offloading):
    ours = offloading.Timing("sc2_ros", 0.5, 2000.0, 10.0, 50.0)
    theirs = offloading.Timing("jpeg:20", 0.5, 32000.0, 2.0, 60.0)
    unknown = offloading.Timing("entropic_student", None, None, 90.0, 40.0)

    assert ours.total_ms(1.0) == pytest.approx(10 + 16 + 50)
    assert ours.drone_and_link_ms(0.5) == pytest.approx(10 + 32)
    assert unknown.total_ms(1.0) is None
    report = offloading.compare([ours, theirs, unknown])
    assert report["speed_up"]["jpeg:20"]["1"] == pytest.approx((2 + 256 + 60) / 76)
    assert report["speed_up"]["entropic_student"]["1"] is None
    assert report["speed_up_to_station_of_16_holds"]["jpeg:20"] == []


def test_it_measures_every_system_and_says_where_the_claim_holds(
    offloading, tmp_path, monkeypatch, capsys
):
    weights = write_untrained(tmp_path / "untrained.safetensors")
    points = {"metric": "mean_ap50", "ceiling": 0.5, "checkpoint": "00000000"}
    rows = [row for row in ROWS if row["system"] != "onboard-only:light"]
    (tmp_path / "points.json").write_text(json.dumps(points | {"rows": rows}))
    options = ["--data", "synthetic:1", "--limit", "1", "--checkpoint", str(weights)]
    options += ["--points", str(tmp_path / "points.json"), "--json", str(tmp_path / "out.json")]
    options += ["--figure", str(tmp_path / "out.png"), "--papers", str(tmp_path / "absent.json")]
    monkeypatch.setattr(sys, "argv", ["offloading.py", *options])

    assert offloading.main() == 0

    report = json.loads((tmp_path / "out.json").read_text())
    systems = {row["system"]: row for row in report["systems"]}
    assert set(systems) == {"sc2_ros", "jpeg:20", "onboard-only", "entropic_student"}
    assert all(row["encode_ms"] > 0 and row["decode_ms"] > 0 for row in systems.values())
    assert systems["jpeg:20"]["total_ms"]["0.25"] > 288
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert "jpeg:20: at most" in capsys.readouterr().out
