"""A HIL test that kills itself, as `kill -9` does: python killed.py MOMENT NUMBER MODEL [--resume]

MOMENT is "lead" (as soon as a lead is kept), "line" (half of a lead's line is written), "frame" (in the middle of a
lead), "result" (before the result is written) or "never"; NUMBER is which of them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from ecgseg.commands import hil_perform
from ecgseg.hil import journal, judge
from ecgseg.hil.runner import HilOptions
from ecgseg.hil.stream_runner import is_stream
from ecgseg.link.parts import Parts
from ecgseg.models import find_model
from ecgseg.runs import folder


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killing(owner: Any, name: str, number: int, dying: Callable[..., None], *, after: bool = False) -> None:
    """Makes a function the last one of this process when it is called for that time."""
    original, calls = getattr(owner, name), []

    def patched(*words: Any, **named: Any) -> Any:
        calls.append(1)
        last = len(calls) == number
        if last and not after:
            dying(*words, **named)
        found = original(*words, **named)
        if last:
            kill()
        return found

    setattr(owner, name, patched)


def half_a_line(kept: journal.Journal, *_: object, **__: object) -> None:
    assert kept._file is not None
    kept._file.seek(kept._whole)
    kept._file.write(b'{"index":1,"dig')
    kept._file.flush()
    kill()


def main(moment: str, number: int, model: str, resume: bool) -> int:
    owner, name = (Parts, "feed") if model.startswith("stream") else (judge, "compare_frame")
    if moment == "lead":
        killing(journal.Journal, "keep", number, lambda *_, **__: None, after=True)
    elif moment == "line":
        killing(journal.Journal, "keep", number, half_a_line)
    elif moment == "frame":
        killing(owner, name, number, lambda *_, **__: kill())
    elif moment == "result":
        killing(folder.RunFolder, "end", number, lambda *_, **__: kill())
    tested = HilOptions("host", model=model, records=(1, 2), leads=("ii", "v1", "v5"))
    return hil_perform.perform(tested, is_stream=is_stream(find_model(model)), resume=resume)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], "--resume" in sys.argv))
