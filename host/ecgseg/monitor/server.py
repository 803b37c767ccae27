"""Serves a page on the loopback, and the stream to it: one process, no other address, nothing without the token."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler, Middleware

from ecgseg.errors import UsageError, cause
from ecgseg.monitor.access import is_local, is_same_origin, is_token, new_token, policy
from ecgseg.monitor.messages import about
from ecgseg.monitor.session import Session
from ecgseg.monitor.viewer import Viewer
from ecgseg.monitor.wishes import MOST_BYTES, wish_of

LOOPBACK = "127.0.0.1"
_NEWS_SECONDS = 0.03
_HEARTBEAT_SECONDS = 15.0
_MOST_VIEWERS = 8
_MOST_DIGITS = 12


@contextmanager
def serving(session: Session, page: str, facts: Mapping[str, str | float], port: int = 0) -> Iterator[str]:
    """Serves until the context is left; yields the address of the page, token and all.

    Args:
        session: what is shown.
        page: HTML, with everything inside.
        facts: what runs, for the page.
        port: of the loopback; 0 for any that is free.

    Raises:
        UsageError: the port is taken.
    """
    listener = _listener(port)
    token = new_token()
    server = _Server(session, page, facts, token)
    thread = threading.Thread(target=server.run, args=(listener,), name="monitor", daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}/{token}/"
    finally:
        server.stop()
        thread.join(timeout=5.0)


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(
            f"The page cannot be served at port {port}.",
            cause(error, "A port is a number from 1 to 65535."),
            "Name another one with --page-port, or leave it out: any that is free is taken.",
        ) from error
    return listener


class _Server:
    """The loop of the thread that serves."""

    def __init__(self, session: Session, page: str, facts: Mapping[str, str | float], token: str) -> None:
        self._session, self._page, self._token = session, page, token
        self._about = about(list(session.sources), dict(facts))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._ready = threading.Event()
        self._sockets: set[web.WebSocketResponse] = set()
        self._headers = {
            "Content-Security-Policy": policy(page),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    def run(self, listener: socket.socket) -> None:
        """Serves until `stop`."""
        asyncio.run(self._serve(listener))

    def stop(self) -> None:
        """From any thread."""
        self._ready.wait(5.0)
        if self._loop and self._over:
            with suppress(RuntimeError):  # The loop has ended by itself.
                self._loop.call_soon_threadsafe(self._over.set)

    async def _serve(self, listener: socket.socket) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_get("/{token}/", self._get_page)
        app.router.add_get("/{token}/stream", self._get_stream)
        app.middlewares.append(self._guarded())
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        await self._over.wait()
        for viewer in list(self._sockets):
            with suppress(Exception):
                await asyncio.wait_for(viewer.close(code=1001, message=b"the monitor has ended"), 1.0)
        await runner.cleanup()

    def _guarded(self) -> Middleware:
        """Refuses what has not the token, or another name for this computer than its own."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not is_local(request.headers.get("Host")):
                raise web.HTTPForbidden(text="The monitor is only at 127.0.0.1 and localhost.\n")
            if not is_token(request.match_info.get("token", ""), self._token):
                raise web.HTTPNotFound(text="There is nothing here.\n")
            return await handler(request)

        return guard

    async def _get_page(self, request: web.Request) -> web.Response:
        return web.Response(text=self._page, content_type="text/html", headers=self._headers)

    async def _get_stream(self, request: web.Request) -> web.StreamResponse:
        if not is_same_origin(request.headers.get("Origin"), request.headers.get("Host")):
            raise web.HTTPForbidden(text="A page of another address asks for the stream.\n")
        if len(self._sockets) >= _MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text="Too many pages are open.\n")
        viewer = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=MOST_BYTES, compress=False)
        await viewer.prepare(request)
        self._sockets.add(viewer)
        behind = Viewer(self._session, _number(request, "take"), _number(request, "head"))
        sender = asyncio.create_task(self._send(viewer, behind))
        try:
            async for message in viewer:
                wish = wish_of(message.data) if message.type is WSMsgType.TEXT else None
                if wish:
                    self._session.wishes.put(wish)
        finally:
            sender.cancel()
            self._sockets.discard(viewer)
        return viewer

    async def _send(self, socket: web.WebSocketResponse, viewer: Viewer) -> None:
        with suppress(ConnectionError, RuntimeError):
            await socket.send_str(self._about)
            while not socket.closed:
                for message in viewer.news():
                    if isinstance(message, str):
                        await socket.send_str(message)
                    else:
                        await socket.send_bytes(message)
                await asyncio.sleep(_NEWS_SECONDS)


def _number(request: web.Request, name: str) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0
