# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a node's process ends: its exit code and what it says."""

import gc
import io
import signal
import subprocess
import sys
import threading

import pytest

from sc2_ros.errors import Sc2Error
from sc2_ros.nodes.link_emulator_node import LinkEmulatorNode
from sc2_ros.nodes.process import run
from sc2_ros.nodes.worker import NewestWorker
from sc2_ros.runtime.ros import Node


@pytest.fixture(autouse=True)
def signals():
    """What `run` leaves to a process that ends is not for this one."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-p", "use_sim_time:=1"), "use_sim_time = 1"),
        (("-p", "link:={a: 1}"), "link = {a: 1}"),
        (("-p", "link:=[]"), "link = []"),
        (("-p", "seed:=2024-01-01"), "seed = '2024-01-01'"),
        (("-r", "features_in:=/a-b"), "'/a-b' is not a ROS topic"),
        (("-r", "__node:=a-b"), "a-b"),
        (("-p", "qos_overrides./features_in.subscription.reliability:=maybe"), "'maybe'"),
        (("-p", "qos_overrides./features_in.subscription.depth:=many"), "'many'"),
        (("-p", "qos_overrides./features_in.subscription.depth:=-1"), "-1"),
    ],
)
def test_a_mistyped_argument_is_one_line(capsys, words, told):
    assert run(LinkEmulatorNode, ["node", "--ros-args", *words]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert told in line


class Misfit(Node):
    """Looks whether garbage is collected while it is made, and is not made."""

    collects: list[bool] = []

    def __init__(self) -> None:
        self.collects.append(gc.isenabled())
        raise Sc2Error("not today")


def test_no_garbage_is_looked_for_while_a_node_is_made():
    assert run(Misfit, ["node"]) == 2

    assert Misfit.collects == [False]
    assert gc.isenabled()


def test_ctrl_c_does_not_break_off_the_end_of_what_was_refused(monkeypatch):
    """What a node that was refused has begun may take a while to go."""
    handlers = []

    class Watching(io.StringIO):
        def write(self, text: str) -> int:
            handlers.append(signal.getsignal(signal.SIGINT))
            return len(text)

    monkeypatch.setattr(sys, "stderr", Watching())

    assert run(Misfit, ["node"]) == 2

    assert set(handlers) == {signal.SIG_IGN}


class Working(Node):
    """Hands a worker an item that breaks it."""

    def __init__(self) -> None:
        super().__init__("working")
        self._worker = NewestWorker(self._work)
        self._worker.start()
        self._worker.put(0, "wood")
        self.create_timer(0.001, self._worker.check)

    def _work(self, item: str) -> None:
        raise ZeroDivisionError(f"no {item}\nleft")

    def destroy_node(self) -> None:
        self._worker.stop()
        super().destroy_node()


@pytest.mark.parametrize(("level", "shown"), [("info", False), ("debug", True)])
def test_a_fault_in_a_thread_ends_the_node_with_one_line(capsys, level, shown):
    before = threading.active_count()

    assert run(Working, ["node", "--ros-args", "--log-level", f"working:={level}"]) == 1

    text = capsys.readouterr().err
    assert ("Traceback" in text) == shown
    last = text.splitlines()[-1]
    assert last.startswith("[FATAL] ")
    assert "ZeroDivisionError: no wood left (in test_process.py, _work)" in last
    assert threading.active_count() == before


def test_a_fault_before_there_is_a_node_is_one_line(capsys):
    assert run(lambda: [][0], ["node"]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("[FATAL] ")
    assert "IndexError" in line


class Slow(Node):
    """Is told to stop, and once more while it does."""

    ended = False

    def __init__(self) -> None:
        super().__init__("slow")
        self.create_timer(0.01, lambda: signal.raise_signal(signal.SIGINT))

    def destroy_node(self) -> None:
        Slow.ended = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        super().destroy_node()


def test_a_node_that_ends_is_not_interrupted():
    assert run(Slow, ["node"]) == 0

    assert Slow.ended
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("camera_node", {"torch"}),
        ("link_emulator_node", {"torch"}),
        ("onboard_node", {"torchvision", "sc2_ros.ground.pipeline"}),
    ],
)
def test_a_node_imports_nothing_heavy_that_it_does_not_need(name, without):
    code = f"import sys, sc2_ros.nodes.{name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert without & set(done.stdout.split()) == set()
