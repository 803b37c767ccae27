"""Opening a serial port: what is wrong with it is said in words, the same from wherever it is opened."""

from __future__ import annotations

import errno
import socket
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from ecgseg.errors import LinkError, UsageError
from ecgseg.link import DeviceClient
from ecgseg.link.ports import check_port, is_remote, open_port


@pytest.mark.parametrize("opening", [open_port, DeviceClient, lambda url: check_port(url, 115200)])
def test_a_port_that_is_not_there_is_told_in_the_same_words_everywhere(opening: object, tmp_path: Path) -> None:
    url = str(tmp_path / "ttyACM9")
    with pytest.raises(LinkError, match="There is no port") as caught:
        opening(url)  # type: ignore[operator]
    assert url in caught.value.what
    assert "invoke devices" in caught.value.remedy


@pytest.mark.parametrize(
    ("number", "what", "remedy"),
    [
        (errno.EBUSY, "in use", "fuser"),
        (errno.EACCES, "no permission", "dialout"),
        (errno.ENODEV, "no port", "cable"),
        (errno.EIO, "cannot be opened", "--baud"),
    ],
)
def test_each_cause_has_its_own_remedy(monkeypatch: pytest.MonkeyPatch, number: int, what: str, remedy: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(number, "as the system puts it")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(LinkError, match=what) as caught:
        open_port("/dev/ttyACM0")
    assert "as the system puts it" in caught.value.why
    assert remedy in caught.value.remedy


def test_a_port_that_goes_while_it_is_set_up_is_told_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def vanish(*_: object, **__: object) -> None:
        raise termios.error(errno.EIO, "Input/output error")

    monkeypatch.setattr(serial, "serial_for_url", vanish)
    with pytest.raises(LinkError, match="cannot be opened") as caught:
        open_port("/dev/pts/9")
    assert caught.value.why == "Input/output error."


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on the loopback on which nobody listens: it is held without listening."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize("scheme", ["socket", "rfc2217", "RFC2217"])
def test_a_server_that_is_not_there_is_told(scheme: str, closed_port: int) -> None:
    assert is_remote(f"{scheme}://127.0.0.1:{closed_port}")
    with pytest.raises(LinkError, match="cannot be opened") as caught:
        open_port(f"{scheme}://127.0.0.1:{closed_port}")
    assert "nothing listens" in caught.value.why
    assert "docs/rig.md" in caught.value.remedy


@pytest.mark.parametrize("url", ["socket://", "rfc2217://host", "socket://host:x", "socket://:1", "socket://h:99999"])
def test_an_address_that_is_none_is_told_before_anybody_is_asked(url: str) -> None:
    with pytest.raises(UsageError, match="is none of a port") as caught:
        open_port(url)
    assert "rfc2217://HOST:PORT" in caught.value.why
    assert not is_remote("/dev/ttyACM0")


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (socket.gaierror(-2, "x"), "no machine of that name"),
        (TimeoutError(), "within 5 s"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "No route to host"),
        (None, "does not speak RFC 2217"),
    ],
)
def test_why_a_port_elsewhere_cannot_be_opened_is_told(
    monkeypatch: pytest.MonkeyPatch, reason: Exception | None, why: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        try:
            if reason is not None:
                raise reason
        except OSError as error:
            # As pyserial does: the reason is the context alone.
            raise serial.SerialException(f"Could not open port: {error}")  # noqa: B904
        raise serial.SerialException("Remote does not seem to support RFC2217")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(LinkError) as caught:
        open_port("rfc2217://far:4000")
    assert why in caught.value.why
