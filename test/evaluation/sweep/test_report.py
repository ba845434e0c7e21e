# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table and the figure show every row."""

import io

from rich.console import Console

from sc2_ros.evaluation.sweep.figure import draw_rate_distortion
from sc2_ros.evaluation.sweep.row import Row
from sc2_ros.evaluation.sweep.table import print_rows


def _row(system, rate_index, size, mean_ap50):
    return Row(
        system=system,
        rate_index=rate_index,
        loss=0.1,
        frames=7,
        bytes_per_frame=size,
        ap50={"person": mean_ap50, "bicycle": None},
        mean_ap50=mean_ap50,
        miou=None,
        setting="",
        ap={},
        ap_by_size={},
        ap50_by_size={},
        iou={},
        top1=None,
        ap75={},
        mean_ap=0.25,
        mean_ap75=None,
        all_ap50=0.375,
        all_ap=None,
        truth="labels",
        payload_bytes_per_frame=None,
        packets_per_frame=2.0,
        on_air_bytes_per_frame={"topic": size + 200, "udp": size + 58, "udp_sealed": size + 84},
    )


ROWS = [
    _row("sc2_ros", 0.2, 1234.4, 0.51),
    _row("sc2_ros", 0.5, 2345.0, 0.52),
    _row("jpeg:30", None, 12345.0, 0.53),
    _row("uncompressed", None, 327688.0, 0.54),
]


def test_the_table_has_every_row_and_a_dash_for_what_is_unknown():
    text = io.StringIO()

    print_rows(ROWS, "hituav[day] val", Console(file=text, width=160))

    assert "hituav[day] val" in text.getvalue()
    assert all(name in text.getvalue() for name in ("AP75", "AP50:95", "AP50 of all"))
    lines = text.getvalue().splitlines()
    (line,) = [line for line in lines if "1,234" in line]
    assert [cell.strip() for cell in line.strip("│").split("│")] == [
        *("sc2_ros", "0.20", "10%", "7", "1,234", "1,318", "0.510", "-"),
        *("0.510", "-", "0.250", "0.375", "-"),
    ]
    assert sum("jpeg:30" in line or "uncompressed" in line for line in lines) == 2


def test_the_figure_is_a_picture_file(tmp_path):
    path = tmp_path / "results" / "figure.png"

    draw_rate_distortion(ROWS, "mean_ap50", path, "hituav val")

    assert path.read_bytes().startswith(b"\x89PNG")
