"""A soak that kills itself, as `kill -9` does: python killed_soak.py MOMENT NUMBER [--resume]

MOMENT is "window" (as soon as a window is kept), "line" (half of a window's line is written), "frame" (in the middle of
a lead), "result" (before the result is written) or "never"; NUMBER is which of them.
"""

from __future__ import annotations

import sys

from killed import half_a_line, kill, killing

from ecgseg.commands.hil_perform import Places
from ecgseg.commands.soak_perform import perform_soak
from ecgseg.hil import judge
from ecgseg.hil.runner import HilOptions
from ecgseg.hil.soak.journal import SoakJournal
from ecgseg.hil.soak.ready import SoakOptions
from ecgseg.runs import folder

OPTIONS = SoakOptions(
    HilOptions("host", model="seg-2-tcn-sm", records=(1, 2), leads=("ii", "v1")),
    hours=None,
    frames=240,
    window=5,
    faulty=50,
    restarts=2000,
    seed=3,
)


def main(moment: str, number: int, resume: bool) -> int:
    if moment == "window":
        killing(SoakJournal, "keep", number, lambda *_, **__: None, after=True)
    elif moment == "line":
        killing(SoakJournal, "keep", number, half_a_line)
    elif moment == "frame":
        killing(judge, "compare_frame", number, lambda *_, **__: kill())
    elif moment == "result":
        killing(folder.RunFolder, "end_soak", number, lambda *_, **__: kill())
    return perform_soak(OPTIONS, Places(), resume=resume)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), "--resume" in sys.argv))
