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
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from ecgseg.terminal import data
from ecgseg.zoo.configuration import TEACHER

Step = Annotated[int, Field(ge=0)]
_LONGEST = 200


class Report(BaseModel):
    """Where a training is.

    Attributes:
        name: of what is trained: the model, or its teacher.
        step: steps done.
        steps: of the schedule.
        loss, weighted_f1: what a look at the validation patients showed; None between two looks.
    """

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(max_length=_LONGEST)]
    step: Step
    steps: Step
    loss: float | None = None
    weighted_f1: float | None = None

    @property
    def score(self) -> str:
        """What the look showed, for people; empty between two looks."""
        return "" if self.weighted_f1 is None else f"validation F1 {100 * self.weighted_f1:.2f} %"

    @property
    def note(self) -> str:
        """The same with the training's loss."""
        return self.score if self.loss is None or not self.score else f"loss {self.loss:.4f}, {self.score}"


Tell = Callable[[Report], None]


def bars(console: Console, *, many: bool = False) -> Progress:
    """Bars with count, time and what was last seen.

    Args:
        console: where they are shown.
        many: of trainings with long names: those are wrapped where the terminal is narrow, numbers never.
    """
    whole = Column(no_wrap=True)
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", table_column=Column(no_wrap=not many)),
        BarColumn(bar_width=10 if many else 40),
        MofNCompleteColumn(table_column=whole),
        *([] if many else [TimeElapsedColumn(table_column=whole)]),
        TimeRemainingColumn(table_column=whole),
        TextColumn("{task.fields[note]}"),
    ]
    return Progress(*columns, console=console)


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
            name = self._label if report.name != TEACHER else f"{self._label}, {TEACHER}"
        key = self._label or name
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(data(name), total=report.steps, note="")
        task = self._tasks[key]
        self._progress.update(task, description=data(name), total=report.steps, completed=report.step)
        if report.note:
            # Many bars leave room for the figure that they are compared by.
            self._progress.update(task, note=report.score if self._label else report.note)
        if report.note and not self._progress.console.is_terminal:
            self._progress.console.print(data(f"{name} step {report.step}: {report.note}"), soft_wrap=True)
