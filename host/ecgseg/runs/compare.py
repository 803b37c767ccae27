"""Tells what changed from one run to another, and whether any of it got worse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel

from ecgseg.errors import UsageError
from ecgseg.hil.result import HilResult
from ecgseg.hil.soak.result import SoakResult
from ecgseg.hil.stream_result import StreamResult
from ecgseg.profile.board import BoardProfile
from ecgseg.profile.qemu import Profile
from ecgseg.runs.figures import Better, Figure, Group, figures_of
from ecgseg.runs.reading import KINDS, Read, Result

Change = Literal["equal", "better", "worse", "other", "not judged"]
_NEAR = 1e-9  # what sums of floating point may differ by


class Fact(BaseModel):
    """Something about the two runs that is not the same, such as the model's hash."""

    name: str
    a: str
    b: str


class Measure(BaseModel):
    """A figure of both runs.

    Attributes:
        group: exactness, accuracy, link, time, memory or size.
        name, unit: what it is. Verdicts count 0 pass, 1 incomplete, 2 drift, 3 fail.
        a, b: of the first and of the second run; None where one does not know it.
        better: which is better, less or more, or neither.
        change: of b against a: "equal", "better" or "worse"; "other" where neither is better; "not judged" where the
            runs cannot be held against each other in it (`notes`), or one does not know it.
    """

    group: Group
    name: str
    unit: str
    a: float | None
    b: float | None
    better: Better
    change: Change


class RunComparison(BaseModel):
    """What changed from a run A to a run B.

    Attributes:
        a, b: their names.
        kind: what was compared: a test of frames or of a stream, or a profile.
        regression: some figure is worse.
        facts: what else is not the same: model, image, inputs, versions.
        notes: why a group of figures is not judged.
        measures: every figure that either knows.
    """

    a: str
    b: str
    kind: str
    regression: bool
    facts: list[Fact]
    notes: list[str]
    measures: list[Measure]


def compare(a: Read, b: Read) -> RunComparison:
    """Compares two results of one kind.

    Raises:
        UsageError: they are of two kinds.
    """
    kinds = KINDS[type(a.result)], KINDS[type(b.result)]
    if kinds[0] != kinds[1]:
        raise UsageError(
            f"{a.name} and {b.name} cannot be compared.",
            f"The first is {kinds[0]}, the second {kinds[1]}.",
            "Name two of one kind.",
        )
    facts = [Fact(name=name, a=first, b=second) for name, first, second in _facts(a.result, b.result)]
    notes = dict(_unlike(a.result, b.result, facts))
    measures = list(_measures(figures_of(a.result), figures_of(b.result), notes))
    return RunComparison(
        a=a.name,
        b=b.name,
        kind=kinds[0],
        regression=any(measure.change == "worse" for measure in measures),
        facts=facts,
        notes=[f"{group.capitalize()} is not judged: {why}" for group, why in notes.items()],
        measures=measures,
    )


def _measures(first: Sequence[Figure], second: Sequence[Figure], notes: dict[Group, str]) -> Iterator[Measure]:
    known = {(figure.group, figure.name): figure for figure in second}
    for figure in first:
        yield _measure(figure, known.pop((figure.group, figure.name), None), notes)
    for figure in known.values():
        yield _measure(None, figure, notes)


def _measure(a: Figure | None, b: Figure | None, notes: dict[Group, str]) -> Measure:
    told = a or b
    assert told is not None
    values = (a.value if a else None, b.value if b else None)
    return Measure(
        group=told.group,
        name=told.name,
        unit=told.unit,
        a=values[0],
        b=values[1],
        better=told.better,
        change=_change(told, *values, judged=told.group not in notes),
    )


def _change(told: Figure, a: float | None, b: float | None, *, judged: bool) -> Change:
    if a is None or b is None:
        return "equal" if a is b else "not judged"
    if abs(b - a) <= _NEAR * max(1.0, abs(a)):
        return "equal"
    if not judged:
        return "not judged"
    if told.better == "neither" or abs(b - a) <= told.noise * abs(a):
        return "other"
    return "better" if (b < a) == (told.better == "less") else "worse"


def _facts(a: Result, b: Result) -> Iterator[tuple[str, str, str]]:
    """Name and both values of what identifies the two and is not the same."""
    first, second = _identity(a), _identity(b)
    for name in dict.fromkeys((*first, *second)):
        values = first.get(name, "not told"), second.get(name, "not told")
        if values[0] != values[1]:
            yield name, *values


def _identity(result: Result) -> dict[str, str]:
    """What a result is of, by name."""
    told = {"target": result.target, "model": result.model}
    if isinstance(result, BoardProfile):
        return told | {"SHA-256 of the model": result.tflite_sha256, "image": result.build_id}
    if isinstance(result, Profile):
        return told | {
            "SHA-256 of the model": result.sha256,
            "compiler": result.compiler,
            "emulator": result.emulator,
        }
    told |= {
        "SHA-256 of the model": result.model_sha256,
        "backend": result.backend,
        "image": result.build_id,
        "source": result.source,
        "records": ", ".join(map(str, result.records)),
        "leads": ", ".join(result.leads),
    }
    if isinstance(result, SoakResult):
        told |= {"rate": str(result.rate), "seed": str(result.seed)}
    else:
        told["faults put into the line"] = result.injected.faults if result.injected else "none"
    if result.oracle:
        told["oracle"] = result.oracle
    if result.provenance:
        versions = result.provenance.versions
        told |= {"ecgseg": versions.ecgseg, "commit": f"{versions.commit}{', changed' if versions.changed else ''}"}
        told |= {"Python": versions.python, **versions.packages, **versions.tools, "platform": versions.platform}
    return told


def _unlike(a: Result, b: Result, facts: Sequence[Fact]) -> Iterator[tuple[Group, str]]:
    """Groups in which the two cannot be held against each other, and why."""
    differing = {fact.name for fact in facts}
    inputs = differing & {"source", "records", "leads"}
    if inputs:
        yield "accuracy", f"the two were sent other ECG ({', '.join(sorted(inputs))})."
    if "target" in differing:
        for group in ("time", "memory", "size"):
            yield group, "the two ran on other targets."
    elif inputs:
        yield "time", "the two were sent other ECG, and a frame's time depends on it."
    elif _unit(a) != _unit(b):
        yield "time", f"one is told in {_unit(a)}, the other in {_unit(b)}."


def _unit(result: Result) -> str:
    if isinstance(result, HilResult | StreamResult):
        return result.timing.unit
    if isinstance(result, SoakResult):
        return "ms"
    return "cycles" if isinstance(result, BoardProfile) else result.unit
