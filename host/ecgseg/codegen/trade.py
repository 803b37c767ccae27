"""Flash against cycles: what a model costs with its kernels chosen by the one or by the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ecgseg.codegen.kernels import Choice, choices_of
from ecgseg.codegen.optimise import PICKS, Pick, price
from ecgseg.codegen.program import compile_network
from ecgseg.graph.layers import Alias
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower


@dataclass(frozen=True)
class Setting:
    """A model under one value of --optimise.

    Attributes:
        name: the value.
        cycles: of the convolutions that the table of costs knows, as it expects them.
        flash: bytes of their constants and code, code that several need counted once.
        arena_bytes: of RAM.
        forms: how many layers each form of a kernel computes.
    """

    name: str
    cycles: int
    flash: int
    arena_bytes: int
    forms: dict[str, int]


def settings(tflite: Path | bytes, name: str | None = None) -> list[Setting]:
    """What a model costs under every setting, from the table of costs: nothing is compiled.

    Raises:
        GraphError: the model cannot be rendered.
    """
    network = lower(load_tflite(tflite, name))
    choices = [choices_of(layer) for layer in network.layers if not isinstance(layer, Alias)]
    found = []
    for setting, pick in PICKS.items():
        chosen = pick(choices)
        cost = price(chosen)
        program = compile_network(network, pick=_already(chosen))
        forms = Counter(choice.work.form for choice in chosen if choice.work is not None)
        found.append(Setting(setting, cost.cycles, cost.flash, program.memory.size, dict(sorted(forms.items()))))
    return found


def _already(chosen: list[Choice]) -> Pick:
    """The kernels that were picked before."""
    return lambda _: chosen
