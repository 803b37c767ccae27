"""The verdict of a HIL test as JUnit XML: a test case for each lead, as continuous integration shows them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgseg.hil.result import HilResult, Mismatch
from ecgseg.hil.rig.result import RigResult
from ecgseg.hil.stream_result import StreamMismatch, StreamResult
from ecgseg.output import write_bytes
from ecgseg.printable import printable
from ecgseg.report.texts import byte_text

_WHOLE = "the whole test"


@dataclass(frozen=True)
class _Case:
    """A test case: its name, how long it took, and what is wrong, as (kind, message, text)."""

    name: str
    seconds: float
    wrong: tuple[str, str, str] | None = None


def write_junit(result: HilResult | StreamResult, path: Path) -> None:
    """Writes a HIL test as JUnit XML.

    Raises:
        OutputError: it could not be written.
    """
    write_bytes(path, render_junit(result))


def render_junit(result: HilResult | StreamResult) -> bytes:
    """JUnit XML, UTF-8: a case for each lead that was compared, and one for the test as a whole.

    Names are data: what XML has no place for stands as an escape such as \\x1b.
    """
    return _document([_suite_of(f"hil-test {result.model} on {result.target}", result)])


def render_rig_junit(rig: RigResult, results: Sequence[HilResult | StreamResult | None]) -> bytes:
    """JUnit XML, UTF-8, of a rig: a suite for each test; one without a result is a suite with an error in it.

    Args:
        rig: what came of it.
        results: of its tests, in their order.
    """
    suites = []
    for run, result in zip(rig.runs, results, strict=True):
        name = f"{run.name}: hil-test {run.model} on {run.target}"
        if result is not None:
            suites.append(_suite_of(name, result))
            continue
        why = run.error or "It left no result."
        case = _Case(_WHOLE, run.seconds, ("error", f"It did not reach its end: {why}", why))
        suites.append(_suite(name, f"ecgseg.{run.target}.{run.model}", [case], run.seconds))
    return _document(suites)


def _document(suites: Sequence[ElementTree.Element]) -> bytes:
    root = ElementTree.Element("testsuites")
    root.extend(suites)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite_of(name: str, result: HilResult | StreamResult) -> ElementTree.Element:
    cases = [*_leads(result), _whole(result)]
    suite = _suite(name, f"ecgseg.{result.target}.{result.model}", cases, result.seconds)
    if result.provenance:
        suite.set("timestamp", printable(result.provenance.started.rstrip("Z")))
    return suite


def _suite(name: str, group: str, cases: Sequence[_Case], seconds: float) -> ElementTree.Element:
    kinds = [case.wrong[0] if case.wrong else "" for case in cases]
    suite = ElementTree.Element(
        "testsuite",
        name=printable(name),
        tests=str(len(cases)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped="0",
        time=f"{seconds:.3f}",
    )
    for case in cases:
        element = ElementTree.SubElement(
            suite, "testcase", classname=printable(group), name=printable(case.name), time=f"{case.seconds:.3f}"
        )
        if case.wrong:
            kind, message, text = (printable(word) for word in case.wrong)
            ElementTree.SubElement(element, kind, message=message).text = text
    return suite


def _leads(result: HilResult | StreamResult) -> Iterator[_Case]:
    """A case for each lead that was compared, then one for each that differs and did not come to its end."""
    places = _places(result)
    for outcome in result.by_lead:
        told = places.pop((outcome.record, outcome.lead), [])
        name = f"record {outcome.label}, lead {outcome.lead}"
        if not outcome.mismatched_bytes:
            yield _Case(name, outcome.seconds)
            continue
        message = f"{outcome.mismatched_bytes:,} of {outcome.compared_bytes:,} bytes differ"
        text = "; ".join(told) or "Where is not told: others that differ came first."
        yield _Case(name, outcome.seconds, ("failure", message, text))
    for (record, lead), told in places.items():
        yield _Case(f"record {record}, lead {lead}", 0, ("failure", told[0], "; ".join(told)))


def _whole(result: HilResult | StreamResult) -> _Case:
    """Fails when the test did not reach its end, or the device tells of itself what is not so."""
    told = [_text(item) for item in result.mismatches if not _of_a_lead(item, result)]
    if told:
        return _Case(_WHOLE, result.seconds, ("failure", told[0], "; ".join(told)))
    if result.verdict == "incomplete":
        why = result.error or "Nothing was compared."
        return _Case(_WHOLE, result.seconds, ("error", f"It did not reach its end: {why}", why))
    return _Case(_WHOLE, result.seconds)


def _places(result: HilResult | StreamResult) -> dict[tuple[int, str], list[str]]:
    """Where leads differ, in words, by record and lead."""
    places: dict[tuple[int, str], list[str]] = {}
    for item in result.mismatches:
        if _of_a_lead(item, result):
            places.setdefault((item.record, printable(item.lead)), []).append(_text(item))
    return places


def _of_a_lead(item: Mismatch | StreamMismatch, result: HilResult | StreamResult) -> bool:
    """Whether it is a lead, or an input, that differs, and not what the device tells of itself."""
    return item.compared not in ("HELLO", "START", "layer") and (item.lead != "-" or result.source == "random")


def _text(item: Mismatch | StreamMismatch) -> str:
    where = f"frame {item.frame}, {item.stage}" if isinstance(item, Mismatch) else item.what
    place = f"byte {item.offset}: Python {byte_text(item.expected)}, device {byte_text(item.actual)}"
    vector = f", kept in {item.vector}" if item.vector else ""
    return f"{where}, {item.compared}, {place}, {item.differing_bytes:,} bytes differ{vector}"
