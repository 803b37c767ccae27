"""Settles on a board what docs/apollo4p-facts.md leaves open (section 10), with the bring-up image.

The same questions can be put to the simulator; its answers show that the questions work, and nothing about the part.
"""

from __future__ import annotations

import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import serial
from pydantic import BaseModel

from ecgseg.choices import choose
from ecgseg.devices import jlink
from ecgseg.errors import EcgsegError, TargetError
from ecgseg.image.build import Image, build
from ecgseg.image.programs import BRINGUP
from ecgseg.link import DEFAULT_BAUD
from ecgseg.link.ports import check_port, choose_port, open_port, serial_ports
from ecgseg.targets import SimulatorOptions, TargetOptions, open_target, target_of, targets_for
from ecgseg.targets.names import APOLLO4P
from ecgseg.terminal import messages

BOARD = "apollo4p_evb"
RATES = (230_400, 460_800, 921_600, 1_000_000, 1_500_000)
_ECHO_BYTES = 8192
_LINE_SECONDS = 3.0
_MEASURE_SECONDS = 10


class Point(BaseModel):
    """One settled, or still open, point.

    Attributes:
        name: what was open.
        found: what the board says.
        meaning: what follows from it.
    """

    name: str
    found: str
    meaning: str


class BringUpReport(BaseModel):
    """All points, in the order in which they were asked; `target` says who answered."""

    target: str
    points: list[Point]


class SilenceError(TargetError):
    """The bring-up image does not answer."""


def build_bringup() -> Image:
    """Builds the bring-up image.

    Raises:
        ToolMissingError: the compiler is not installed.
        BuildError: it does not compile.
        OutputError: it could not be written.
    """
    return build(BOARD, program=BRINGUP)


@dataclass
class TextPort:
    """Speaks with the bring-up image.

    Attributes:
        port: an open serial port.
        slowness: how many times longer than on the board an answer may take.
    """

    port: serial.Serial
    slowness: float = 1.0
    _tag: int = field(default=0, repr=False)

    def ask(self, command: str, seconds: float = _LINE_SECONDS) -> dict[str, str]:
        """Sends a command and returns the values of its answer.

        Raises:
            SilenceError: no complete answer within `seconds`.
        """
        self.send(command)
        return self.answer(command, seconds)

    def send(self, command: str) -> None:
        """Sends a command with a number of its own: a late answer to another one is not taken for its answer."""
        self._tag += 1
        self.port.reset_input_buffer()
        self.port.write(f"{command}#{self._tag}\n".encode())

    def answer(self, command: str, seconds: float) -> dict[str, str]:
        """Collects lines until the one that ends the answer to the command sent last."""
        deadline = time.monotonic() + seconds * self.slowness
        values: dict[str, str] = {}
        text = b""
        while time.monotonic() < deadline:
            text += self.port.read(max(1, self.port.in_waiting))
            *lines, text = text.split(b"\n")
            for line in lines:
                name, separator, value = line.decode(errors="replace").strip().partition("=")
                if (name, value) == (".", str(self._tag)):
                    return values
                if separator:
                    values[name] = value
        raise SilenceError(
            f"The bring-up image does not answer to '{command}'.",
            f"Nothing complete came within {seconds * self.slowness:.0f} s.",
            "Press reset and run it again; see docs/bring-up.md for what each step should show.",
        )

    def wait_for_start(self, seconds: float = _LINE_SECONDS) -> None:
        """Until an empty command is answered."""
        deadline = time.monotonic() + seconds * self.slowness
        while True:
            try:
                self.ask("", 0.5)
            except SilenceError:
                if time.monotonic() > deadline:
                    raise
            else:
                return


def _number(values: dict[str, str], name: str) -> int:
    try:
        return int(values[name], 0)
    except (KeyError, ValueError) as error:
        raise TargetError(
            f"The answer has no number '{name}'.", f"It was {values}.", "Build and flash the bring-up image again."
        ) from error


def _identity(port: TextPort) -> list[Point]:
    values = port.ask("identify")
    cpuid, revision, trim = (_number(values, name) for name in ("cpuid", "chiprev", "trim_revision"))
    core = f"r{cpuid >> 20 & 15}p{cpuid & 15}"
    enable, status = _number(values, "entry_ssrampwren"), _number(values, "entry_ssrampwrst")
    crypto = _number(values, "entry_devpwren") >> 20 & 1
    active = _number(values, "simobuck_active")
    steps = "below 3: steps 1 and 5" if trim < 3 else "6 or more: step 6" if trim >= 6 else "3 to 5: none of them"
    letter = {1: "A", 2: "B", 3: "C"}.get(revision >> 4 & 15, "?")
    return [
        Point(name="core revision", found=f"CPUID {values['cpuid']}", meaning=f"Cortex-M4 {core}"),
        Point(
            name="chip revision", found=values["chiprev"], meaning=f"{letter}{revision & 15}, CHIPPN {values['chippn']}"
        ),
        Point(name="trim revision", found=str(trim), meaning=f"regulator start, 2.6: {steps}"),
        Point(
            name="SSRAM at entry",
            found=f"SSRAMPWREN {enable}, SSRAMPWRST {status}",
            meaning="agree" if enable == status else "disagree: power it up before use",
        ),
        Point(name="CRYPTO at entry", found="on" if crypto else "off", meaning="the boot chain leaves it so"),
        Point(
            name="SIMOBUCK",
            found="active" if active else "not active",
            meaning="192 MHz allowed" if active else "192 MHz is refused; the board works at 96 MHz",
        ),
    ]


