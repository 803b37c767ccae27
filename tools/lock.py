"""Writes tools/locks: every version of a full install with the SHA-256 of its files, so that pip takes no other.

    python tools/lock.py          the newest versions that pyproject.toml allows
    python tools/lock.py --keep   only what pyproject.toml changed; versions that are locked stay

One list for each extra holds what it adds to `base`; `build` is what builds packages, and comes before all others. Run
it on x86-64 Linux with Python 3.11: the versions locked are those that pip chooses there. Their files are those that
pip would take with each Python and on each kind of computer of `PYTHONS` and `PLATFORMS`: wheels, and the source of
what has none on x86-64 Linux. What has no wheel is printed. It takes half an hour; of what is new alone, minutes.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "tools" / "locks"
BUILD = ("setuptools",)
# What is built from its source with Python 3.13 wants more of what is there before it: pyEDFlib has no wheel for it.
BUILD_NEWER = ("cython", "numpy")
NEWER = 'python_version >= "3.13"'

PYTHONS = {"3.11": "3.11.2", "3.12": "3.12.3", "3.13": "3.13.5"}
"""Those that are supported, and the releases of them that Debian 12, Ubuntu 24.04 and Debian 13 have."""
LINUX = (*(f"manylinux_2_{minor}" for minor in range(5, 37)), "manylinux1", "manylinux2010", "manylinux2014")
PLATFORMS = {
    "x86-64 Linux": tuple(f"{name}_x86_64" for name in LINUX),
    "AArch64 Linux": tuple(f"{name}_aarch64" for name in LINUX),
    "macOS on arm64": ("macosx_14_0_arm64",),
}
"""Names in wheels' names that fit: of a C library as old as Debian 12's, and of macOS 14."""
HERE = next(iter(PLATFORMS))
PIN = re.compile(r"^([a-z0-9-]+)==([^\s;]+)((?:.*\\\n)*.*)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """A package as it is locked.

    Attributes:
        version: the one version.
        hashes: SHA-256 of the files that may be installed.
        marker: where it is installed, as PEP 508 writes it; "" for everywhere.
    """

    version: str
    hashes: frozenset[str] = frozenset()
    marker: str = ""


Pins = dict[str, Pin]
"""By name."""


def pip_report(*arguments: str) -> dict[str, Pin]:
    """What pip would install.

    Raises:
        subprocess.CalledProcessError: it refuses; why is in its `stderr`.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "--quiet", "install", "--dry-run", "--ignore-installed"]
        command += ["--target", folder, "--report", str(report), *arguments]
        subprocess.run(command, check=True, capture_output=True, text=True)
        return pins_of(json.loads(report.read_text(encoding="utf-8")))


def pins_of(report: dict[str, list[dict[str, dict[str, object]]]]) -> Pins:
    """The packages of pip's report but the project itself; where they came from is nobody's business."""
    pins = {}
    for item in report["install"]:
        archive = item["download_info"].get("archive_info")
        if isinstance(archive, dict):
            sha256 = str(archive["hashes"]["sha256"])
            pins[normal(str(item["metadata"]["name"]))] = Pin(str(item["metadata"]["version"]), frozenset({sha256}))
    return pins


