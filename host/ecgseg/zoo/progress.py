"""How far a training is: what it reports of itself, and the bars that show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ecgseg.terminal import data

Step = Annotated[int, Field(ge=0)]
_LONGEST = 200


class Report(BaseModel):
    """Where a training is.

    Attributes:
        name: of what is trained: the model, or its teacher.
        step: steps done.
        steps: of the schedule.
        note: what a look at the validation patients showed; empty between two looks.
    """

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(max_length=_LONGEST)]
    step: Step
    steps: Step
    note: Annotated[str, Field(max_length=_LONGEST)] = ""


Tell = Callable[[Report], None]


def bars(console: Console) -> Progress:
    """Bars with count, time and what was last seen."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )


class Shown:
    """Shows the reports of one training; where there is no terminal each look is a line.

    Args:
        progress: holds the bars.
        label: names the training, which then has one bar, whatever it trains first; else each name has its own.
    """

    def __init__(self, progress: Progress, label: str = "") -> None:
        self._progress = progress
        self._label = label
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, report: Report) -> None:
        """Shows a report."""
        name = report.name
        if self._label:
            name = self._label if report.name != "teacher" else f"{self._label}, teacher"
        key = self._label or name
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(data(name), total=report.steps, note="")
        task = self._tasks[key]
        self._progress.update(task, description=data(name), total=report.steps, completed=report.step)
        if report.note:
            self._progress.update(task, note=data(report.note))
        if report.note and not self._progress.console.is_terminal:
            self._progress.console.print(data(f"{name} step {report.step}: {report.note}"), soft_wrap=True)
