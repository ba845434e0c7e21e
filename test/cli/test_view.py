# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page that shows a run: over a real socket, and in a real browser where one is installed."""

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest

from sc2_ros.cli.api.fleet_board import COLUMNS, Row
from sc2_ros.cli.api.view import ViewServer
from sc2_ros.errors import Sc2Error
from sc2_ros.evaluation.session.log import Recent

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DEADLINE_S = 60.0
STAGES = ("camera", "wait", "encode", "pace", "link", "decode", "queue", "network", "publish")


def recent(sent_kbps: float = 312.0) -> Recent:
    return Recent(
        fps=14.9,
        bytes_per_frame=2600.0,
        sent_kbps=sent_kbps,
        capacity_kbps=500.0,
        loss=0.02,
        latency_p50_ms=161.0,
        latency_p95_ms=190.0,
        objects=7,
        rate_index=0.8,
        stages_ms={stage: 10.0 + number for number, stage in enumerate(STAGES)},
    )


def jpeg(width: int) -> bytes:
    _, data = cv2.imencode(".jpg", np.full((24, width, 3), 90, np.uint8))
    return data.tobytes()


def test_states_and_pictures_reach_a_browser_that_listens() -> None:
    async def listen(url: str) -> tuple[str, dict[str, Any], set[bytes]]:
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as page:
                text = await page.text()
            pictures: set[bytes] = set()
            state: dict[str, Any] = {}
            async with session.ws_connect(f"{url}stream") as stream:
                while len(pictures) < 2 or not state:
                    message = await stream.receive(DEADLINE_S)
                    if message.type is aiohttp.WSMsgType.TEXT:
                        state = json.loads(message.data)
                    else:
                        pictures.add(message.data)
            return text, state, pictures

    with ViewServer(0, "a run") as view:
        # Shown before somebody listens: who joins begins with the newest.
        view.camera(jpeg(32))
        view.ground(jpeg(48))
        view.state(recent(), 12.5)
        text, state, pictures = asyncio.run(listen(view.url))
    view.camera(jpeg(32))  # the end of a run may come before its last picture
    assert "<title>" in text
    assert state["title"] == "a run"
    assert state["time_s"] == 12.5
    assert state["stages_ms"]["link"] == 14.0
    assert pictures == {b"\0" + jpeg(32), b"\1" + jpeg(48)}


def test_a_browser_that_does_not_read_misses_pictures_and_holds_nobody_up() -> None:
    async def neglect(url: str) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{url}stream", max_msg_size=0) as stream,
        ):
            view.camera(b"first")
            await stream.receive(DEADLINE_S)
            for number in range(300):  # more than the sockets between here and there can hold
                view.camera(bytes((number % 256,)) * 1_000_000)
                await asyncio.sleep(0.001)
            view.state(recent(), 1.0)
            received = 0
            while (await stream.receive(DEADLINE_S)).type is not aiohttp.WSMsgType.TEXT:
                received += 1
            return received

    with ViewServer(0, "a run") as view:
        assert asyncio.run(neglect(view.url)) < 200


def test_a_page_of_another_site_is_refused() -> None:
    async def ask(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            headers = {"Origin": "http://example.org"}
            async with session.ws_connect(f"{url}stream", headers=headers):
                pass

    with ViewServer(0, "a run") as view, pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        asyncio.run(ask(view.url))


def test_whatever_the_server_fails_at_is_said_at_once_and_only_once() -> None:
    server = ViewServer(99999, "x")  # asyncio raises OverflowError for it
    with pytest.raises(Sc2Error, match="--view 99999: .*; give another port"):
        server.__enter__()
    server.__exit__()  # raises nothing


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Sc2Error, match=f"--view {port}: .*; give another port"):
            ViewServer(port, "a run").__enter__()


ASK = """({
  camera: document.getElementById("camera").naturalWidth,
  ground: document.getElementById("ground").naturalWidth,
  title: document.title,
  text: document.querySelector("header").textContent,
  stages: document.getElementById("bar").children.length,
  drawn: ["link", "latency", "index", "fps"].map(id => {
    const c = document.getElementById(id);
    return c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some(v => v > 0);
  }),
})"""


ASK_FLEET = """({
  title: document.title,
  hidden: document.getElementById("run").hidden,
  rows: [...document.getElementById("fleet").rows].map(
    row => [row.className, ...[...row.cells].map(cell => cell.textContent)]),
})"""


async def asked_in_chromium(
    view: ViewServer,
    profile: Path,
    ask: str,
    feed: Callable[[int], None],
    is_enough: Callable[[dict[str, Any]], Any],
) -> dict[str, Any]:
    """What the page has come to, by Chromium's own remote control.

    feed: shows something again and again, with a number; is_enough: ends it.
    """
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "about:blank"]
    command += ["--remote-debugging-port=0", f"--user-data-dir={profile}"]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        async with aiohttp.ClientSession() as session:
            ports = profile / "DevToolsActivePort"
            while not (ports.exists() and ports.read_text().strip()):
                await asyncio.sleep(0.1)
            control = f"http://127.0.0.1:{ports.read_text().split()[0]}/json"
            async with session.put(f"{control}/new?{view.url}") as answer:
                page = await answer.json()
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as devtools:
                for number in range(1, 10_000):
                    feed(number)
                    query = {"expression": ask, "returnByValue": True}
                    await devtools.send_json(
                        {"id": number, "method": "Runtime.evaluate", "params": query}
                    )
                    found: dict[str, Any] = {}
                    while found.get("id") != number:
                        found = await devtools.receive_json()
                    value = found["result"]["result"].get("value") or {}
                    if value and is_enough(value):
                        return value
                    await asyncio.sleep(0.1)
        raise AssertionError("the page did not come about")
    finally:
        browser.terminate()
        browser.wait()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_chromium_shows_pictures_figures_and_charts(tmp_path: Path) -> None:
    def feed(number: int) -> None:
        view.camera(jpeg(32))
        view.ground(jpeg(48))
        view.state(recent(300.0 + number % 7), number / 4)

    def is_enough(value: dict[str, Any]) -> bool:
        return all((value["camera"], value["ground"], value["stages"], *value["drawn"]))

    with ViewServer(0, "a run") as view:
        asking = asked_in_chromium(view, tmp_path, ASK, feed, is_enough)
        found = asyncio.run(asyncio.wait_for(asking, DEADLINE_S))
    assert (found["camera"], found["ground"]) == (32, 48)
    assert found["title"] == "a run"
    assert "161 / 190 ms" in found["text"]
    assert "of 500" in found["text"]
    assert found["stages"] == len(STAGES)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_chromium_shows_a_row_for_each_drone_of_a_fleet(tmp_path: Path) -> None:
    cells = ("d1", "ground_node1", "0.2", "9.8", "0.0", "310", "0.020", "7", "ok")
    late = ("<b>d2", "ground_node2", "8.1", "0.0", "0.0", "0", "-", "0", "no packet for 8 s")

    with ViewServer(0, "drones") as view:
        asking = asked_in_chromium(
            view,
            tmp_path,
            ASK_FLEET,
            lambda number: view.fleet([Row(cells, 0), Row(late, 2)]),
            lambda value: len(value["rows"]) == 3,
        )
        found = asyncio.run(asyncio.wait_for(asking, DEADLINE_S))
    assert found["title"] == "drones"
    assert found["hidden"]
    assert found["rows"] == [["", *COLUMNS], ["", *cells], ["error", *late]]
