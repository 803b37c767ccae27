"""Opening a serial port: what is wrong with it is said in words, the same from wherever it is opened."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from ecgseg.errors import LinkError
from ecgseg.link import DeviceClient
from ecgseg.link.ports import check_port, open_port, port_error


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
def test_each_cause_has_its_own_remedy(number: int, what: str, remedy: str) -> None:
    error = port_error("/dev/ttyACM0", OSError(number, "as the system puts it"))
    assert what in error.what
    assert "as the system puts it" in error.why
    assert remedy in error.remedy
