"""J-Link Commander: which probes there are, what is behind them, and how an image gets onto the board.

Names, addresses and the order of commands are those of docs/apollo4p-facts.md, sections 7.1 to 7.3. The program is
`JLinkExe` of SEGGER's J-Link software; the environment variable ECGSEG_JLINK names another one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgseg.errors import OutputError, TargetError, ToolMissingError, UsageError, cause
from ecgseg.output import write_text
from ecgseg.targets.apollo4p import LOAD_ADDRESS

DEVICE = "AMAP42KP-KBR"
INTERFACE = "SWD"
SPEED_KHZ = 4000
OLDEST_SOFTWARE = "7.70d"

_PROGRAMS = ("JLinkExe", "JLink")
_CHIPPN, _VENDORID = 0x40020000, 0x40020010  # facts 1.1
_AMBIQ = 0x414D4251
_APOLLO4_FAMILY = 0x08
_SWPOI, _SWPOI_KEY = 0x40000004, 0x1B  # facts 2.1
_RUN_MILLISECONDS = 600  # facts 7.2: the core runs while the probe is still attached, then it is let go
_TOOL_SECONDS = 120.0
_PROBE = re.compile(r"J-Link\[\d+\]:.*?Serial number:\s*(\d+)(?:.*?ProductName:\s*([^,\r\n]+))?")
_WORD = re.compile(r"^(?:J-Link>)?\s*(?P<address>[0-9A-Fa-f]{8})\s*=\s*(?P<value>[0-9A-Fa-f]{8})", re.MULTILINE)
# What ends a quoted name or a line of a script, and what UTF-8 has no bytes for.
_UNQUOTABLE = re.compile('["\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]')
_DOWNLOAD = (
    "Get it from https://www.segger.com/downloads/jlink/ and put JLinkExe on the PATH, or name it in ECGSEG_JLINK."
)


@dataclass(frozen=True)
class Probe:
    """A debug probe.

    Attributes:
        serial_number: decimal, as the probe tells it.
        product: what it calls itself.
    """

    serial_number: str
    product: str


def flash_script(image: Path) -> str:
    """Commander script that writes and verifies the image, starts it, and lets go of the core.

    `qc` instead of `q`: the secure boot loader may park as long as a debugger is attached at reset (facts 7.3).

    Raises:
        UsageError: the path would end its quotation or its line in the script.
    """
    if _UNQUOTABLE.search(str(image)):
        raise UsageError(
            "The image's path cannot stand in a J-Link script.",
            f"It holds a quotation mark, a line break or another control character: {str(image)!r}.",
            "Move the repository to a folder without them.",
        )
    lines = (
        "ExitOnError 1",
        "connect",
        f'loadbin "{image}", 0x{LOAD_ADDRESS:08X}',
        f'verifybin "{image}", 0x{LOAD_ADDRESS:08X}',
        "r",
        "g",
        f"Sleep {_RUN_MILLISECONDS}",
        "qc",
    )
    return "\n".join(lines) + "\n"


def identify_script() -> str:
    """Commander script that reads what tells an Apollo4 from anything else; it writes nothing."""
    return f"ExitOnError 1\nconnect\nmem32 0x{_CHIPPN:08X}, 1\nmem32 0x{_VENDORID:08X}, 1\nqc\n"


def restart_script(*, let_go: bool) -> str:
    """Commander script that resets the core and leaves; `let_go` runs it and ends with `qc`, else it ends with `q`.

    Which of the two starts the application is an open point (facts 7.3).
    """
    ending = f"g\nSleep {_RUN_MILLISECONDS}\nqc" if let_go else "q"
    return f"ExitOnError 1\nconnect\nr\n{ending}\n"


def reset_script() -> str:
    """Commander script that resets the whole part by its own reset register (facts 7.2)."""
    write = f"w4 0x{_SWPOI:08X}, 0x{_SWPOI_KEY:X}"
    return f"ExitOnError 0\nconnect\n{write}\nSleep {_RUN_MILLISECONDS}\nqc\n"


def command_line(program: str, script: Path, serial_number: str | None) -> list[str]:
    """The command that runs a script on the board."""
    select = ["-SelectEmuBySN", serial_number] if serial_number else []
    connection = ["-device", DEVICE, "-if", INTERFACE, "-speed", str(SPEED_KHZ)]
    return [program, "-NoGui", "1", *select, *connection, "-CommandFile", str(script)]


def find_program() -> str:
    """Path of J-Link Commander.

    Raises:
        ToolMissingError: it is not installed.
    """
    named = os.environ.get("ECGSEG_JLINK")
    for name in (named,) if named else _PROGRAMS:
        found = shutil.which(name)
        if found is not None:
            return found
    raise ToolMissingError(
        "J-Link Commander (JLinkExe) is not installed.",
        f"ECGSEG_JLINK names '{named}', which is no program." if named else "The board is flashed with it.",
        f"{_DOWNLOAD} Version {OLDEST_SOFTWARE} or later knows the Apollo4 Plus.",
    )


def probes(program: str) -> list[Probe]:
    """Probes that are plugged in.

    Raises:
        TargetError: J-Link Commander does not run.
    """
    output = _run([program, "-NoGui", "1"], "ShowEmuList USB\nExit\n")
    return [Probe(number, (product or "J-Link").strip()) for number, product in _PROBE.findall(output)]


def choose_probe(found: Sequence[Probe], serial_number: str | None) -> Probe:
    """The one probe that is meant.

    Raises:
        TargetError: there is none, not the named one, or more than one and none named.
    """
    listed = ", ".join(f"{probe.serial_number} ({probe.product})" for probe in found)
    if not found:
        raise TargetError(
            "There is no debug probe.",
            "J-Link Commander lists no J-Link on USB.",
            "Plug the board's J-Link USB connector in and switch the board on; on Linux install SEGGER's udev rules "
            "(99-jlink.rules). `invoke devices` shows what is there.",
        )
    if serial_number is not None:
        for probe in found:
            if probe.serial_number.lstrip("0") == serial_number.lstrip("0"):
                return probe
        raise TargetError(
            f"There is no probe with the serial number {serial_number}.",
            f"Plugged in: {listed}.",
            "Correct the --serial option.",
        )
    if len(found) > 1:
        raise TargetError(
            f"There are {len(found)} debug probes.", f"Plugged in: {listed}.", "Name one with --serial NUMBER."
        )
    return found[0]


def check_device(program: str, serial_number: str | None) -> None:
    """Makes sure, before anything is written, that an Apollo4 is behind the probe.

    Raises:
        TargetError: no connection, or another part.
    """
    output = run_script(program, identify_script(), serial_number)
    words = {int(address, 16): int(value, 16) for address, value in _WORD.findall(output)}
    part, vendor = words.get(_CHIPPN), words.get(_VENDORID)
    if vendor == _AMBIQ and part is not None and part >> 24 == _APOLLO4_FAMILY:
        return
    shown = ", ".join(
        f"{name} 0x{value:08X}" for name, value in (("CHIPPN", part), ("VENDORID", vendor)) if value is not None
    )
    raise TargetError(
        "The part behind the probe is no Apollo4 Plus.",
        f"It reads {shown}." if shown else f"Its identification cannot be read. {_last_lines(output)}",
        "Connect the Apollo4 Plus EVB (AMAP4PEVB), or name its probe with --serial NUMBER.",
    )


def run_script(program: str, script: str, serial_number: str | None) -> str:
    """Runs a Commander script on the board and returns what it printed.

    Raises:
        TargetError: it failed; the message says how.
        OutputError: the script cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="ecgseg-jlink-") as folder:
            path = Path(folder) / "commands.jlink"
            write_text(path, script)
            return _run(command_line(program, path, serial_number))
    except OSError as error:
        raise OutputError(
            "The J-Link script cannot be written.", cause(error, "The system does not say."), "Make room in TMPDIR."
        ) from error


