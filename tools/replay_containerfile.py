"""Runs the steps of tools/container/Containerfile in a bootstrapped system, where there is no container engine.

    debootstrap --variant=minbase trixie ROOT
    python tools/replay_containerfile.py ROOT [--env NAME] [--command "make demo"]

Needs root, and /proc and /dev in ROOT. FROM is compared with the system, ARG and ENV are set, WORKDIR and COPY are
done, RUN goes through chroot; --command runs last, as in the container. --env passes a variable of this shell on, such
as that of a proxy's certificates. The exit code is that of the first step that fails.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
CONTAINERFILE = ROOT / "tools" / "container" / "Containerfile"
PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
KNOWN = ("FROM", "ARG", "ENV", "RUN", "WORKDIR", "COPY", "CMD")


def instructions(text: str) -> list[tuple[str, str]]:
    """Name and argument of every instruction of a Containerfile.

    Raises:
        ValueError: one is not among `KNOWN`.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in whole.splitlines() if line)]
    unknown = sorted({name for name, _ in found} - {*KNOWN})
    if unknown:
        raise ValueError(f"not replayed: {', '.join(unknown)}")
    return found


def copied(argument: str) -> tuple[list[str], str]:
    """What COPY takes, relative to the repository, and where it puts it."""
    *sources, to = argument.split()
    return sources, to


@dataclass
class Replay:
    """A system in a folder, to which the instructions are done one by one.

    Attributes:
        system: the folder.
        environment: of what RUN runs.
        workdir: where it runs, and where COPY puts what has no absolute place.
    """

    system: Path
    environment: dict[str, str] = field(default_factory=dict)
    workdir: PurePosixPath = field(default_factory=lambda: PurePosixPath("/"))

    def do(self, name: str, argument: str) -> None:
        """One instruction.

        Raises:
            subprocess.CalledProcessError: RUN failed.
            ValueError: FROM is of another system.
        """
        if name == "FROM":
            self._compare(argument)
        elif name in ("ARG", "ENV"):
            key, _, value = argument.partition("=")
            self.environment[key] = "".join(shlex.split(value))
        elif name == "WORKDIR":
            self.workdir /= argument
            self._within("").mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            self._copy(*copied(argument))
        elif name == "RUN":
            self.run(argument)

    def run(self, command: str) -> None:
        """A line of the shell in the system."""
        inside = f"cd {self.workdir} && {command}"
        subprocess.run(["chroot", str(self.system), "/bin/sh", "-c", inside], env=self.environment, check=True)

    def _compare(self, image: str) -> None:
        release = (self.system / "etc" / "os-release").read_text(encoding="utf-8")
        wanted = re.search(r"debian:(\d+)", image)
        if wanted is None or f'VERSION_ID="{wanted[1]}"' not in release:
            raise ValueError(f"{self.system} is not {image}")

    def _copy(self, sources: list[str], to: str) -> None:
        for source in sources:
            path, place = ROOT / source, self._within(to)
            if path.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(path, place, dirs_exist_ok=True, ignore=ignored)
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place)

    def _within(self, place: str) -> Path:
        return self.system / (self.workdir / place).relative_to("/")


def main() -> int:
    """Does all instructions, and then the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the system")
    parser.add_argument("--env", action="append", default=[], metavar="NAME", help="a variable that is passed on")
    parser.add_argument("--command", help="what runs last")
    options = parser.parse_args()
    kept = {name: os.environ[name] for name in options.env}
    replay = Replay(options.root, {"PATH": PATHS, "HOME": "/root", **kept})
    steps = instructions(CONTAINERFILE.read_text(encoding="utf-8"))
    for name, argument in [*steps, *([("RUN", options.command)] if options.command else [])]:
        print(f"{name} {argument}", flush=True)
        try:
            replay.do(name, argument)
        except subprocess.CalledProcessError as error:
            return int(error.returncode)
        except (OSError, ValueError) as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
