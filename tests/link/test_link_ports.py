"""Opening a serial port: what is wrong with it is said in words, the same from wherever it is opened."""

from __future__ import annotations

import errno
import termios
from pathlib import Path

import pytest
import serial

from ecgseg.errors import LinkError
from ecgseg.link import DeviceClient
from ecgseg.link.ports import check_port, open_port


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