def _run(command: Sequence[str], typed: str | None = None) -> str:
    try:
        done = subprocess.run(
            command, input=typed or "", capture_output=True, text=True, timeout=_TOOL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TargetError(
            "J-Link Commander does not come to an end.",
            f"It was stopped after {_TOOL_SECONDS:.0f} s; a dialogue of the J-Link software may be waiting.",
            "Unplug the probe and plug it in again; run JLinkExe by hand once to answer its questions.",
        ) from error
    except OSError as error:
        raise TargetError(
            "J-Link Commander cannot be run.",
            cause(error, "The system does not say."),
            "Install the J-Link software again.",
        ) from error
    output = done.stdout + done.stderr
    if typed is None:
        _check_output(output, done.returncode)
    return output


# What J-Link Commander prints, in the order in which it is looked for: pattern, what, why, what to do.
_FAILURES = (
    (
        r"(?i)unknown device|device .*(unknown|not (known|found|supported))",
        f"The J-Link software does not know the device {DEVICE}.",
        "It is older than the part.",
        f"Install J-Link software {OLDEST_SOFTWARE} or later. {_DOWNLOAD}",
    ),
    (
        r"(?i)(connecting to j-link.*failed|cannot connect to (the )?(j-link|probe|emulator)|no emulators? connected)",
        "The debug probe does not answer.",
        "J-Link Commander cannot connect to it.",
        "Plug it in again, close other programs that use it (debugger, J-Link Remote Server), check the udev rules.",
    ),
    (
        r"(?i)(vtref|target voltage).*(too low|0\.\d+\s*v)|low target voltage",
        "The board has no power.",
        "The probe measures no target voltage.",
        "Switch the board on and check its power jumpers.",
    ),
    (
        r"(?i)(cannot|could not|failed to) connect to (the )?(target|cpu|core|dut)|inittarget.*(fail|error)",
        "The probe finds no core.",
        "J-Link Commander cannot connect to the target over SWD.",
        "Press reset on the board and try again; check that no other program debugs it and that pads 20, 21 are free.",
    ),
    (
        r"(?i)verif\w* (failed|error)|mismatch",
        "The image on the board differs from the file.",
        "Verification after writing failed.",
        "Flash again; if it stays so, power the board off and on.",
    ),
    (
        r"(?i)(error while|failed to) (program|download|erase)|(failed|unable|could not) .*(open|load).*file",
        "The image could not be written to the board.",
        "J-Link Commander failed while programming.",
        "Power the board off and on and flash again.",
    ),
)


def _check_output(output: str, code: int) -> None:
    for pattern, what, why, remedy in _FAILURES:
        if re.search(pattern, output):
            raise TargetError(what, f"{why} {_last_lines(output)}", remedy)
    if code != 0:
        raise TargetError(
            f"J-Link Commander ended with exit code {code}.",
            _last_lines(output),
            "Run `invoke flash --dry-run` and try its commands by hand in JLinkExe.",
        )


def _last_lines(output: str, count: int = 3) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return "Last lines: " + " | ".join(lines[-count:]) if lines else "It printed nothing."
