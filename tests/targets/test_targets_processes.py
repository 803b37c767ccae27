"""Targets start, answer, and are gone afterwards; what goes wrong in them is told."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import pytest
import serial

from ecgseg.errors import DeviceError, LinkError, TargetError, ToolMissingError, UsageError
from ecgseg.image.build import Image, build
from ecgseg.interruption import told_of_end
from ecgseg.link import BenchKind, DeviceClient, TimeBase
from ecgseg.targets import RunningTarget, TargetOptions, open_target, qemu, targets
from support import model_double

BOARDS = {"host": "host", "qemu": "mps2_an386"}
HERE = [pytest.param("host"), pytest.param("qemu", marks=pytest.mark.qemu)]
# The first input value that makes the model below go wrong.
TRIGGER = 77


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    folder = tmp_path_factory.mktemp("good")
    generated = model_double.write_segmenter(folder / "generated")
    return {name: build(board, generated, out_dir=folder / board) for name, board in BOARDS.items()}


def broken_image(folder: Path, board: str, statement: str) -> Image:
    """An image whose model runs `statement` when the first input value is TRIGGER."""
    generated = model_double.write_plain(folder / "generated", 16)
    source = generated / "ecgseg_model.c"
    opening = "ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output)\n{\n"
    text = source.read_text()
    assert opening in text
    source.write_text(text.replace(opening, f"{opening}    if (input[0] == {TRIGGER}) {{ {statement} }}\n"))
    return build(board, generated, out_dir=folder / "image")


def gone(running: RunningTarget) -> bool:
    assert running.process is not None
    return running.process.poll() is not None


@pytest.mark.parametrize("name", HERE)
def test_a_target_answers_and_is_gone_afterwards(images: dict[str, Image], name: str) -> None:
    with open_target(name, images[name]) as running, running.connect() as client:
        info = client.info
        assert info.board == BOARDS[name]
        assert info.build_id == images[name].build_id
        assert info.model_sha256 == model_double.SHA256
        assert info.fault is None
        raw = np.random.default_rng(5).integers(-900, 900, 1300).astype(np.int16)
        (frame,) = client.stream(raw)
        assert (frame.scores == model_double.scores(frame.input)).all()
        first = model_double.first_layer(frame.input).tobytes()
        assert client.trace(0, len(first)) == first
    assert gone(running)


@pytest.mark.qemu
def test_qemu_counts_instructions_and_always_the_same(images: dict[str, Image]) -> None:
    counts = []
    for _ in range(2):
        with open_target("qemu", images["qemu"]) as running, running.connect() as client:
            assert client.info.time_base == TimeBase.INSTRUCTIONS
            client.write_input(np.zeros(250, np.int8))
            counts.append(client.bench(BenchKind.INFERENCE, 50))
            assert client.stats().stack_high_water > 0
    # A tick is 40 instructions and starts anywhere within one: the 50 runs may differ by a tick each.
    assert abs(counts[0] - counts[1]) <= 50
    instructions = client.info.units(counts[0]) / 50
    # 1,000 outputs, a handful of instructions each: this is no wall clock.
    assert 5_000 < instructions < 50_000


@pytest.mark.parametrize("name", HERE)
def test_an_error_in_the_body_leaves_no_process_behind(images: dict[str, Image], name: str) -> None:
    started: list[RunningTarget] = []

    def interrupted() -> None:
        with open_target(name, images[name]) as running:
            started.append(running)
            running.connect().close()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert gone(started[0])


def test_a_target_dies_with_the_program_that_started_it(images: dict[str, Image]) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from ecgseg.image.build import Image\n"
        "from ecgseg.targets import open_target\n"
        "elf = Path(sys.argv[1])\n"
        "with open_target('host', Image(elf, None, elf, 'host', '')) as running:\n"
        "    running.connect()\n"
        "    print(running.process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(images["host"].elf)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{child}/stat").exists() and state_of(child) != "Z":
        assert time.monotonic() < deadline, "the target outlived its parent"
        time.sleep(0.02)


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


def test_a_killed_process_is_a_target_error_and_not_a_silent_link(images: dict[str, Image]) -> None:
    def killed() -> None:
        with open_target("host", images["host"]) as running, running.connect() as client:
            assert running.process is not None
            os.kill(running.process.pid, signal.SIGKILL)
            client.stats()

    with pytest.raises(TargetError) as caught:
        killed()
    assert "exit code -9 (SIGKILL)" in caught.value.what
    assert "out of memory" in caught.value.remedy
    assert "anitizer" not in caught.value.remedy


@pytest.mark.parametrize(
    ("statement", "report"),
    [
        ("return (ecgseg_engine_status_t)input[INPUTS];", "AddressSanitizer"),
        ("output[0] = wrap(1u << (uint32_t)input[0]);", "runtime error"),
    ],
)
def test_a_sanitizers_report_becomes_a_target_error(tmp_path: Path, statement: str, report: str) -> None:
    image = broken_image(tmp_path, "host", statement)
    good, bad = np.zeros(16, np.int8), np.full(16, TRIGGER, np.int8)

    def run() -> None:
        with open_target("host", image) as running, running.connect() as client:
            assert (client.infer(good) == model_double.scores(good, 1).ravel()).all()
            client.infer(bad)

    with pytest.raises(TargetError) as caught:
        run()
    assert report in caught.value.why
    assert "generated/ecgseg_model.c" in caught.value.why


@pytest.mark.parametrize("ending", ["exit 3", "kill -SEGV $$"])
def test_a_process_that_ends_badly_at_the_very_end_is_a_target_error(tmp_path: Path, ending: str) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\necho last words >&2\n{ending}\n")
    program.chmod(0o755)
    with pytest.raises(TargetError) as caught, open_target("host", Image(program, None, program, "host", "")):
        pass
    assert "last words" in caught.value.why


@pytest.mark.qemu
def test_a_fault_restarts_the_board_and_is_told_in_hello(tmp_path: Path) -> None:
    image = broken_image(tmp_path, "mps2_an386", "*(volatile uint32_t *)0xF0000000u = 1u;")
    with open_target("qemu", image) as running, running.connect() as client:
        with pytest.raises(DeviceError) as caught:
            client.infer(np.full(16, TRIGGER, np.int8))
        assert "NO_SESSION" in caught.value.what
        fault = client.hello().fault
        assert fault is not None
        assert fault.type in (3, 5)
        assert 0 < fault.registers[6] < image.sizes[".text"]
        client.restart()
        assert client.info.fault is None


@pytest.mark.parametrize("name", HERE)
def test_a_restart_loses_session_and_counters(images: dict[str, Image], name: str) -> None:
    with open_target(name, images[name]) as running, running.connect() as client:
        for _ in range(20):
            client.reset_stream()
        client.restart()
        assert client.stats().frames < 20


@pytest.mark.slow
def test_a_program_that_does_not_speak_is_a_target_error(tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    image = Image(silent, None, silent, "host", "")
    with pytest.raises(TargetError) as caught, open_target("host", image, TargetOptions(start_seconds=0.3)) as running:
        running.connect()
    assert "does not answer" in caught.value.what
    assert gone(running)


def test_a_program_that_cannot_be_run_is_a_target_error(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    with pytest.raises(TargetError), open_target("host", Image(absent, None, absent, "host", "")) as running:
        running.connect()


@pytest.mark.parametrize(("number", "name"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGRTMIN + 3, "signal 37")])
def test_a_process_is_told_by_the_signal_that_ended_it_also_by_one_without_a_name(number: int, name: str) -> None:
    process = subprocess.Popen(["sleep", "60"])
    process.send_signal(number)
    process.wait()
    error = RunningTarget("host", "", TargetOptions(), process=process).ended()
    assert f"exit code {-number} ({name})" in error.what
    assert name in told_of_end(process.returncode)


def test_a_target_that_ends_while_its_port_is_opened_says_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(*_: object, **__: object) -> None:
        raise termios.error(errno.EIO, "Input/output error")

    short = tmp_path / "short"
    short.write_text("#!/bin/sh\nexit 3\n")
    short.chmod(0o755)
    image = Image(short, None, short, "host", "")
    monkeypatch.setattr(serial, "serial_for_url", vanish)
    with pytest.raises(TargetError, match="exit code 3"), open_target("host", image) as running:
        running.connect()


def test_a_system_without_pseudo_terminals_is_a_target_error(
    images: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left() -> tuple[int, int]:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    monkeypatch.setattr(os, "openpty", none_left)
    with (
        pytest.raises(TargetError, match="No such device") as caught,
        open_target("host", images["host"], TargetOptions()),
    ):
        pass
    assert "/dev/pts" in caught.value.remedy


def test_missing_qemu_names_the_package(images: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu.shutil, "which", lambda name: None)
    with pytest.raises(ToolMissingError) as caught, open_target("qemu", images["qemu"]):
        pass
    assert "apt-get install qemu-system-arm" in caught.value.remedy


def test_unknown_targets_and_wrong_images_are_refused(images: dict[str, Image]) -> None:
    assert {"host", "qemu"} <= set(targets())
    with pytest.raises(UsageError) as caught:
        open_target("hosst", images["host"])
    assert "host" in caught.value.remedy
    with pytest.raises(UsageError):
        open_target("qemu", images["host"])


def test_a_port_that_is_not_there_is_a_link_error(tmp_path: Path) -> None:
    with pytest.raises(LinkError) as caught:
        DeviceClient(str(tmp_path / "ttyACM9"))
    assert caught.value.remedy
