"""Where the pages of the repository lead: a relative link has to end at a file or a heading that is there.

    python tools/check_links.py               one line a dead link; the exit code is 1 when there is one
    python tools/check_links.py --external    lists what leads elsewhere and from which pages; looks nothing up

Pages are README, CONTRIBUTING and CHANGELOG, what lies in docs, the firmware's README and the cards of the models. An
anchor is a heading's as GitHub makes it, and `tools/site` has its headings made by the same function.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**/*.md", "firmware/README.md", "models/*/README.md")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+).+?\1", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"\]\(<?([^()\s<>]+(?:\([^()\s]*\)[^()\s<>]*)?)>?(?:\s+\"[^\"]*\")?\)")
_ITEM = re.compile(r"[-*] |\d+\. ")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_EXTERNAL = re.compile(r"[a-z][a-z0-9+.-]*:")


def pages() -> list[Path]:
    """Every page."""
    return sorted({path for pattern in PAGES for path in ROOT.glob(pattern)})


def links(page: Path) -> list[str]:
    """Targets of the links and pictures of a page, those in code left out."""
    text = _COMMENT.sub("", _FENCE.sub("", page.read_text(encoding="utf-8")))
    return _LINK.findall(_CODE.sub("", "\n".join(_unindented(text.splitlines()))))


def _unindented(lines: Iterable[str]) -> Iterator[str]:
    """Lines that are no code: what is four blanks in is, but in a list, where it belongs to an item."""
    in_list = False
    for line in lines:
        if line[:1].strip():
            in_list = _ITEM.match(line) is not None
        if in_list or not line.startswith("    "):
            yield line


def is_external(link: str) -> bool:
    """It leads out of the repository."""
    return _EXTERNAL.match(link) is not None


def slug(heading: str, separator: str = "-") -> str:
    """The anchor of a heading: small letters, no punctuation, `-` for each space."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", separator)


def anchors(page: Path) -> set[str]:
    """What a link to a page may have behind its `#`."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        name, number = slug(heading), 0
        while (anchor := f"{name}-{number}" if number else name) in found:
            number += 1
        found.add(anchor)
    return found


def fault(page: Path, link: str) -> str:
    """What is wrong with a relative link; empty when it leads somewhere."""
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.is_relative_to(ROOT):
        return "leads out of the repository"
    if not target.is_file():
        return "no such file"
    if anchor and (target.suffix != ".md" or anchor not in anchors(target)):
        return "no such heading"
    return ""


def faults() -> Iterator[str]:
    """A line for each dead link of each page."""
    for page in pages():
        for link in links(page):
            if not is_external(link) and (wrong := fault(page, link)):
                yield f"{page.relative_to(ROOT)}: {link}: {wrong}"


def external() -> dict[str, list[str]]:
    """Links that lead out of the repository, and the pages that have them."""
    found: dict[str, list[str]] = {}
    for page in pages():
        for link in filter(is_external, links(page)):
            found.setdefault(link, []).append(str(page.relative_to(ROOT)))
    return found


def main() -> int:
    """Prints what is wrong, or what leads out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--external", action="store_true", help="list what leads out of the repository")
    if parser.parse_args().external:
        for link, where in sorted(external().items()):
            print(link, *sorted(set(where)))
        return 0
    found = list(faults())
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
