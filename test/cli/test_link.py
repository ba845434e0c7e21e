# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`sc2 link`: a picture and a few lines, or one line of error."""

import pytest

from sc2_ros.cli.main import main


def test_draws_a_described_link(tmp_path, capsys):
    figure = tmp_path / "deep" / "link.png"
    link = "1mbit>400kbit@4s,20ms"
    assert main(["link", link, "--seconds", "8", "--out", str(figure)]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert "of what the link could carry" in printed
    assert str(figure) in printed


def test_draws_a_trace_at_another_mean(tmp_path, capsys):
    trace = tmp_path / "lte.up"
    trace.write_text("\n".join(str(ms) for ms in range(1, 1000, 7)))
    out = str(tmp_path / "link.png")
    assert main(["link", str(trace), "--mean-kbps", "300", "--seconds", "5", "--out", out]) == 0
    assert "frames" in capsys.readouterr().out


def test_a_link_that_loses_everything_has_no_figures_of_what_arrived(tmp_path, capsys):
    out = str(tmp_path / "link.png")
    assert main(["link", "500kbit,40ms,100%", "--seconds", "3", "--out", out]) == 0
    printed = capsys.readouterr().out
    assert "frames     0 shown" in printed
    assert "None" not in printed


def test_what_is_no_link_is_not_sent_to_an_option_that_is_not_there(tmp_path, capsys):
    assert main(["link", "bogus", "--out", str(tmp_path / "link.png")]) == 2
    assert "benchmarks/link.py --list" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-trace"],
        ["1mbit", "--mean-kbps", "-3"],
        ["1mbit", "--fps", "0"],
        ["1mbit", "--seed", "-1"],
    ],
)
def test_mistakes_are_one_line(arguments, tmp_path, capsys):
    assert main(["link", *arguments, "--out", str(tmp_path / "link.png")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
