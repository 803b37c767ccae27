"""A stand-in for J-Link Commander: prints what the real one prints, and keeps a record of what it was asked to do.

The environment variable FAKE_JLINK holds JSON: "probes": serial numbers, "failure": what goes wrong at which command,
"words": memory by address, "record": file that gets one JSON line per run.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

APOLLO4 = {"40020000": "08320088", "40020010": "414D4251"}


def install(folder: Path) -> Path:
    """Writes an executable JLinkExe into a folder."""
    program = folder / "JLinkExe"
    program.write_text(
        f"#!{sys.executable}\nimport runpy\nrunpy.run_path({str(Path(__file__))!r}, run_name='__main__')\n"
    )
    program.chmod(0o755)
    return program


def _list(probes: list[str]) -> None:
    for index, number in enumerate(probes):
        print(
            f"J-Link[{index}]: Connection: USB, Serial number: {number}, ProductName: J-Link-OB-Apollo4-CortexM, "
            "Nickname: <not set>"
        )


def _execute(line: str, settings: dict[str, object]) -> int | None:
    word = line.split()[0].lower() if line.split() else ""
    failure = settings.get("failure")
    if isinstance(failure, dict) and word == failure["at"]:
        print(failure["says"])
        return int(failure.get("code", 1))
    if word == "mem32":
        address = line.split()[1].rstrip(",").removeprefix("0x").upper()
        words = settings.get("words", APOLLO4)
        assert isinstance(words, dict)
        print(f"{address} = {words.get(address, 'FFFFFFFF')}")
    if word == "loadbin":
        print("J-Link: Flash download: Bank 0 @ 0x00018000: 1 range affected (32768 bytes)\nO.K.")
    if word == "verifybin":
        print("Verify successful.")
    return None


def main() -> int:
    """Acts on the command line and the script."""
    settings = json.loads(os.environ["FAKE_JLINK"])
    arguments = sys.argv[1:]
    probes = settings.get("probes", ["1160001234"])
    script = ""
    if "-CommandFile" in arguments:
        script = Path(arguments[arguments.index("-CommandFile") + 1]).read_text(encoding="utf-8")
    with open(settings["record"], "a", encoding="utf-8") as record:
        record.write(json.dumps({"arguments": arguments, "script": script}) + "\n")
    print("SEGGER J-Link Commander V8.12c")
    if not script:
        _list(probes)
        return 0
    if not probes:
        print("Connecting to J-Link via USB...FAILED: Cannot connect to J-Link.")
        return 1
    for line in script.splitlines():
        code = _execute(line, settings)
        if code is not None:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
