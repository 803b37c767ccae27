"""The questions of a bring-up: what docs/apollo4p-facts.md leaves open (section 10), each with what an answer means."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from pydantic import BaseModel

from ecgseg.devices.bringup_port import LINE_SECONDS, SilenceError, TextPort, number
from ecgseg.errors import EcgsegError, LinkError, cause
from ecgseg.link import DEFAULT_BAUD
from ecgseg.link.ports import PORT_FAULTS, set_baud_rate

RATES = (230_400, 460_800, 921_600, 1_000_000, 1_500_000)
MEASURE_SECONDS = 10
_ECHO_BYTES = 8192

# Bits (high, low) and values of the part. CPUID's are Arm's (ARMv7-M Architecture Reference Manual, B3.2.3).
_CPUID_VARIANT, _CPUID_REVISION = (23, 20), (3, 0)
_CHIPREV_MAJOR, _CHIPREV_MINOR = (7, 4), (3, 0)  # facts 1.1
_CHIPREV_LETTERS = {1: "A", 2: "B", 3: "C"}  # facts 1.1
_DEVPWREN_CRYPTO = 1 << 20  # facts 2.1
_STAT_WATCHDOG = 1 << 6  # RSTGEN.STAT, facts 2.1
_TRIM_PCM, _TRIM_PWRCTRL = 3, 6  # first trim revisions of the regulator's other paths, facts 2.6
_CRYSTAL_HZ = 32_768  # facts 5.1
_HFRC_HZ = 96_000_000  # facts 5.3
_HFRC_PER_TIMER_TICK = 4  # TIMER0 counts HFRC/4, facts 5.2
_WATCHDOG_SECONDS = 8.0  # the firmware has it bite after 128 counts at 16 Hz, facts 5.5
_USAGE_FAULT = 6  # its exception number
_RETAINED_WORDS = 16  # of the bring-up image, at the top of the TCM

# Called when a meter is to be read: what the board does, and for how many seconds from now.
OnMeasure = Callable[[str, int], None]


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


def _identity(port: TextPort) -> list[Point]:
    values = port.ask("identify")
    cpuid, revision, trim = (number(values, name) for name in ("cpuid", "chiprev", "trim_revision"))
    core = f"r{_bits(cpuid, _CPUID_VARIANT)}p{_bits(cpuid, _CPUID_REVISION)}"
    enable, status = number(values, "entry_ssrampwren"), number(values, "entry_ssrampwrst")
    crypto = number(values, "entry_devpwren") & _DEVPWREN_CRYPTO
    active = number(values, "simobuck_active")
    chip = f"{_CHIPREV_LETTERS.get(_bits(revision, _CHIPREV_MAJOR), '?')}{_bits(revision, _CHIPREV_MINOR)}"
    return [
        Point(name="core revision", found=f"CPUID {values['cpuid']}", meaning=f"Cortex-M4 {core}"),
        Point(name="chip revision", found=values["chiprev"], meaning=f"{chip}, CHIPPN {values['chippn']}"),
        Point(name="trim revision", found=str(trim), meaning=f"regulator start, 2.6: {_regulator_steps(trim)}"),
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


def _bits(value: int, place: tuple[int, int]) -> int:
    high, low = place
    return value >> low & (1 << high - low + 1) - 1


def _regulator_steps(trim: int) -> str:
    """Which steps of facts 2.6 the trim revision decides about."""
    if trim < _TRIM_PCM:
        return "below 3: steps 1 and 5"
    return "6 or more: step 6" if trim >= _TRIM_PWRCTRL else "3 to 5: none of them"


def _main_pointer(port: TextPort) -> list[Point]:
    try:
        found = port.ask("mainptr")["mainptr"]
    except SilenceError:
        port.wait_for_start(15.0)
        return [Point(name="MAINPTR", found="bus fault", meaning="INFO0 cannot be read by the application")]
    return [Point(name="MAINPTR", found=found, meaning="where the boot loader looks without secure boot")]


def _cycle_counter(port: TextPort) -> list[Point]:
    values = port.ask("cycles")
    expected, found, powered = (number(values, name) for name in ("expected", "as_found", "with_pwrendbg"))

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
    ticks, passed = number(values, "timer0_ticks"), number(values, "crystal_ticks")
    hertz = _HFRC_PER_TIMER_TICK * ticks * _CRYSTAL_HZ / passed if passed else 0.0
    error = hertz / _HFRC_HZ - 1
    baud = "UART rates hold" if abs(error) < 0.02 else "UART rates are off by more than 2 %"
    return [Point(name="HFRC", found=f"{hertz / 1e6:.3f} MHz", meaning=f"{100 * error:+.3f} % against 96 MHz; {baud}")]


def _high_performance(port: TextPort) -> list[Point]:
    values = port.ask("clock 192")
    clock = number(values, "core_hz")
    port.ask("clock 96")
    accepted = number(values, "accepted") == 1
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
        set_baud_rate(port.port, rate)
        port.wait_for_start(2.0)
        found = _echo(port, rate)
        port.answer("echo", LINE_SECONDS)
        port.ask(f"baud {DEFAULT_BAUD}")
    except SilenceError:
        found = "no answer"
    except (LinkError, *PORT_FAULTS):
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
    kept = number(port.ask("identify"), "retained_words")
    whole = kept == _RETAINED_WORDS
    meaning = "fault records survive a reset" if whole else "fault records are lost: the boot loader uses it"
    return [Point(name="top of the TCM over a reset", found=f"{kept} of {_RETAINED_WORDS} words", meaning=meaning)]


def _fault(port: TextPort) -> list[Point]:
    port.send("fault")
    port.wait_for_start(5.0)
    values = port.ask("identify")
    kind = number(values, "fault_type")
    found = f"type {kind} at {values['fault_pc']}" if kind else "none"
    meaning = "reported after the reset" if kind == _USAGE_FAULT else "the record did not come through"
    return [Point(name="provoked usage fault", found=found, meaning=meaning)]


def _watchdog(port: TextPort) -> list[Point]:
    """How long until the watchdog bites, by this computer's clock."""
    port.ask("hang")
    start = time.monotonic()
    port.wait_for_start(20.0)
    seconds = time.monotonic() - start
    cause = number(port.ask("identify"), "reset_cause")
    error = _WATCHDOG_SECONDS / seconds - 1
    meaning = f"8 s nominal, the LFRC is off by {100 * error:+.0f} %" if cause & _STAT_WATCHDOG else "not the watchdog"
    return [Point(name="watchdog", found=f"reset after {seconds:.1f} s, cause 0x{cause:x}", meaning=meaning)]


