# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo over real processes and real DDS, with every kind of input that needs no device."""

import argparse
import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import psutil
import pytest
from recordings import make_bag, make_folder, make_video
from rich.console import Console
from rosbags.highlevel import AnyReader
from weights import write_untrained

from sc2_ros.cli.api.processes import NodeProcesses, ProcessError, free_domain, last_words
from sc2_ros.cli.demo import camera_input, commands
from sc2_ros.cli.main import main
from sc2_ros.runtime.arguments import parse_arguments

NODES = ["ground_node", "onboard_node", "link_emulator_node", "camera_node"]
DEADLINE_S = 120.0


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_untrained(tmp_path_factory.mktemp("weights") / "untrained.safetensors"))


def demo(checkpoint: str, out: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sc2_ros.cli.main", "demo", "--checkpoint", checkpoint]
    command += ["--out", str(out), "--link", "400kbit,20ms", "--fps", "5", *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def endless(checkpoint: str, folder: Path) -> subprocess.Popen[str]:
    """Of a few images: a flight of that length would be rendered first."""
    images = str(make_folder(folder / "images"))
    return demo(checkpoint, folder, "--input", images, "--seconds", "600")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_the_demo_holds_no_input_that_the_camera_node_is_to_open(tmp_path: Path) -> None:
    """Of a camera it would be the only one that can."""
    source = make_video(tmp_path / "flight.mp4")
    args = argparse.Namespace(
        input=str(source), size=None, fps=None, topic=None, seconds=3.0, out=tmp_path
    )
    with camera_input(args, Console()) as spec:
        assert spec == str(source)
        assert str(source) not in [file.path for file in psutil.Process().open_files()]


@pytest.mark.processes
@pytest.mark.parametrize("kind", ["synthetic", "folder", "mcap raw"])
def test_a_flight_a_folder_and_a_bag(tmp_path: Path, checkpoint: str, kind: str) -> None:
    options: tuple[str, ...] = ()
    if kind == "synthetic":
        source, options = "synthetic:5", ("--size", "160x128")
    elif kind == "folder":
        source = str(make_folder(tmp_path / "pilot's images: 1"))
    else:
        source = str(make_bag(tmp_path / "bag", *kind.split()))
    out = tmp_path / "out"
    process = demo(checkpoint, out, "--input", source, "--seconds", "3", *options)
    told, error = process.communicate(timeout=400)
    assert process.returncode == 0, error
    assert "frames/s" in told
    assert "latency" in told

    summary = json.loads((out / "summary.json").read_text())
    assert summary["frames"] > 0
    assert summary["seconds"] >= 3
    assert summary["bytes_per_frame"] > 24
    assert summary["capacity_kbps"] == 400
    assert 20 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p95"]
    assert [row["name"] for row in summary["processes"]][:4] == NODES
    assert len({row["pid"] for row in summary["processes"]}) == 5
    assert not any(psutil.pid_exists(row["pid"]) for row in summary["processes"])
    assert (summary["miou"] is not None) == (kind == "synthetic")
    with av.open(str(out / "annotated.mp4")) as video:
        assert next(video.decode(video=0)).width > 160
    assert (out / "figure.png").stat().st_size > 10_000
    with AnyReader([out / "results"]) as reader:
        assert {"/detections", "/mask", "/preview/compressed", "/features"} <= set(reader.topics)


@pytest.mark.parametrize(
    "text",
    [
        "pilot's",
        'say "hi"',
        "0",
        "a: b, {c}",
        "two\nlines",
        "tab\there",
        "flüge/✈\U0001f600",
        "\udcff",
    ],
)
def test_text_reaches_the_nodes_as_it_is(text: str) -> None:
    args = argparse.Namespace(
        checkpoint=text,
        input=text,
        topic=text,
        link=text,
        device="cpu",
        fps=None,
        size=" 640X480",
        seed=0,
        rate_mode="fixed",
        rate_index=0.5,
        precision="auto",
    )
    given = {
        node: parse_arguments(["--ros-args", *words]).overrides(f"/{node}")
        for node, words in commands(args, text, 100.0).items()
    }

    assert given["camera_node"]["input"] == given["camera_node"]["topic"] == text
    assert given["onboard_node"]["model"] == given["ground_node"]["model"] == text
    assert given["link_emulator_node"]["link"] == text
    assert given["ground_node"]["precision"] == "auto"
    assert "precision" not in given["onboard_node"]
    assert given["camera_node"]["size"] == "640x480"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_hands_its_variables_over_as_they_are() -> None:
    given = {"INPUT": 'pilot\'s "film".mp4', "LINK": "1mbit,40ms,2%", "OUT": "o'ut put"}
    command = ["make", "-n", "demo", *(f"{name}={value}" for name, value in given.items())]
    told = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    ).stdout
    words = shlex.split(told[told.index(".venv/bin/sc2 demo") :].replace("\\\n", " "))

    for option, name in (("--input", "INPUT"), ("--link", "LINK"), ("--out", "OUT")):
        assert words[words.index(option) + 1] == given[name]


@pytest.mark.processes
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, checkpoint: str) -> None:
    process = endless(checkpoint, tmp_path)
    try:
        wait_for(lambda: len(psutil.Process(process.pid).children()) == len(NODES))
        nodes = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in error
    # A node that was being started just then ends by itself, at the death of the demo.
    _, alive = psutil.wait_procs(nodes, timeout=DEADLINE_S)
    assert not alive


@pytest.mark.processes
def test_a_killed_demo_takes_its_nodes_along(tmp_path: Path, checkpoint: str) -> None:
    process = endless(checkpoint, tmp_path)
    wait_for(lambda: len(psutil.Process(process.pid).children()) == len(NODES))
    nodes = psutil.Process(process.pid).children()
    process.kill()
    process.communicate(timeout=DEADLINE_S)
    wait_for(lambda: not any(is_alive(node) for node in nodes))


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.processes
def test_a_node_that_ends_is_told_with_its_own_words(tmp_path: Path) -> None:
    environment = {"ROS_DOMAIN_ID": str(free_domain())}
    with NodeProcesses(tmp_path, environment) as nodes:
        nodes.start("link_emulator_node", ["-p", "link:='very fast'"])

        with pytest.raises(ProcessError, match="link_emulator_node has ended: .*very fast"):
            wait_for(lambda: nodes.check() is not None)


def test_last_words_prefer_the_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("[INFO] hello\nerror: no camera 3\n[INFO] bye\n\n")
    assert last_words(log) == "no camera 3"
    log.write_text("Traceback\nValueError: oh\n")
    assert last_words(log) == "ValueError: oh"
    log.write_text("")
    assert last_words(log) == ""


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--size", "16x16", "camera_node does not take size = '16x16'"),
        ("--fps", "500", "camera_node does not take fps = 500.0"),
        ("--max-kbps", "0.5", "onboard_node does not take rate.max_kbps = 0.5"),
    ],
)
def test_what_a_node_would_refuse_is_refused_before_it_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, told: str
) -> None:
    out = tmp_path / "out"

    assert main(["demo", "--seconds", "1", "--out", str(out), option, value]) == 2

    assert capsys.readouterr().err.startswith(f"error: {told}")
    assert not out.exists()
