# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A page in the browser that shows a run, or a fleet, while it lasts.

    camera(JPEG), ground(JPEG) --+
    state(Recent), fleet(rows) --+--> [thread: aiohttp] --websocket--> view.html

What is shown are JPEGs that exist anyway, and some figures four times a second. A browser that is
too slow misses pictures; the run never waits for one.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from aiohttp import WSMsgType, web

from sc2_ros.cli.api.fleet_board import COLUMNS, Row
from sc2_ros.cli.api.live import Every
from sc2_ros.errors import Sc2Error
from sc2_ros.evaluation.session.log import Recent

PAGE = Path(__file__).with_name("view.html")
CAMERA, GROUND = 0, 1
"""The first byte of a picture's message."""
START_S = 10.0
STATE, FLEET = -1, -2
STATE_S = 0.25
"""How often the figures are renewed."""


class _Client:
    """One browser: the newest message of each kind that it has not got yet."""

    def __init__(self, newest: Mapping[int, str | bytes]) -> None:
        """newest: what has been shown last, with which it begins."""
        self.waiting = dict(newest)
        self.changed = asyncio.Event()
        self.changed.set()

    def put(self, kind: int, message: str | bytes) -> None:
        self.waiting[kind] = message
        self.changed.set()


class ViewServer:
    """Serves the page on this computer; a context manager.

    Args:
        port: of 127.0.0.1; 0 takes a free one, which `url` names.
        title: of the run.

    Raises:
        Sc2Error: the port cannot be had.
    """

    def __init__(self, port: int, title: str) -> None:
        self.url = ""
        self.every = Every(STATE_S)
        self._port, self._title = port, title
        self._loop = asyncio.new_event_loop()
        self._clients: set[_Client] = set()
        self._newest: dict[int, str | bytes] = {}
        self._ready = threading.Event()
        self._ended = asyncio.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._serve, name="view", daemon=True)

    def __enter__(self) -> "ViewServer":
        self._thread.start()
        self._ready.wait(START_S)
        if self._error is not None:
            raise Sc2Error(f"--view {self._port}: {self._error}; give another port") from None
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(START_S)

    def camera(self, jpeg: bytes) -> None:
        """Show the camera's newest picture."""
        self._send(CAMERA, bytes((CAMERA,)) + jpeg)

    def ground(self, jpeg: bytes) -> None:
        """Show the newest picture that the ground has made."""
        self._send(GROUND, bytes((GROUND,)) + jpeg)

    def state(self, recent: Recent, time_s: float) -> None:
        """Show the state of the stream at a time of the run."""
        figures = {"title": self._title, "time_s": round(time_s, 2), **asdict(recent)}
        self._send(STATE, json.dumps(figures))

    def fleet(self, rows: Iterable[Row]) -> None:
        """Show a row for each drone."""
        table = {"columns": COLUMNS, "rows": [asdict(row) for row in rows]}
        self._send(FLEET, json.dumps({"title": self._title, "fleet": table}))

    def _send(self, kind: int, message: str | bytes) -> None:
        def put() -> None:
            self._newest[kind] = message
            for client in self._clients:
                client.put(kind, message)

        with contextlib.suppress(RuntimeError):  # the page has been closed
            self._loop.call_soon_threadsafe(put)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
        except Exception as error:  # whatever it is, `__enter__` tells it
            self._error = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _run(self) -> None:
        application = web.Application()
        application.router.add_get("/", self._page)
        application.router.add_get("/stream", self._stream)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self._port)
            await site.start()
            port = runner.addresses[0][1]
            self.url = f"http://127.0.0.1:{port}/"
            self._ready.set()
            await self._ended.wait()
        finally:
            await runner.cleanup()

    async def _page(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE, headers={"Cache-Control": "no-store"})

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        # Pages of other sites may open a websocket to this computer, too.
        if request.headers.get("Origin", self.url.rstrip("/")).split("//")[-1] != request.host:
            raise web.HTTPForbidden
        socket = web.WebSocketResponse(heartbeat=10.0)
        await socket.prepare(request)
        client = _Client(self._newest)
        self._clients.add(client)
        sender = asyncio.ensure_future(self._feed(client, socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self._clients.discard(client)
            sender.cancel()
        return socket

    async def _feed(self, client: _Client, socket: web.WebSocketResponse) -> None:
        while not self._ended.is_set():
            await client.changed.wait()
            client.changed.clear()
            waiting, client.waiting = client.waiting, {}
            for message in waiting.values():
                if isinstance(message, str):
                    await socket.send_str(message)
                else:
                    await socket.send_bytes(message)
