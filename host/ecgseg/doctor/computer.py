"""What some commands need: room on the disk, git, databases, optional packages, a probe and ports for a board."""

from __future__ import annotations

import grp
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from ecgseg import paths
from ecgseg.doctor.findings import Finding
from ecgseg.doctor.packages import packages_of
from ecgseg.errors import DataError, OutputError, ToolMissingError, cause
from ecgseg.output import check_folder

NEEDED_BYTES = 500_000_000
"""Images, rendered C and reports of every model and board, with room for the compilers' temporary files."""
PORT_GROUP = "dialout"
EXTRAS = {
    "dev": "make lint and the tests.",
    "train": "train, sweep, zoo --train, zoo --measure, evaluate --float, evaluate --cv.",
    "peers": "hil-test --peers, evaluate --peers.",
    "parquet": "segment --parquet.",
    "browser": "tests that look at pages in Chromium.",
    "fuzz": "fuzz of what the host reads (fuzz --what device needs clang alone).",
    "docs": "make docs.",
}
"""What does not work without an extra of pyproject.toml."""


def disk() -> Iterator[Finding]:
    """Room for what is built, and permission to write it."""
    name = "Room in build/"
    try:
        check_folder(paths.BUILD)
        free = shutil.disk_usage(next(folder for folder in (paths.BUILD, paths.ROOT) if folder.exists())).free
    except (OutputError, OSError) as error:
        yield Finding(
            name=name,
            state="missing",
            found=error.what if isinstance(error, OutputError) else cause(error, "It cannot be looked at."),
            needed_daily=True,
            cost="Nothing can be built, and no result written.",
            mend=f"sudo chown -R $USER {paths.ROOT}",
        )
        return
    found = f"{free / 1e9:,.1f} GB free"
    if free >= NEEDED_BYTES:
        yield Finding(name=name, state="ok", found=found, needed_daily=True)
        return
    yield Finding(
        name=name,
        state="missing",
        found=found,
        needed_daily=True,
        cost=f"Builds and results may not find room; {NEEDED_BYTES / 1e9:.1f} GB are enough.",
        mend="invoke clean, which removes what was built",
    )


def git() -> Iterator[Finding]:
    """git, which tells the commit."""
    if shutil.which("git"):
        yield Finding(name="git", state="ok", found="on the PATH")
        return
    cost = "Everything works, but no result tells the commit that it comes from."
    yield Finding(name="git", state="missing", found="not on the PATH", cost=cost, mend="sudo apt-get install git")


def databases() -> Iterator[Finding]:
    """LUDB and QTDB."""
    from ecgseg.data.databases.ludb import LUDB
    from ecgseg.data.databases.qtdb import QTDB

    ludb = "Everything runs on synthetic ECG in place of patients', and the zoo cannot be trained anew."
    yield _database(LUDB.title, lambda: LUDB.find(None), ludb, "invoke data")
    qtdb = "--database qtdb does not work, and the stream networks cannot be trained anew."
    yield _database(QTDB.title, lambda: QTDB.find(None), qtdb, "invoke data --database qtdb")


def _database(title: str, find: Callable[[], Path | None], without: str, mend: str) -> Finding:
    try:
        folder = find()
    except DataError as error:  # A variable names a wrong place.
        return Finding(name=title, state="missing", found=error.what, cost=without, mend=error.remedy)
    if folder is None:
        return Finding(name=title, state="missing", found="not found", cost=without, mend=mend)
    return Finding(name=title, state="ok", found=str(folder))


def extras() -> Iterator[Finding]:
    """Optional packages."""
    for extra, without in EXTRAS.items():
        packages = packages_of(extra)
        name = f"Extra {extra}"
        if packages.missing:
            cost, mend = f"These do not work: {without}", f"make setup EXTRAS={extra}"
            yield Finding(name=name, state="missing", found=packages.there, cost=cost, mend=mend)
        else:
            yield Finding(name=name, state="ok", found=packages.there)


def probe() -> Iterator[Finding]:
    """J-Link Commander, which flashes the board."""
    from ecgseg.devices import jlink

    name = "J-Link Commander"
    try:
        yield Finding(name=name, state="ok", found=jlink.find_program())
    except ToolMissingError as error:
        named = os.environ.get("ECGSEG_JLINK")
        found = f"ECGSEG_JLINK names {named}, which is no program" if named else "not on the PATH"
        cost = "flash, bringup and the probes of devices do not work. The board's port works without it."
        yield Finding(name=name, state="missing", found=found, cost=cost, mend=error.remedy)


def ports() -> Iterator[Finding]:
    """Serial ports, and permission to open them."""
    from ecgseg.link.ports import serial_ports

    name = "Serial ports"
    found = [port.device for port in serial_ports()]
    closed = [port for port in found if not os.access(port, os.R_OK | os.W_OK)]
    said = ", ".join(found) or "none plugged in"
    if closed or not (found or _may_open_ports()):
        yield Finding(
            name=name,
            state="missing",
            found=f"{said}; no permission to open {', '.join(closed) or 'any'}",
            cost="A board on the desk cannot be reached: --target apollo4p, bringup, devices.",
            mend=f"sudo usermod -aG {PORT_GROUP} $USER, and log in again",
        )
    else:
        yield Finding(name=name, state="ok", found=said)


def _may_open_ports() -> bool:
    """Whether a port that is plugged in would open: root, or in the group that owns ports."""
    try:
        group = grp.getgrnam(PORT_GROUP).gr_gid
    except KeyError:  # Another system with other customs; a port that is there will tell.
        return True
    return os.geteuid() == 0 or group in (os.getegid(), *os.getgroups())
