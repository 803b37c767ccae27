"""Serves a port over RFC 2217 on the loopback, with pyserial's own server of the protocol."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import serial
from serial import rfc2217

_POLL_SECONDS = 0.005


class _Pty(serial.Serial):
    """A pty as a port: it has no lines of a modem."""

    cts = dsr = ri = cd = property(lambda self: False)

    def _update_rts_state(self) -> None:
        pass

    def _update_dtr_state(self) -> None:
        pass


class _Connection:
    """What the protocol writes to a client."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        with self._lock:
            self._client.sendall(data)


@contextmanager
def served(device: str) -> Iterator[str]:
    """The address at which a device is served, one client at a time, until the context ends."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server, _Pty(device, timeout=0) as port:
        server.settimeout(0.1)

        def serve() -> None:
            while not ended.is_set():
                try:
                    client, _ = server.accept()
                except TimeoutError:
                    continue
                with client:
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    _pass_on(port, client, ended)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"rfc2217://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()


def _pass_on(port: serial.Serial, client: socket.socket, ended: threading.Event) -> None:
    """Passes bytes on both ways until the client goes."""
    connection = _Connection(client)
    manager = rfc2217.PortManager(port, connection)
    try:
        while not ended.is_set():
            ready, _, _ = select.select([client, port.fileno()], [], [], _POLL_SECONDS)
            if client in ready:
                data = client.recv(4096)
                if not data:
                    return
                port.write(b"".join(manager.filter(data)))
            if port.fileno() in ready:
                connection.write(b"".join(manager.escape(port.read(4096))))
    except OSError:
        return