def _main_pointer(port: TextPort) -> list[Point]:
    try:
        found = port.ask("mainptr")["mainptr"]
    except SilenceError:
        port.wait_for_start(15.0)
        return [Point(name="MAINPTR", found="bus fault", meaning="INFO0 cannot be read by the application")]
    return [Point(name="MAINPTR", found=found, meaning="where the boot loader looks without secure boot")]


def _cycle_counter(port: TextPort) -> list[Point]:
    values = port.ask("cycles")
    expected, found, powered = (_number(values, name) for name in ("expected", "as_found", "with_pwrendbg"))

    def judge(count: int) -> str:
        return "counts" if abs(count - expected) < expected // 20 else "stands" if count == 0 else "counts wrongly"

    return [
        Point(name="CYCCNT", found=f"{found} of {expected} cycles", meaning=f"{judge(found)} as found"),
        Point(name="CYCCNT with PWRENDBG", found=f"{powered} of {expected} cycles", meaning=judge(powered)),
    ]


def _crystal(port: TextPort) -> list[Point]:
    values = port.ask("crystal", 6.0)
    if values.get("crystal") == "stands":
        return [Point(name="HFRC", found="the crystal stands", meaning="check XTALCTRL, facts 5.1")]
    ticks, passed = _number(values, "timer0_ticks"), _number(values, "crystal_ticks")
    hertz = 4.0 * ticks * 32768 / passed if passed else 0.0
    error = hertz / 96e6 - 1
    baud = "UART rates hold" if abs(error) < 0.02 else "UART rates are off by more than 2 %"
    return [Point(name="HFRC", found=f"{hertz / 1e6:.3f} MHz", meaning=f"{100 * error:+.3f} % against 96 MHz; {baud}")]


def _high_performance(port: TextPort) -> list[Point]:
    values = port.ask("clock 192")
    clock = _number(values, "core_hz")
    port.ask("clock 96")
    accepted = _number(values, "accepted") == 1
    meaning = "read back after the switch" if accepted else "refused, the core runs on at its old clock"
    return [Point(name="192 MHz", found=f"{clock // 1_000_000} MHz", meaning=meaning)]


