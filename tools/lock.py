"""Writes tools/locks: every version of a full install with the SHA-256 of its file, so that pip takes no other.

    python tools/lock.py          the newest versions that pyproject.toml allows
    python tools/lock.py --keep   only what pyproject.toml changed; versions that are locked stay

One list for each extra holds what it adds to `base`; `build` is what builds packages, and comes before all others. Run
it on x86-64 Linux with Python 3.11: the files locked are those that pip chooses there.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "tools" / "locks"
BUILD = ("setuptools",)

Pins = dict[str, tuple[str, str]]
"""Version and SHA-256 by name."""


def resolve(extra: str | None, constraints: Path | None) -> Pins:
    """What pip would install for the project with an extra."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "--quiet", "install", "--dry-run", "--ignore-installed"]
        command += ["--report", str(report), *(["--constraint", str(constraints)] if constraints else [])]
        subprocess.run([*command, *BUILD, f"{ROOT}[{extra}]" if extra else str(ROOT)], check=True)
        return pins_of(json.loads(report.read_text(encoding="utf-8")))


def pins_of(report: dict[str, list[dict[str, dict[str, object]]]]) -> Pins:
    """The packages of pip's report but the project itself; where they came from is nobody's business."""
    pins = {}
    for item in report["install"]:
        name = re.sub(r"[-_.]+", "-", str(item["metadata"]["name"])).lower()
        archive = item["download_info"].get("archive_info")
        if isinstance(archive, dict):
            pins[name] = (str(item["metadata"]["version"]), archive["hashes"]["sha256"])
    return pins


def written(pins: Pins) -> str:
    """A list as pip reads it with --require-hashes."""
    head = "# Made by tools/lock.py (README, Versions).\n"
    return head + "".join(f"{name}=={pins[name][0]} --hash=sha256:{pins[name][1]}\n" for name in sorted(pins))


def lists(resolved: dict[str, Pins]) -> dict[str, Pins]:
    """What each list holds: `build`, `base`, and what each extra adds to them."""
    base = resolved["base"]
    divided = {"build": {name: pin for name, pin in base.items() if name in BUILD}}
    divided["base"] = {name: pin for name, pin in base.items() if name not in BUILD}
    for extra, pins in resolved.items():
        if extra != "base":
            divided[extra] = {name: pin for name, pin in pins.items() if name not in base}
    return divided


def main() -> None:
    """Resolves the project, and with each extra, and writes the lists."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="versions that are locked stay")
    keep = parser.parse_args().keep
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        locked = "".join(path.read_text(encoding="utf-8") for path in sorted(LOCKS.glob("*.txt"))) if keep else ""
        constraints.write_text(re.sub(r" --hash=\S+", "", locked), encoding="utf-8")
        resolved = {"base": resolve(None, constraints)}
        for extra in project["optional-dependencies"]:
            # With an extra, what is shared has the versions of base: they are installed together.
            constraints.write_text(
                "".join(f"{name}=={version}\n" for name, (version, _) in resolved["base"].items())
                + "".join(line + "\n" for line in re.sub(r" --hash=\S+", "", locked).splitlines() if "==" in line),
                encoding="utf-8",
            )
            resolved[extra] = resolve(extra, constraints)
    LOCKS.mkdir(exist_ok=True)
    for name, pins in lists(resolved).items():
        (LOCKS / f"{name}.txt").write_text(written(pins), encoding="utf-8")
        print(f"{name}: {len(pins)} packages")


if __name__ == "__main__":
    main()
