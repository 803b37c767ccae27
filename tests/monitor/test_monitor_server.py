"""The server: the page for who has its address, the stream for the page, nothing for anybody else."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import numpy as np
import pytest

from ecgseg.errors import UsageError
from ecgseg.monitor.server import serving
from ecgseg.monitor.session import Session, Wanted
from support.monitor_double import BenchDouble, ramp

PAGE = "<!doctype html><style>a{}</style><script>1</script>"


class Running:
    """A session that runs in a thread, and where it is served."""

    def __init__(self, session: Session, address: str) -> None:
        self.session, self.address = session, address
        parts = urlsplit(address)
        self.host, self.root = parts.netloc, f"http://{parts.netloc}"
        self.stream = f"ws://{parts.netloc}{parts.path}stream"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    session = Session(BenchDouble(), [ramp(), ramp(250)], Wanted(50.0, "none", tmp_path))
    over = threading.Event()

    class OverError(Exception):
        pass

    def on_step() -> None:
        if over.is_set():
            raise OverError

    def run() -> None:
        with pytest.raises(OverError):
            session.run(on_step)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with serving(session, PAGE, {"speed": 50.0}) as address:
            yield Running(session, address)
    finally:
        over.set()
        thread.join()


def asked(work: Callable[[aiohttp.ClientSession], Awaitable[Any]]) -> Any:
    async def ask() -> Any:
        async with aiohttp.ClientSession() as client:
            return await work(client)

    return asyncio.run(ask())


def status(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> int:
    async def work(client: aiohttp.ClientSession) -> int:
        async with client.request(method, url, headers=headers) as answer:
            return answer.status

    return int(asked(work))


def test_the_page_is_served_with_what_keeps_others_out(running: Running) -> None:
    async def work(client: aiohttp.ClientSession) -> tuple[int, str, dict[str, str]]:
        async with client.get(running.address) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    code, text, headers = asked(work)
    assert (code, text) == (200, PAGE)
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_without_the_token_there_is_nothing(running: Running) -> None:
    wrong = running.address[:-2] + ("A" if running.address[-2] != "A" else "B") + "/"
    for url in (f"{running.root}/", f"{running.root}/stream", wrong, f"{wrong}stream", f"{running.root}/x/y/z"):
        assert status(url, {"Origin": running.root}) == 404
    assert status(running.address, method="POST") == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_a_name_that_was_pointed_here_is_refused(running: Running, host: str) -> None:
    assert status(running.address, {"Host": host}) == 403
    assert status(f"{running.address}stream", {"Host": host, "Origin": f"http://{host}"}) == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", ""])
def test_a_page_of_another_origin_gets_no_stream(running: Running, origin: str) -> None:
    async def work(client: aiohttp.ClientSession) -> int:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await client.ws_connect(running.stream, headers={"Origin": origin} if origin else {})
        return caught.value.status

    assert asked(work) == 403


class Seen:
    """What a page was told: JSON by type, the newest; samples by place; how many classes."""

    def __init__(self) -> None:
        self.told: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.samples: dict[int, list[int]] = {}
        self.first: int | None = None
        self.classes = 0

    def take(self, message: aiohttp.WSMessage) -> None:
        if message.type is aiohttp.WSMsgType.TEXT:
            told = json.loads(message.data)
            self.told[told["type"]] = told
            self.events += told.get("events", [])
        elif message.type is aiohttp.WSMsgType.BINARY:
            kind, channels = message.data[0], message.data[1]
            first = int.from_bytes(message.data[8:12], "little")
            if kind == 1:
                self.first = first if self.first is None else self.first
                rows = np.frombuffer(message.data, "<i2", offset=12).reshape(-1, channels)
                self.samples |= dict(enumerate(rows.tolist(), first))
            else:
                self.classes += len(message.data) - 12


def looked(running: Running, is_enough: Callable[[Seen], bool], query: str = "", wish: str = "") -> Seen:
    """What a page sees until it is enough."""

    async def work(client: aiohttp.ClientSession) -> Seen:
        seen = Seen()
        async with client.ws_connect(running.stream + query, headers={"Origin": running.root}) as viewer:
            if wish:
                await viewer.send_str(wish)
            async with asyncio.timeout(30):
                while not is_enough(seen):
                    seen.take(await viewer.receive())
        return seen

    result: Seen = asked(work)
    return result


def test_a_page_sees_all_of_the_stream(running: Running) -> None:
    seen = looked(running, lambda seen: len(seen.events) >= 3 and seen.classes > 300)
    assert seen.first == 0
    assert seen.told["about"]["records"] == ["A ramp", "A ramp"]
    assert seen.told["state"]["channels"] == ["i", "ii", "v1"]
    assert seen.told["state"]["phase"] == "running"
    assert [event["r"] for event in seen.events[:3]] == [100, 300, 500]
    assert seen.events[0]["qrs_on"] == 92
    assert all(row == [n % 1000, n % 1000 + 1000, n % 1000 + 2000] for n, row in seen.samples.items())
    assert sorted(seen.samples) == list(range(len(seen.samples)))


def test_a_page_that_was_cut_off_goes_on_where_it_was(running: Running) -> None:
    before = looked(running, lambda seen: len(seen.samples) > 200)
    head = max(before.samples) + 1
    after = looked(running, lambda seen: len(seen.samples) > 200, f"?take={before.told['state']['number']}&head={head}")
    assert after.first == head


@pytest.mark.parametrize("query", ["?take=1&head=99999999999", "?take=x&head=-1", "?take=7&head=5"])
def test_a_page_that_has_something_else_gets_what_there_is(running: Running, query: str) -> None:
    assert looked(running, lambda seen: len(seen.samples) > 100, query).samples


def test_a_page_chooses_another_recording(running: Running) -> None:
    seen = looked(running, lambda seen: seen.told.get("state", {}).get("rate") == 250, wish='{"record": 1}')
    assert seen.told["state"]["source"] == 1


@pytest.mark.parametrize("rubbish", ["{", "[" * 900, '{"record": "x"}', "\x00"])
def test_rubbish_from_a_page_changes_nothing(running: Running, rubbish: str) -> None:
    assert looked(running, lambda seen: len(seen.samples) > 100, wish=rubbish).samples


def test_of_too_many_pages_the_last_is_refused(running: Running) -> None:
    async def work(client: aiohttp.ClientSession) -> int:
        headers = {"Origin": running.root}
        viewers = [await client.ws_connect(running.stream, headers=headers) for _ in range(8)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await client.ws_connect(running.stream, headers=headers)
        for viewer in viewers:
            await viewer.close()
        return caught.value.status

    assert asked(work) == 503


def test_a_page_that_reads_nothing_holds_up_nobody(running: Running) -> None:
    host, port = running.host.split(":")
    path = urlsplit(running.stream).path
    with socket.create_connection((host, int(port))) as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lines = [
            f"GET {path} HTTP/1.1", f"Host: {running.host}", f"Origin: {running.root}", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", "",
        ]  # fmt: skip
        idle.sendall("\r\n".join(lines).encode())
        head = running.session.tape.head
        until = time.monotonic() + 30
        while running.session.tape.head < head + 2000 and time.monotonic() < until:
            looked(running, lambda seen: len(seen.samples) > 100)
        assert running.session.tape.head >= head + 2000


def test_a_port_that_is_taken_is_told(running: Running) -> None:
    port = int(running.host.split(":")[1])
    with (
        pytest.raises(UsageError, match=f"cannot be served at port {port}") as caught,
        serving(running.session, PAGE, {}, port),
    ):
        pass
    assert "--page-port" in caught.value.remedy
    with pytest.raises(UsageError, match="99999"), serving(running.session, PAGE, {}, 99999):
        pass


def test_the_end_of_the_monitor_is_told_to_its_pages(tmp_path: Path) -> None:
    session = Session(BenchDouble(), [ramp()], Wanted(50.0, "none", tmp_path))

    async def look(address: str, is_there: threading.Event) -> int | None:
        parts = urlsplit(address)
        headers = {"Origin": f"http://{parts.netloc}"}
        async with aiohttp.ClientSession() as client, client.ws_connect(f"{address}stream", headers=headers) as viewer:
            is_there.set()
            async for _ in viewer:
                pass
            return viewer.close_code

    codes: list[int | None] = []
    with serving(session, PAGE, {}) as address:
        is_there = threading.Event()
        thread = threading.Thread(target=lambda: codes.append(asyncio.run(look(address, is_there))))
        thread.start()
        assert is_there.wait(30)
    thread.join(30)
    assert codes == [1001]
