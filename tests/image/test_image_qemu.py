"""How QEMU is started for which purpose, and what becomes of a program that does not do what it should."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ecgseg.errors import TargetError, ToolMissingError
from ecgseg.image import qemu

ELF = Path("image.elf")


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in that tells its arguments; tests change it."""
    program = tmp_path / qemu.PROGRAM
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return program


def run() -> str:
    return qemu.run_to_end(ELF, "The program", "A test needs it.", 0.5)


def test_what_is_counted_goes_by_instructions_and_what_is_not_does_not(emulator: Path) -> None:
    for command in (qemu.port_command, qemu.semihosting_command):
        counted, quick = command(ELF, "why"), command(ELF, "why", counted=False)
        assert counted[0] == quick[0] == str(emulator)
        assert "-icount shift=0" in " ".join(counted)
        assert "-icount" not in quick
        for arguments in (counted, quick):
            assert "-machine mps2-an386 -display none -monitor none" in " ".join(arguments)
            assert arguments[-2:] == ["-kernel", str(ELF)]
    assert "-semihosting-config" not in qemu.port_command(ELF, "why")
    assert "-semihosting-config" in run()


@pytest.mark.parametrize("stream", ["", " >&2"])
def test_what_a_program_writes_comes_back_from_both_streams(emulator: Path, stream: str) -> None:
    emulator.write_text(f"#!/bin/sh\necho inference 7{stream}\n")
    assert run() == "inference 7\n"


def test_a_program_that_fails_or_does_not_end_is_a_target_error(emulator: Path) -> None:
    emulator.write_text("#!/bin/sh\necho last words >&2\nexit 1\n")
    with pytest.raises(TargetError, match=r"The program failed in QEMU\.\nlast words"):
        run()
    emulator.write_text("#!/bin/sh\nexec sleep 30\n")
    with pytest.raises(TargetError, match=r"The program does not end"):
        run()


def test_a_missing_qemu_says_what_it_is_needed_for_and_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolMissingError) as caught:
        run()
    assert caught.value.why == "A test needs it."
    assert "apt-get install qemu-system-arm" in caught.value.remedy
