"""What the daily commands need: Python and its packages, two compilers, QEMU."""

from __future__ import annotations

import platform
import shutil
import tomllib
from collections.abc import Iterator

from ecgseg import paths
from ecgseg.doctor.findings import Finding
from ecgseg.doctor.packages import BASE, OF_THE_ORACLE, packages_of
from ecgseg.errors import ToolMissingError
from ecgseg.image.boards import BOARDS, HOST, MPS2_AN386, Board
from ecgseg.image.qemu import APT_QEMU
from ecgseg.image.qemu import PROGRAM as QEMU
from ecgseg.image.toolchain import find_tool, has_file, version

SETUP = "make setup"


def python() -> Iterator[Finding]:
    """The interpreter."""
    from packaging.specifiers import SpecifierSet

    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = str(project["requires-python"])
    found = platform.python_version()
    if SpecifierSet(wanted).contains(found, prereleases=True):
        yield Finding(name="Python", state="ok", found=found, needed_daily=True)
        return
    yield Finding(
        name="Python",
        state="missing",
        found=f"{found}, and it has to be {wanted}",
        needed_daily=True,
        cost="No task is tested with this one, and packages may not install.",
        mend=f"PYTHON=python3.12 {SETUP}, where python3.12 is one that fits and is installed",
    )


def base_packages() -> Iterator[Finding]:
    """The packages that everything needs."""
    name, packages = "Python packages", packages_of(BASE)
    missing = [package for package in packages.missing if package not in OF_THE_ORACLE]
    if missing:
        yield Finding(
            name=name,
            state="missing",
            found=f"{packages.there}; not there: {', '.join(missing)}",
            needed_daily=True,
            cost="Most tasks end with an error of Python.",
            mend=SETUP,
        )
    elif packages.other:
        yield Finding(
            name=name,
            state="doubtful",
            found=packages.there,
            needed_daily=True,
            cost="Everything may work; what was tested are the versions in tools/locks.",
            mend=SETUP,
        )
    else:
        yield Finding(name=name, state="ok", found=packages.there, needed_daily=True)


def oracle() -> Iterator[Finding]:
    """What computes the bytes that a device must answer."""
    from ecgseg.graph.oracle import is_available
    from ecgseg.graph.reference import oracle_name

    if is_available():
        yield Finding(name="tflite-micro", state="ok", found=oracle_name())
        return
    yield Finding(
        name="tflite-micro",
        state="missing",
        found=f"not there; {oracle_name()} is the oracle",
        cost="Nothing but training: the interpreter computes the same bytes, and results say that it did.",
        mend=f"{SETUP}, on Linux on x86-64; for other computers there is no such package, and none is needed.",
    )


def host_compiler() -> Iterator[Finding]:
    """gcc for this computer, with the C library and the sanitizers."""
    cost = "hil-test, segment, monitor and profile with --target host, build --board host, export's tests."
    yield _compiler(BOARDS[HOST], {"crt1.o": "C library", "libasan.so": "AddressSanitizer"}, cost)


def arm_compiler() -> Iterator[Finding]:
    """gcc for the Cortex-M4F, with its C library."""
    cost = "demo, hil-test, segment, monitor and profile in QEMU, the simulator and on the board; build, flash."
    yield _compiler(BOARDS[MPS2_AN386], {"libc_nano.a": "C library newlib"}, cost)


def _compiler(board: Board, parts: dict[str, str], cost: str) -> Finding:
    name = f"{board.prefix}gcc"
    try:
        program = find_tool(board, "gcc")
        absent = [part for file, part in parts.items() if not has_file(program, file)]
        found = f"without its {' and '.join(absent)}" if absent else ""
    except ToolMissingError:
        found = "not on the PATH"
    if not found:
        return Finding(name=name, state="ok", found=version(program), needed_daily=True)
    return Finding(
        name=name,
        state="missing",
        found=found,
        needed_daily=True,
        cost=f"These do not work: {cost}",
        mend=board.package_command,
    )


def qemu() -> Iterator[Finding]:
    """QEMU for Arm."""
    program = shutil.which(QEMU)
    if program is not None:
        yield Finding(name=QEMU, state="ok", found=version(program), needed_daily=True)
        return
    yield Finding(
        name=QEMU,
        state="missing",
        found="not on the PATH",
        needed_daily=True,
        cost="These do not work: demo, hil-test, segment, monitor and profile in QEMU, where they run by default.",
        mend=APT_QEMU,
    )
