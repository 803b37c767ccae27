"""Flashing: the exact script, and every way in which it can go wrong has a message of its own."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from ecgseg.commands.flash import show
from ecgseg.devices import flash, jlink, listing
from ecgseg.errors import LinkError, TargetError, ToolMissingError, UsageError
from ecgseg.image.build import Image
from ecgseg.link import ports as serial_ports
from ecgseg.link.ports import SerialPort
from support import fake_jlink

MODEL_SHA256 = "ab" * 32
Runs = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def image(tmp_path: Path) -> Image:
    binary = tmp_path / "ecgseg.bin"
    binary.write_bytes(bytes(range(256)))
    return Image(tmp_path / "ecgseg.elf", binary, tmp_path / "ecgseg.map", "apollo4p_evb", "0123456789abcdef")


@pytest.fixture
def commander(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Runs]:
    """Puts the fake J-Link Commander on the PATH; returns what it was asked to do."""

    def install(**settings: Any) -> Runs:
        record = tmp_path / "record"
        fake_jlink.install(tmp_path)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("FAKE_JLINK", json.dumps({"record": str(record), **settings}))
        monkeypatch.delenv("ECGSEG_JLINK", raising=False)
        return lambda: [json.loads(line) for line in record.read_text().splitlines()]

    return install


@pytest.fixture
def silent_port() -> Iterator[str]:
    """A port with nobody behind it."""
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


def flash_it(image: Image, **options: Any) -> flash.FlashResult:
    return flash.flash_image(image, "seg-4-tcn-sm", MODEL_SHA256, **options)


def test_a_dry_run_tells_the_exact_script_without_any_tool(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = flash_it(image, dry_run=True, serial_number="1160001234")
    assert result.script == (
        "ExitOnError 1\n"
        "connect\n"
        f'loadbin "{image.bin}", 0x00018000\n'
        f'verifybin "{image.bin}", 0x00018000\n'
        "r\n"
        "g\n"
        "Sleep 600\n"
        "qc\n"
    )
    assert " ".join(result.command) == (
        "JLinkExe -NoGui 1 -SelectEmuBySN 1160001234 -device AMAP42KP-KBR -if SWD -speed 4000 -CommandFile SCRIPT"
    )
    assert result.image_sha256 == "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880"


def test_a_dry_run_prints_the_script_as_it_is(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    result = flash_it(image, dry_run=True)
    show(result)
    assert result.script.rstrip() in capsys.readouterr().out


def test_a_missing_program_is_named_with_its_source(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("ECGSEG_JLINK", raising=False)
    with pytest.raises(ToolMissingError, match="JLinkExe") as caught:
        flash_it(image)
    assert "segger.com" in caught.value.remedy


def test_no_probe(image: Image, commander: Callable[..., Runs]) -> None:
    commander(probes=[])
    with pytest.raises(TargetError, match="There is no debug probe") as caught:
        flash_it(image)
    assert "Plug" in caught.value.remedy


def test_two_probes_are_listed_and_one_can_be_named(
    image: Image, commander: Callable[..., Runs], silent_port: str
) -> None:
    runs = commander(probes=["1160001234", "1160005678"], words={})
    with pytest.raises(TargetError, match="There are 2 debug probes") as caught:
        flash_it(image, port=silent_port)
    assert "1160001234" in caught.value.why
    assert "1160005678" in caught.value.why
    assert "--serial" in caught.value.remedy
    with pytest.raises(TargetError, match="no Apollo4 Plus"):
        flash_it(image, port=silent_port, serial_number="1160005678")
    arguments = runs()[-1]["arguments"]
    assert arguments[arguments.index("-SelectEmuBySN") + 1] == "1160005678"


def test_a_named_probe_that_is_not_there(image: Image, commander: Callable[..., Runs]) -> None:
    commander()
    with pytest.raises(TargetError, match="no probe with the serial number 42"):
        flash_it(image, serial_number="42")


def test_another_part_is_not_written_to(image: Image, commander: Callable[..., Runs], silent_port: str) -> None:
    runs = commander(words={"40020000": "12345678", "40020010": "00000000"})
    with pytest.raises(TargetError, match="no Apollo4 Plus") as caught:
        flash_it(image, port=silent_port)
    assert "0x12345678" in caught.value.why
    assert not any("loadbin" in run["script"] for run in runs())


FAILURES = [
    ("connect", 'Device "AMAP42KP-KBR" is an unknown device.', "does not know the device"),
    ("connect", "Connecting to J-Link via USB...FAILED: Cannot connect to J-Link.", "probe does not answer"),
    ("connect", "Target voltage too low (VTref = 0.03V)", "board has no power"),
    ("connect", "Cannot connect to target.", "finds no core"),
    ("verifybin", "Verify failed @ address 0x00018000.", "differs from the file"),
    ("loadbin", "Error while programming flash: Programming failed.", "could not be written"),
    ("loadbin", "something new", "exit code 1"),
]


@pytest.mark.parametrize(("at", "says", "expected"), FAILURES)
def test_what_commander_complains_about_has_its_own_message(
    image: Image, commander: Callable[..., Runs], silent_port: str, at: str, says: str, expected: str
) -> None:
    commander(failure={"at": at, "says": says})
    with pytest.raises(TargetError, match=expected) as caught:
        flash_it(image, port=silent_port)
    assert caught.value.remedy
    assert says in caught.value.why


def test_the_messages_differ() -> None:
    whats = [what for _, what, _, _ in jlink._FAILURES]
    assert len(set(whats)) == len(whats)


def test_no_answer_after_flashing_resets_the_part_once_more(
    image: Image, commander: Callable[..., Runs], silent_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flash, "_FIRST_WAIT_SECONDS", 0.01)
    runs = commander()
    told: list[str] = []
    with pytest.raises(TargetError, match="nothing answers") as caught:
        flash_it(image, port=silent_port, on_silence=lambda: told.append("silent"))
    assert told == ["silent"]
    assert "reset button" in caught.value.remedy
    scripts = [run["script"] for run in runs()]
    assert "loadbin" in scripts[-2]
    assert "w4 0x40000004, 0x1B" in scripts[-1]


@pytest.mark.parametrize("name", ['a"b', "a\nw4 0x40000004, 0x1B", "a\rb", "a\x00b", "a\u2028b", "a\udcffb"])
def test_a_name_that_would_end_its_quotation_or_line_never_gets_into_a_script(name: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in a J-Link script") as caught:
        jlink.flash_script(Path("/images") / name / "ecgseg.bin")
    assert caught.value.remedy


def test_a_name_of_other_letters_gets_into_a_script_as_it_is() -> None:
    path = Path("/home/José/my ecg 心电\u3000/ecgseg.bin")
    assert f'loadbin "{path}", 0x00018000\n' in jlink.flash_script(path)


def test_a_port_in_use_is_told_before_anything_is_written(
    image: Image, commander: Callable[..., Runs], silent_port: str
) -> None:
    runs = commander()
    with serial.Serial(silent_port, exclusive=True), pytest.raises(LinkError, match="is in use") as caught:
        flash_it(image, port=silent_port)
    assert "fuser" in caught.value.remedy
    assert not any(run["script"] for run in runs())


def test_a_port_without_permission(
    image: Image, commander: Callable[..., Runs], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise serial.SerialException(errno.EACCES, "could not open port /dev/ttyACM0: [Errno 13] Permission denied")

    commander()
    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(LinkError, match="no permission") as caught:
        flash_it(image, port="/dev/ttyACM0")
    assert "dialout" in caught.value.remedy


def test_a_port_that_is_not_there(image: Image, commander: Callable[..., Runs]) -> None:
    commander()
    with pytest.raises(LinkError, match="There is no port /dev/ttyACM99"):
        flash_it(image, port="/dev/ttyACM99")


PORTS = [
    SerialPort("/dev/ttyACM0", "J-Link", "001160001234", True),
    SerialPort("/dev/ttyACM1", "J-Link", "001160005678", True),
    SerialPort("/dev/ttyUSB0", "FT232", None, False),
]


def test_the_port_of_the_chosen_probe_is_taken() -> None:
    assert serial_ports.choose_port(PORTS, None, "1160005678") == "/dev/ttyACM1"


def test_several_ports_want_a_choice_and_none_wants_a_board() -> None:
    with pytest.raises(TargetError, match="2 virtual COM ports"):
        serial_ports.choose_port(PORTS, None, None)
    with pytest.raises(TargetError, match="no virtual COM port"):
        serial_ports.choose_port(PORTS[2:], None, None)


def test_devices_lists_probes_and_says_what_is_missing(
    commander: Callable[..., Runs], silent_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commander(probes=["1160001234"])
    ports = [SerialPort(silent_port, "J-Link", "1160001234", True), PORTS[2]]
    monkeypatch.setattr(listing, "serial_ports", lambda: ports)
    monkeypatch.setattr(listing, "_ASK_SECONDS", 0.01)
    probe, silent, other = listing.devices()
    assert (probe.name, probe.answer) == ("1160001234", "Apollo4")
    assert "nothing answers" in silent.answer
    assert "not asked" in other.answer


def test_devices_works_without_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("ECGSEG_JLINK", raising=False)
    monkeypatch.setattr(listing, "serial_ports", lambda: [])
    (entry,) = listing.devices()
    assert "not installed" in entry.description


def test_a_program_named_by_hand_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECGSEG_JLINK", "/nonexistent/JLinkExe")
    with pytest.raises(ToolMissingError) as caught:
        jlink.find_program()
    assert "/nonexistent/JLinkExe" in caught.value.why
