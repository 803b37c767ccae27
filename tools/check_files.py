"""What no formatter holds: every text file follows .editorconfig, and no file of code is longer than 400 lines.

    python tools/check_files.py [FILE...]

Looks at every file that git knows or would add when none is named. Prints one line a fault; the exit code is 1 when
there is one.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from editorconfig import get_properties

LONGEST_FILE = 400
CODE = (".py", ".c", ".h", ".cc", ".sh", ".j2")


def tracked() -> list[str]:
    """Files of the repository around the working directory, without those that are deleted or ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True
    ).stdout.decode()
    return sorted(name for name in listed.split("\0") if name and Path(name).is_file())


def faults(name: str) -> Iterator[str]:
    """Lines `FILE:LINE: what is wrong`; none for a binary file."""
    data = Path(name).read_bytes()
    if b"\0" in data:
        return
    properties = get_properties(str(Path(name).absolute()))
    yield from whole_file_faults(name, data, properties)
    for number, line in enumerate(data.decode("utf-8", errors="replace").split("\n"), start=1):
        for fault in line_faults(line, properties):
            yield f"{name}:{number}: {fault}"
    lines = data.count(b"\n")
    if name.endswith(CODE) and lines > LONGEST_FILE:
        yield f"{name}:{LONGEST_FILE + 1}: {lines} lines, more than {LONGEST_FILE}"


def whole_file_faults(name: str, data: bytes, properties: Mapping[str, str]) -> Iterator[str]:
    """Encoding and the end of the file."""
    if properties.get("charset") == "utf-8":
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            yield f"{name}:{line}: not UTF-8"
        if data.startswith(b"\xef\xbb\xbf"):
            yield f"{name}:1: a byte order mark"
    if properties.get("insert_final_newline") == "true" and data and not data.endswith(b"\n"):
        line = data.count(b"\n") + 1
        yield f"{name}:{line}: no newline at the end"


def line_faults(line: str, properties: Mapping[str, str]) -> Iterator[str]:
    """End, indentation and length of one line, which is given without its line feed."""
    if properties.get("end_of_line") == "lf" and "\r" in line:
        yield "a carriage return"
    if properties.get("trim_trailing_whitespace") == "true" and line.rstrip(" \t\r") != line.rstrip("\r"):
        yield "spaces at the end"
    indentation = line[: len(line) - len(line.lstrip(" \t"))]
    if properties.get("indent_style") == "space" and "\t" in indentation:
        yield "a tab in the indentation"
    if properties.get("indent_style") == "tab" and indentation.startswith(" "):
        yield "spaces as indentation"
    limit = properties.get("max_line_length", "off")
    if limit.isdigit() and len(line) > int(limit):
        yield f"{len(line)} characters, more than {limit}"


def main() -> int:
    found = [fault for name in sys.argv[1:] or tracked() for fault in faults(name)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
