"""Why a board last started is told by every task that asks it, and nothing that it says commands the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from ecgseg.commands import devices as devices_task
from ecgseg.commands import flash as flash_task
from ecgseg.devices import flash, listing
from ecgseg.devices.rig import Rig
from ecgseg.image.build import Image
from ecgseg.link import DeviceInfo
from ecgseg.link.answers import device_info
from ecgseg.link.ports import SerialPort
from hil.rogue_device import BUILD_ID, hello_values, truth

FAULT = {"reset_cause": 8, "fault_valid": 1, "fault_type": 3, "fault_registers": (0, 0, 0, 0, 0, 0, 0x1234, 0)}
TOLD = "fault before it: hard fault at pc 0x00001234"
QUIET = Console(width=400, color_system=None)


def info(**values: object) -> DeviceInfo:
    """HELLO of a board."""
    return device_info(hello_values(truth()) | {"board": "apollo4p_evb"} | values)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, ""),
        ({"reset_cause": 0x40}, "reset cause 0x40"),
        (FAULT, "fault before it: hard fault at pc 0x00001234, lr 0x00000000"),
        ({"fault_valid": 1, "fault_type": 0x100}, "fault before it: watchdog at pc 0x00000000"),
        ({"fault_type": 3, "fault_valid": 0}, ""),
    ],
)
def test_the_last_start_in_words(values: dict[str, object], told: str) -> None:
    assert info(**values).last_start.startswith(told)
    assert (info(**values).last_start == "") == (told == "")
    assert ("reset cause" in info(**values).last_start) == (told != "")


def listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: DeviceInfo) -> str:
    """What `invoke devices` prints."""
    port = SerialPort("/dev/ttyACM0", "J-Link", "1", True)
    monkeypatch.setattr(listing, "_probe_entries", list)
    monkeypatch.setattr(listing, "serial_ports", lambda: [port])
    monkeypatch.setattr(listing, "ask", lambda *_: answer)
    monkeypatch.setattr(devices_task, "console", QUIET)
    devices_task.run(devices_task.Options())
    return capsys.readouterr().out


def test_devices_tells_a_fault(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"Last start: {TOLD}" in listed(monkeypatch, capsys, info(**FAULT))
    assert "Last start" not in listed(monkeypatch, capsys, info())


def test_devices_shows_what_a_device_calls_itself_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = listed(monkeypatch, capsys, info(model_name="[/nope]\x1b[2J", build_id="[bold]x\nPASS"))
    assert r"[/nope]\x1b[2J" in text
    assert r"[bold]x\nPASS" in text


def test_flash_tells_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    binary = tmp_path / "ecgseg.bin"
    binary.write_bytes(b"\0")
    monkeypatch.setattr(flash, "find_rig", lambda *_: Rig("JLinkExe", "1", "/dev/ttyACM0"))
    monkeypatch.setattr(Rig, "run", lambda *_: "")
    monkeypatch.setattr(flash, "ask", lambda *_: info(**FAULT))
    monkeypatch.setattr(flash_task, "console", QUIET)
    image = Image(binary, binary, binary, "apollo4p_evb", BUILD_ID)
    result = flash.flash_image(image, "[/nope]", truth().reference.sha256)
    assert result.last_start is not None
    assert result.last_start.startswith(TOLD)
    flash_task.show(result)
    text = capsys.readouterr().out
    assert f"Last start: {TOLD}" in text
    assert "[/nope]" in text
