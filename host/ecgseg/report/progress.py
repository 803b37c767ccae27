"""How far a HIL test is, as a bar on the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ecgseg.errors import OutputError
from ecgseg.hil.rig.jobs import STEPS
from ecgseg.hil.runner import OnStep, Step
from ecgseg.output import write_text
from ecgseg.terminal import progress


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