def _pads(port: TextPort) -> list[Point]:
    level = number(port.ask("pads", 5.0), "go_input")
    return [
        Point(
            name="pads 22, 23 and LEDs",
            found=f"go input (pad 24) is {level}",
            meaning="look: code 1, 2, 3, 0 for 0.25 s each; LED0, LED1, LED2 in turn",
        )
    ]


def _currents(port: TextPort, on_measure: OnMeasure) -> list[Point]:
    points = []
    for command, what in (("busy", "core busy"), ("sleep", "sleep, port on"), ("deep", "deep sleep, port off")):
        on_measure(what, MEASURE_SECONDS)
        port.ask(f"{command} {MEASURE_SECONDS}", MEASURE_SECONDS + 5.0)
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


def ask_all(port: TextPort, on_measure: OnMeasure | None = None) -> list[Point]:
    """Puts all questions; one that fails is a point of its own and does not end the others.

    Args:
        port: the bring-up image answers there.
        on_measure: is told each time when the board holds still to be measured; None: it is not asked to.
    """
    points: list[Point] = []
    for question in _QUESTIONS:
        points += _asked(question.__name__, partial(question, port))
    if on_measure is not None:
        points += _asked(_currents.__name__, partial(_currents, port, on_measure))
    return points


def _asked(name: str, question: Callable[[], list[Point]]) -> list[Point]:
    try:
        return question()
    except EcgsegError as error:
        meaning = error.what
    except PORT_FAULTS as error:
        meaning = f"port gone: {cause(error, 'it was unplugged.')}"
    return [Point(name=name.strip("_"), found="no result", meaning=meaning)]
