# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frame of the command line: help, verbs, one line for what the user can mend."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sc2_ros.cli.main import VERBS, first_line, main, split_ros_arguments


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sc2_ros.cli.main", *args],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_help_lists_every_verb_and_imports_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys; from sc2_ros.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print('HEAVY', [m for m in ('torch', 'cv2', 'numpy', 'rosbags') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "HEAVY []" in done.stdout
    for verb in VERBS:
        assert f"  {verb} " in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help_line_and_help(verb: str, capsys: pytest.CaptureFixture) -> None:
    assert len(first_line(verb)) > 10
    with pytest.raises(SystemExit) as exit_:
        main([verb, "--help"])
    assert exit_.value.code == 0
    assert f"sc2 {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [[], ["bogus"], ["--bogus"]])
def test_no_verb_is_an_error_with_the_usage(argv: list[str], capsys: pytest.CaptureFixture) -> None:
    try:
        code = main(argv)
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    assert code == 2
    assert "usage: sc2" in captured.out + captured.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["info", "nothere"], "no checkpoint 'nothere'"),
        (["replay", "nothere.mp4"], "no input 'nothere.mp4'"),
        (["replay", "synthetic", "--link", "fast"], "'fast'"),
        (["replay", "synthetic", "--rate-index", "1.5"], "--rate-index 1.5"),
        (["replay", "synthetic", "--max-kbps", "-3"], "--max-kbps -3"),
        (["replay", "synthetic", "--size", "big"], "--size 'big'"),
        (["replay", "synthetic", "--size", "99999x9"], "at most 4096 a side"),
        (["replay", "synthetic", "--checkpoint", "nothere"], "no checkpoint 'nothere'"),
        (["replay", "synthetic", "--view", "99999"], "--view 99999"),
        (["replay", "synthetic", "--view", "-1"], "--view -1"),
        (["replay", "synthetic", "--fps", "1e9"], "--fps 1e+09"),
        (["replay", "synthetic", "--seed", "-1"], "--seed -1"),
        (["replay", "synthetic", "--max-kbps", "1e30"], "below 1e9"),
        (["replay", "99999999999"], "no camera 99999999999"),
        (["fleet", "--once", "--seconds", "nan"], "--seconds nan"),
        (["fleet", "--once", "--seconds", "-1"], "--seconds -1"),
        (["link", "500kbit", "--fps", "1e9"], "--fps 1e+09"),
        (["demo", "--seed", "-1"], "--seed -1"),
        (["demo", "--seed", "2147483648"], "give 0 to 2147483647"),
        (["demo", "--link", "fast"], "'fast'"),
        (["demo", "--input", "nothere.mp4"], "no input 'nothere.mp4'"),
        (["demo", "--checkpoint", "nothere"], "no checkpoint 'nothere'"),
        (["demo", "--seconds", "0"], "--seconds 0"),
    ],
)
def test_mistakes_are_one_line_and_status_2(
    args: list[str], words: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(args) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert words in error


def test_a_full_disk_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def full(_args: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as write() does, without a name

    monkeypatch.setattr("sc2_ros.cli.key.main", full)
    assert main(["key", "id", "x"]) == 2
    assert capsys.readouterr().err == "error: No space left on device\n"


@pytest.mark.parametrize(
    ("argv", "missing", "extra"),
    [
        (["info", "default"], "rich", "demo"),
        (["link", "1mbit", "--seconds", "1"], "matplotlib", "demo"),
        (["ground"], "torch", "ground"),
        (["export", "default", "--out", "out"], "onnx", "train"),
        (["evaluate", "--data", "synthetic"], "compressai", "eval"),
    ],
)
def test_what_is_not_installed_is_named_with_the_extra_that_has_it(
    argv: list[str], missing: str, extra: str, tmp_path: Path
) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"from sc2_ros.cli.main import main; sys.exit(main({argv!r}))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    assert done.returncode == 2, done.stderr
    assert f"error: {missing} is not installed; pip install 'sc2_ros[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_node_with_a_bad_parameter_is_one_line_and_status_2() -> None:
    done = run("ground", "--ros-args", "-p", "score_threshold:=7.0")
    assert done.returncode == 2
    assert done.stderr.startswith("error: score_threshold")
    assert done.stderr.count("\n") == 1


def test_ros_arguments_are_only_taken_by_verbs_that_run_a_node() -> None:
    import argparse

    argv = ["-x", "--ros-args", "-p", "a:=1"]
    assert split_ros_arguments(argv, argparse.ArgumentParser()) == (argv, [])
    node = argparse.ArgumentParser()
    node.set_defaults(takes_ros_arguments=True)
    assert split_ros_arguments(argv, node) == (["-x"], ["--ros-args", "-p", "a:=1"])


def test_a_folder_in_place_of_the_summary_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ("--seconds", "0.1", "--size", "64x64", "--out", str(out), "--json", str(tmp_path))

    assert main(["replay", "synthetic", *options]) == 2

    assert capsys.readouterr().err == f"error: --json {tmp_path} is a folder; give a file\n"
    assert not out.exists()
