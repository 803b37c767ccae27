"""Which versions compute: of ecgseg, of Python, of packages and of compilers."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

from pydantic import BaseModel

from ecgseg import __version__, paths
from ecgseg.doctor.packages import installed_version
from ecgseg.errors import ToolMissingError
from ecgseg.image.boards import BOARDS, HOST, MPS2_AN386
from ecgseg.image.qemu import PROGRAM as QEMU
from ecgseg.image.toolchain import find_tool, version

PACKAGES = ("numpy", "tflite-micro", "unicorn", "scipy", "wfdb", "tensorflow-cpu")
"""Whose numbers a result can hang on: arithmetic, oracle, the simulator's core, resampling, recordings, training."""
_SECONDS = 60


class Versions(BaseModel):
    """What computes here.

    Attributes:
        ecgseg: release of this program.
        commit: of the checkout that it runs from, None where git does not tell one.
        changed: whether files of the checkout differ from that commit; None without one.
        python: version of the interpreter.
        platform: operating system and processor.
        packages: version by name, of those whose numbers a result can hang on and that are installed.
        tools: first line of what a compiler or QEMU says of itself, by name; of those that are installed.
    """

    ecgseg: str
    commit: str | None
    changed: bool | None
    python: str
    platform: str
    packages: dict[str, str]
    tools: dict[str, str]


def versions_here() -> Versions:
    """The versions of this computer. Nothing that is missing is an error."""
    commit = _git("rev-parse", "HEAD")
    state = _git("status", "--porcelain") if commit else None
    found = {package: installed_version(package) for package in PACKAGES}
    return Versions(
        ecgseg=__version__,
        commit=commit or None,
        changed=None if state is None else bool(state),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        packages={package: told for package, told in found.items() if told},
        tools=_tools(),
    )


def _tools() -> dict[str, str]:
    found = {}
    for board in (BOARDS[HOST], BOARDS[MPS2_AN386]):
        try:
            found[f"{board.prefix}gcc"] = version(find_tool(board, "gcc"))
        except ToolMissingError:
            continue
    qemu = shutil.which(QEMU)
    return {**found, QEMU: version(qemu)} if qemu else found


def _git(*words: str) -> str | None:
    """What git says of the checkout; None where there is none, or no git."""
    git = shutil.which("git")
    if git is None or not (paths.ROOT / ".git").exists():
        return None
    # Variables such as GIT_DIR, which a hook sets, name another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            [git, "-C", str(paths.ROOT), *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
