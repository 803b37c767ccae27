"""`invoke fuzz`: made-up bytes for whatever reads bytes."""

from __future__ import annotations

import math
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg.commands.rules import NotWith
from ecgseg.commands.task import option
from ecgseg.errors import UsageError
from ecgseg.files import is_file
from ecgseg.terminal import console, data, data_lines, progress

if TYPE_CHECKING:
    from ecgseg.fuzz.kinds import Kind
    from ecgseg.fuzz.run import FuzzResult

EXIT_FOUND = 1
_DAY = 24 * 60.0


def _kinds() -> Collection[str]:
    from ecgseg.fuzz.kinds import KINDS

    return KINDS


@dataclass(frozen=True)
class Options:
    """What `invoke fuzz` takes."""

    what: str | None = option(
        "What to feed: device, client, tflite, npz, wfdb, recording, archive or config; default each in turn.",
        known=_kinds,
        noun="kind of input",
    )
    minutes: str = option("How long for each of --what, such as 0.5; default 1.", default="1")
    seed: int | None = option("Seed of the random numbers, at least 1; default another one every time.")
    input: Path | None = option(
        "Run this one input of --what again and show what becomes of it.",
        NotWith(("minutes", "seed"), why="One input is run once."),
    )


def run(options: Options) -> int:
    """Feed made-up bytes to device and readers; whatever ends in neither answer nor error is kept.

    Returns:
        0 when nothing was found, else 1.
    """
    from ecgseg.fuzz.kinds import KINDS

    if options.input is not None:
        return _run_again(options.what, options.input)
    minutes, seed = _minutes(options.minutes), _seed(options.seed)
    kinds = [KINDS[options.what]] if options.what else list(KINDS.values())
    results = [_fuzz(kind, minutes, seed) for kind in kinds]
    return EXIT_FOUND if any(result.findings for result in results) else 0


def _fuzz(kind: Kind, minutes: float, seed: int) -> FuzzResult:
    from ecgseg.fuzz.run import again, fuzz

    with progress() as bars:
        bar = bars.add_task(kind.name, total=round(minutes * 60))

        def show(seconds: float, executions: int, findings: int) -> None:
            text = f"{kind.name}: {executions:,} inputs, {findings} findings"
            bars.update(bar, completed=round(seconds), description=text)

        result = fuzz(kind, minutes * 60, seed, show)
    colour = "red" if result.findings else "green"
    console.print(
        f"[{colour}]{kind.name}[/{colour}]: {kind.purpose}, {result.executions:,} inputs in {result.seconds:.0f} s, "
        f"{len(result.findings)} findings (seed {seed})."
    )
    for path in result.findings:
        console.print(f"  {data(path)}\n  again: {data(again(kind.name, path))}", highlight=False, soft_wrap=True)
    return result


def _run_again(what: str | None, path: Path) -> int:
    from ecgseg.fuzz.kinds import KINDS
    from ecgseg.fuzz.run import run_again

    if what is None:
        raise UsageError("--input says not what reads it.", "Each --what has inputs of its own.", "Add --what.")
    if not is_file(path):
        raise UsageError(f"There is no file '{path}'.", "An input is one.", "Name one that `invoke fuzz` kept.")
    good, said = run_again(KINDS[what], path)
    if good:
        console.print(f"[green]{what}[/green]: the input ends as it should.")
        return 0
    console.print(data_lines(said), highlight=False, soft_wrap=True)
    return EXIT_FOUND


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 < minutes <= _DAY:
        raise UsageError(f"--minutes {text} is no time.", f"It is a number above 0, at most {_DAY:.0f}.", "Correct it.")
    return minutes


def _seed(typed: int | None) -> int:
    seed = secrets.randbelow(1 << 31) + 1 if typed is None else typed
    if not 1 <= seed < 1 << 32:
        raise UsageError(f"--seed {seed} is no seed.", "It is a number from 1 to 4294967295.", "Correct it.")
    return seed
