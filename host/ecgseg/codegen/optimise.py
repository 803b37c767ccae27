"""Which kernel computes which layer: by modelled cycles or by flash, both from the table of what each form costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from ecgseg.codegen.costs import costs, cycles_of
from ecgseg.codegen.kernels import Choice

CYCLES, SIZE = "cycles", "size"
# Sets of forms that are tried: all subsets of so many.
_MOST_FORMS = 12

Choices = Sequence[Sequence[Choice]]
Pick = Callable[[Choices], list[Choice]]
"""Takes one kernel for each layer out of those that compute it."""


@dataclass(frozen=True)
class Price:
    """What the kernels of a network that have a place in the table cost.

    Attributes:
        cycles: modelled, of all such layers.
        flash: bytes of constants, of the layers' own code and of the kernels' code.
    """

    cycles: int
    flash: int


def _cycles(choice: Choice) -> int:
    """Modelled cycles of a layer; 0 for a kernel that the table does not have."""
    return 0 if choice.work is None else cycles_of(choice.work)


def price(chosen: Iterable[Choice]) -> Price:
    """What the chosen kernels cost together: code that several need counts once."""
    known = [choice for choice in chosen if choice.work is not None]
    return Price(sum(map(_cycles, known)), _flash(known))


def least_cycles(choices: Choices) -> list[Choice]:
    """The fastest kernel of every layer; of equals the one with less code."""
    return [min(layer, key=lambda choice: (_cycles(choice), _flash([choice]))) for layer in choices]


def least_flash(choices: Choices) -> list[Choice]:
    """The kernels that need the least flash together; of equals the faster ones.

    Code is shared, so what is looked for is a set of forms. All of them are tried where they are few; else forms are
    given up one by one as long as that saves something.
    """
    forms = sorted({_form(choice) for layer in choices if len(layer) > 1 for choice in layer})
    if len(forms) <= _MOST_FORMS:
        sets = [set(kept) for count in range(len(forms) + 1) for kept in combinations(forms, count)]
        found = [chosen for kept in sets if (chosen := _smallest(choices, kept)) is not None]
        return min(found, key=_size_first)
    return _by_giving_up(choices, forms)


PICKS: dict[str, Pick] = {CYCLES: least_cycles, SIZE: least_flash}


def _by_giving_up(choices: Choices, forms: Sequence[str]) -> list[Choice]:
    kept = set(forms)
    best = _smallest(choices, kept)
    assert best is not None
    while True:
        fewer = [(chosen, form) for form in sorted(kept) if (chosen := _smallest(choices, kept - {form})) is not None]
        if not fewer:
            return best
        chosen, form = min(fewer, key=lambda pair: _size_first(pair[0]))
        if _size_first(chosen) >= _size_first(best):
            return best
        best, kept = chosen, kept - {form}


def _smallest(choices: Choices, forms: set[str]) -> list[Choice] | None:
    """For every layer the kernel that adds the least of its own, among these forms; None when a layer has none."""
    chosen = []
    for layer in choices:
        allowed = [choice for choice in layer if len(layer) == 1 or _form(choice) in forms]
        if not allowed:
            return None
        chosen.append(min(allowed, key=lambda choice: (_own(choice), _cycles(choice))))
    return chosen


def _size_first(chosen: Sequence[Choice]) -> tuple[int, int]:
    found = price(chosen)
    return found.flash, found.cycles


def _form(choice: Choice) -> str:
    return "" if choice.work is None else choice.work.form


def _own(choice: Choice) -> int:
    """Bytes that a layer needs for itself."""
    own = 0 if choice.work is None else costs().forms[choice.work.form].own
    return own + choice.kernel.constant_bytes


def _flash(chosen: Sequence[Choice]) -> int:
    code: dict[str, int] = {}
    for choice in chosen:
        if choice.work is not None:
            code |= costs().forms[choice.work.form].code
    return sum(map(_own, chosen)) + sum(code.values())