def _echo(port: TextPort, rate: int) -> str:
    """Sends bytes through the board and back; what came of it."""
    payload = bytes((index * 7 + index // 251) & 0xFF for index in range(_ECHO_BYTES))
    port.send(f"echo {len(payload)}")
    deadline = time.monotonic() + (3.0 + 30.0 * len(payload) / rate) * port.slowness
    back = b""
    while b"ready\n" not in back and time.monotonic() < deadline:
        back += port.port.read(max(1, port.port.in_waiting))
    back = back.partition(b"ready\n")[2]
    for start in range(0, len(payload), 256):
        port.port.write(payload[start : start + 256])
    while len(back) < len(payload) and time.monotonic() < deadline:
        back += port.port.read(min(max(1, port.port.in_waiting), len(payload) - len(back)))
    wrong = sum(left != right for left, right in zip(back, payload, strict=False))
    missing = max(0, len(payload) - len(back))
    if back[: len(payload)] == payload:
        return "all bytes came back"
    return f"{missing} bytes missing, {wrong} wrong"


def _rate(port: TextPort, rate: int) -> Point:
    port.ask(f"baud {rate}")
    try:
        port.port.baudrate = rate
        port.wait_for_start(2.0)
        found = _echo(port, rate)
        port.answer("echo", _LINE_SECONDS)
        port.ask(f"baud {DEFAULT_BAUD}")
    except SilenceError:
        found = "no answer"
    except (serial.SerialException, OSError, ValueError):
        found = "this computer's port cannot do it"
    port.port.baudrate = DEFAULT_BAUD
    port.wait_for_start(12.0)  # the image returns to the old rate by itself
    good = found == "all bytes came back"
    return Point(name=f"{rate} baud", found=found, meaning="usable" if good else "do not use it")


def _rates(port: TextPort) -> list[Point]:
    return [_rate(port, rate) for rate in RATES]


def _retention(port: TextPort) -> list[Point]:
    port.ask("retain")
    port.wait_for_start(5.0)
    kept = _number(port.ask("identify"), "retained_words")
    meaning = "fault records survive a reset" if kept == 16 else "fault records are lost: the boot loader uses it"
    return [Point(name="top of the TCM over a reset", found=f"{kept} of 16 words", meaning=meaning)]


def _fault(port: TextPort) -> list[Point]:
    port.send("fault")
    port.wait_for_start(5.0)
    values = port.ask("identify")
    kind = _number(values, "fault_type")
    found = f"type {kind} at {values['fault_pc']}" if kind else "none"
    meaning = "reported after the reset" if kind == 6 else "the record did not come through"
    return [Point(name="provoked usage fault", found=found, meaning=meaning)]


def _watchdog(port: TextPort) -> list[Point]:
    """How long until the watchdog bites, by this computer's clock."""
    port.ask("hang")
    start = time.monotonic()
    port.wait_for_start(20.0)
    seconds = time.monotonic() - start
    cause = _number(port.ask("identify"), "reset_cause")
    bitten = bool(cause >> 6 & 1)
    meaning = f"8 s nominal, the LFRC is off by {100 * (8.0 / seconds - 1):+.0f} %" if bitten else "not the watchdog"
    return [Point(name="watchdog", found=f"reset after {seconds:.1f} s, cause 0x{cause:x}", meaning=meaning)]


def _pads(port: TextPort) -> list[Point]:
    level = _number(port.ask("pads", 5.0), "go_input")
    return [
        Point(
            name="pads 22, 23 and LEDs",
            found=f"go input (pad 24) is {level}",
            meaning="look: code 1, 2, 3, 0 for 0.25 s each; LED0, LED1, LED2 in turn",
        )
    ]


def _currents(port: TextPort) -> list[Point]:
    points = []
    for command, what in (("busy", "core busy"), ("sleep", "sleep, port on"), ("deep", "deep sleep, port off")):
        messages.print(f"Measure now for {_MEASURE_SECONDS} s: {what}.")
        port.ask(f"{command} {_MEASURE_SECONDS}", _MEASURE_SECONDS + 5.0)
        points.append(
            Point(name=f"current: {what}", found="read it off the meter", meaning="pads 23:22 marked the span")
        )
    return points


_QUESTIONS: tuple[Callable[[TextPort], list[Point]], ...] = (
    _identity,
    _main_pointer,
    _cycle_counter,
    _crystal,
    _high_performance,
    _pads,
    _rates,
    _retention,
    _fault,
    _watchdog,
)


def ask_all(port: TextPort, *, measure: bool = False) -> list[Point]:
    """Puts all questions; one that fails is a point of its own and does not end the others."""
    points: list[Point] = []
    for question in (*_QUESTIONS, *((_currents,) if measure else ())):
        try:
            points += question(port)
        except EcgsegError as error:
            points.append(Point(name=question.__name__.strip("_"), found="no result", meaning=error.what))
        except (serial.SerialException, OSError, termios.error) as error:
            points.append(Point(name=question.__name__.strip("_"), found="no result", meaning=f"port gone: {error}"))
    return points


@contextmanager
def _open(url: str, slowness: float) -> Iterator[TextPort]:
    with open_port(url) as opened:
        text = TextPort(opened, slowness)
        text.wait_for_start(10.0)
        yield text


def _start_points(program: str, probe: str, url: str) -> list[Point]:
    """Which ending of a J-Link script starts the application (facts 7.3)."""
    points = []
    for let_go, name in ((False, "r, q"), (True, "r, g, qc")):
        jlink.run_script(program, jlink.restart_script(let_go=let_go), probe)
        try:
            with _open(url, 0.3):
                found = "starts"
        except SilenceError:
            found = "does not start"
        points.append(Point(name=f"J-Link script ending with {name}", found=found, meaning="facts 7.3"))
    return points


def bring_up(
    target: str = APOLLO4P, *, port: str | None = None, serial_number: str | None = None, measure: bool = False
) -> BringUpReport:
    """Builds and flashes the bring-up image and puts all questions to it.

    Args:
        target: apollo4p, or apollo4p-sim to see the questions work.
        port: virtual COM port, when it is not the only one.
        serial_number: of the probe, when it is not the only one.
        measure: also hold still for current measurements, 10 s each.

    Raises:
        UsageError: no such target.
        EcgsegError: it could not be built, flashed or asked at all.
    """
    chosen = target_of(choose("target", target, targets_for(BOARD), "--target"))
    image = build_bringup()
    if not chosen.real_port:
        options = TargetOptions(simulator=SimulatorOptions(deliver_faults=True))
        with open_target(target, image, options) as running, _open(running.port_url, chosen.slowness) as text:
            return BringUpReport(target=target, points=ask_all(text, measure=measure))
    assert image.bin is not None
    program = jlink.find_program()
    probe = jlink.choose_probe(jlink.probes(program), serial_number).serial_number
    url = choose_port(serial_ports(), port, probe)
    check_port(url, DEFAULT_BAUD)
    jlink.check_device(program, probe)
    jlink.run_script(program, jlink.flash_script(Path(image.bin)), probe)
    points = _start_points(program, probe, url)
    with _open(url, 1.0) as text:
        return BringUpReport(target=target, points=points + ask_all(text, measure=measure))