def normal(name: str) -> str:
    """A package's name as the registry compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def resolve(extra: str | None, constraints: Path) -> Pins:
    """What pip would install for the project with an extra, here."""
    project = f"{ROOT}[{extra}]" if extra else str(ROOT)
    return pip_report("--constraint", str(constraints), *BUILD, *BUILD_NEWER, project)


def files(wanted: dict[str, str]) -> Pins:
    """The files of these versions, by name, that pip would take with each Python and on each kind of computer."""
    found = {name: Pin(version) for name, version in wanted.items()}
    without: set[str] = set()
    from_source: set[str] = set()
    for python, (platform, tags) in product(PYTHONS.values(), PLATFORMS.items()):
        where = ["--only-binary", ":all:", "--python-version", python, *(f"--platform={tag}" for tag in tags)]
        # What had no wheel elsewhere comes first: pip stops at the first that has none.
        here = {name: wanted[name] for name in sorted(wanted, key=lambda name: name not in without)}
        while here:
            try:
                pins = pip_report("--no-deps", *where, *(f"{name}=={version}" for name, version in here.items()))
            except subprocess.CalledProcessError as error:
                match = re.search(r"No matching distribution found for ([\w.-]+)==", error.stderr)
                if match is None:
                    raise
                name = match[1]
                print(f"no wheel of {name} {here.pop(name)}: Python {python} on {platform}")
                without.add(name)
                # What other computers alone have no wheel of may be large, and they do without it.
                if platform == HERE:
                    from_source.add(name)
                continue
            for name, pin in pins.items():
                found[name] = replace(found[name], hashes=found[name].hashes | pin.hashes)
            break
    for name in sorted(from_source):
        source = pip_report("--no-deps", "--no-binary", name, f"{name}=={wanted[name]}")[name]
        found[name] = replace(found[name], hashes=found[name].hashes | source.hashes)
    return found


def locked_pins() -> Pins:
    """What the lists hold."""
    pins = {}
    for path in sorted(LOCKS.glob("*.txt")):
        for name, version, rest in PIN.findall(path.read_text(encoding="utf-8")):
            pins[name] = Pin(version, frozenset(HASH.findall(rest)))
    return pins


def written(pins: Pins) -> str:
    """A list as pip reads it with --require-hashes."""
    lines = ["# Made by tools/lock.py (README, Versions).\n"]
    for name, pin in sorted(pins.items()):
        marker = f" ; {pin.marker}" if pin.marker else ""
        lines.append(f"{name}=={pin.version}{marker}")
        lines += [f" \\\n    --hash=sha256:{sha256}" for sha256 in sorted(pin.hashes)]
        lines.append("\n")
    return "".join(lines)


def lists(resolved: dict[str, Pins]) -> dict[str, Pins]:
    """What each list holds: `build`, `base`, and what each extra adds to them."""
    base = resolved["base"]
    divided = {"build": {name: base[name] for name in BUILD}}
    divided["build"] |= {name: replace(base[name], marker=NEWER) for name in BUILD_NEWER}
    divided["base"] = {name: pin for name, pin in base.items() if name not in BUILD and name != "cython"}
    for extra, pins in resolved.items():
        if extra != "base":
            divided[extra] = {name: pin for name, pin in pins.items() if name not in base}
    return divided


def constrain(path: Path, *pins: Pins) -> None:
    """Writes versions as pip takes constraints."""
    path.write_text("".join(f"{name}=={pin.version}\n" for held in pins for name, pin in held.items()), "utf-8")


def completed(resolved: dict[str, Pins], locked: Pins, markers: dict[str, str]) -> dict[str, Pins]:
    """The packages with the files and markers of all computers; what is locked is not looked up again."""
    known = {name: pin.version for pins in resolved.values() for name, pin in pins.items()}
    new = {name: version for name, version in known.items() if name not in locked or locked[name].version != version}
    held = locked | files(new)
    return {
        extra: {name: replace(held[name], marker=markers.get(name, "")) for name in pins}
        for extra, pins in resolved.items()
    }


def main() -> None:
    """Resolves the project, and with each extra, and writes the lists."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="versions that are locked stay")
    locked = locked_pins() if parser.parse_args().keep else {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constrain(constraints, locked)
        resolved = {"base": resolve(None, constraints)}
        for extra in extras:
            # With an extra, what is shared has the versions of base: they are installed together.
            constrain(constraints, resolved["base"], locked)
            resolved[extra] = resolve(extra, constraints)
    requirements = [*project["dependencies"], *(item for listed in extras.values() for item in listed)]
    split = [item.partition(";") for item in requirements]
    markers = {normal(re.split(r"[^\w.-]", item)[0]): marker.strip() for item, _, marker in split}
    LOCKS.mkdir(exist_ok=True)
    for name, pins in lists(completed(resolved, locked, markers)).items():
        (LOCKS / f"{name}.txt").write_text(written(pins), encoding="utf-8")
        print(f"{name}: {len(pins)} packages")


if __name__ == "__main__":
    main()
