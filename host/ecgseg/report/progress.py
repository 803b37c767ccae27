"""How far a HIL test or a soak is, as a bar on the terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rich.progress import TextColumn

from ecgseg.errors import OutputError
from ecgseg.hil.rig.jobs import STEPS
from ecgseg.hil.runner import OnStep, Step
from ecgseg.hil.soak.session import OnSoakStep, SoakStep
from ecgseg.output import write_text
from ecgseg.terminal import messages, progress

_LINE_SECONDS = 60.0
_HOUR = 3600


@contextmanager
def hil_bar(target: str) -> Iterator[OnStep]:
    """A bar that appears with the first step it is told and stays when the context ends; red as soon as a byte differs.

    Args:
        target: name of the target, in front of the bar.
    """
    name = f"HIL {target}"
    with ExitStack() as shown:
        bar = progress()
        task = bar.add_task(name, total=None, start=False)

        def on_step(step: Step) -> None:
            if not bar.live.is_started:
                # Not before: until the device is ready others may still write to the terminal.
                shown.enter_context(bar)
                bar.start_task(task)
            description = name if step.equal else f"{name} [red]differs"
            bar.update(task, completed=step.done, total=step.total, description=description)
            _tell_the_rig(step)

        yield on_step


def _tell_the_rig(step: Step) -> None:
    """Writes how far the test is to where the rig that it belongs to looks."""
    named = os.environ.get(STEPS)
    if named:
        with suppress(OutputError):
            write_text(Path(named), f"{step.done} {step.total} {int(step.equal)}\n")


@contextmanager
def soak_bar(target: str) -> Iterator[OnSoakStep]:
    """The same of a soak; where nobody watches, a line a minute.

    Args:
        target: name of the target, in front of the bar.
    """
    told = time.monotonic()
    with ExitStack() as shown:
        bar = progress(TextColumn("{task.percentage:.0f} %"))
        task = bar.add_task(f"Soak {target}", total=1.0, start=False)

        def on_step(step: SoakStep) -> None:
            nonlocal told
            if messages.is_terminal:
                if not bar.live.is_started:
                    shown.enter_context(bar)
                    bar.start_task(task)
                bar.update(task, completed=_share(step), description=_in_the_bar(target, step))
            elif time.monotonic() - told >= _LINE_SECONDS:
                told = time.monotonic()
                messages.print(f"Soak {target}: {_so_far(step)}", highlight=False, soft_wrap=True)

        yield on_step


def _share(step: SoakStep) -> float:
    """How much of it is done, by whatever ends it first."""
    by_frames = step.counts.frames / step.frames if step.frames else 0.0
    by_hours = step.counts.seconds / (_HOUR * step.hours) if step.hours else 0.0
    return min(max(by_frames, by_hours), 1.0)


def _in_the_bar(target: str, step: SoakStep) -> str:
    """What fits beside a bar and its times into 80 columns."""
    frames = f"Soak {target}: {step.counts.frames:,} frames"
    return frames if step.equal else f"{frames} [red]differs"


def _so_far(step: SoakStep) -> str:
    counts = step.counts
    restarts = counts.restarts + counts.power_cycles
    said = f"{counts.frames:,} frames, {restarts:,} restarts, {counts.faults:,} faults, {counts.retries:,} retries"
    return said if step.equal else f"{said}, differs"
