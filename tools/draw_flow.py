"""Draws docs/images/flow.svg: what becomes of ECG in Python and on a device, and where bytes are compared.

    python tools/draw_flow.py

Light or dark as the page is that shows it. A test draws it again, compares, and looks for the files that it names.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "host"))

from svg_style import style

from ecgseg import paths
from ecgseg.output import write_text

PICTURE = paths.ROOT / "docs" / "images" / "flow.svg"
_WIDTH, _MARGIN = 880, 20
_SIDE = 290  # width of a column
_LEFT, _RIGHT = _MARGIN, _WIDTH - _MARGIN - _SIDE
_INNER_LEFT, _INNER_RIGHT, _CENTRE = _LEFT + _SIDE, _RIGHT, _WIDTH // 2
_LINE, _GAP, _TOP = 18, 26, 96


_RULES = (
    "text{font:14px system-ui,sans-serif;fill:$ink}.name{font-weight:600}.side{font-weight:600;font-size:16px}"
    ".note{fill:$soft;font-size:13px}.file{fill:$soft;font:12px ui-monospace,monospace}.page{fill:$card}"
    ".box{fill:$page;stroke:$line}.both{fill:$track;stroke:$line}.model{fill:$good-soft;stroke:$good}"
    ".equal{stroke:$good;stroke-width:2;fill:none}.sign,.compared{fill:$good}.compared{font-size:13px}"
    ".arrow{stroke:$soft;stroke-width:1.5;fill:none}.head{fill:$soft}"
)


@dataclass(frozen=True)
class Step:
    """A step on both sides, and what of it is compared.

    Attributes:
        name: what it is called.
        python, device: what does it on either side.
        files: where it stands, in Python and in C.
        compared: lines between both sides.
    """

    name: str
    python: str
    device: str
    files: tuple[str, str]
    compared: tuple[str, ...]


STEPS = (
    Step(
        "Preprocessor",
        "filter to 100 Hz, normalise to int8",
        "the same numbers, rendered into C",
        ("host/ecgseg/pipeline", "firmware/pipeline"),
        ("int8 samples", "status, no contact"),
    ),
    Step(
        "Network",
        "runs the .tflite: the oracle",
        "runs C11 rendered from it",
        ("host/ecgseg/graph", "firmware/engine"),
        ("scores of each class",),
    ),
    Step(
        "Classes",
        "none, P wave, QRS, T wave",
        "the largest score of each sample",
        ("host/ecgseg/pipeline", "firmware/pipeline"),
        ("class of each sample",),
    ),
    Step(
        "Waves, beats, events",
        "onsets, offsets, R, RR, PR, QRS, QT",
        "told as soon as they are known",
        ("host/ecgseg/pipeline", "firmware/pipeline"),
        ("segments of a frame,", "events of a stream"),
    ),
)


def picture(steps: Sequence[Step] = STEPS) -> str:
    """The SVG."""
    parts = [
        _block(_MARGIN, 16, _WIDTH - 2 * _MARGIN, ("ECG", "LUDB, QTDB, synthetic, or a recording of your own"), "both")
    ]
    parts += [_arrow(_LEFT + _SIDE // 2, 74, _TOP + 6), _arrow(_RIGHT + _SIDE // 2, 74, _TOP + 6)]
    parts += [
        _text(_LEFT + _SIDE // 2 + 12, 92, "as it is", "note"),
        _text(_RIGHT + _SIDE // 2 + 12, 92, "over serial", "note"),
    ]
    parts += [_text(_LEFT, _TOP + 2, "Python", "side"), _text(_RIGHT, _TOP + 2, "Device", "side")]
    y, height = _TOP + 14, 76
    for step in steps:
        for x, what, file in ((_LEFT, step.python, step.files[0]), (_RIGHT, step.device, step.files[1])):
            parts.append(_block(x, y, _SIDE, (step.name, what, file), "box"))
            parts.append(_arrow(x + _SIDE // 2, y + height, y + height + _GAP))
        parts.append(_comparison(y + (54 if step.name == "Network" else 30), step.compared))
        if step.name == "Network":
            parts.append(_model(y))
        y += height + _GAP
    parts.append(_block(_MARGIN, y, _WIDTH - 2 * _MARGIN, ("Verdict", _VERDICT), "both"))
    return _svg(y + 58 + 16, "".join(parts))


_VERDICT = "every byte equal: PASS; else FAIL, with the first byte that differs and its layer, kept for a replay"


def _svg(height: int, body: str) -> str:
    label = "ECG goes through the same steps in Python and on the device; after each of them every byte is compared"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">\n'
        f"<style>{style(_RULES)}</style>\n{_HEADS}"
        f'<rect class="page" width="{_WIDTH}" height="{height}"/>\n{body}</svg>\n'
    )


_HEADS = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="head" d="M0 0 8 4 0 8z"/></marker></defs>\n'
)


def _text(x: int, y: int, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>\n'


def _block(x: int, y: int, width: int, lines: Sequence[str], kind: str) -> str:
    classes = ("name", "what", "file")
    height = 22 + _LINE * len(lines)
    texts = "".join(_text(x + 14, y + 24 + _LINE * place, line, classes[place]) for place, line in enumerate(lines))
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>\n{texts}'


def _arrow(x: int, top: int, bottom: int) -> str:
    return f'<path class="arrow" d="M{x} {top}V{bottom}" marker-end="url(#head)"/>\n'


def _model(y: int) -> str:
    """The file that both sides take, between their networks."""
    left, right, middle = _CENTRE - 62, _CENTRE + 62, y + 14
    return (
        f'<rect class="model" x="{left}" y="{y}" width="{right - left}" height="28" rx="14"/>\n'
        f"{_text(_CENTRE, y + 19, 'int8 .tflite', 'name', 'middle')}"
        f'<path class="arrow" d="M{left} {middle}H{_INNER_LEFT}" marker-end="url(#head)"/>\n'
        f'<path class="arrow" d="M{right} {middle}H{_INNER_RIGHT}" marker-end="url(#head)"/>\n'
    )


def _comparison(middle: int, lines: Sequence[str]) -> str:
    """What is compared, on a line between both sides."""
    texts = "".join(
        _text(_CENTRE, middle + 22 + 16 * place, line, "compared", "middle") for place, line in enumerate(lines)
    )
    return (
        f'<path class="equal" d="M{_INNER_LEFT} {middle}H{_CENTRE - 16}M{_CENTRE + 16} {middle}H{_INNER_RIGHT}"/>\n'
        f"{_text(_CENTRE, middle + 6, '=', 'side sign', 'middle')}{texts}"
    )


def main() -> int:
    """Draws the picture."""
    write_text(PICTURE, picture())
    print(f"Wrote {PICTURE.relative_to(paths.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
