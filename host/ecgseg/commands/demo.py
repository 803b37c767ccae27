"""`invoke demo`: a HIL test in QEMU over lead II of the test records, with its report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecgseg import paths
from ecgseg.commands import hil_perform
from ecgseg.commands.options import LudbOption
from ecgseg.commands.task import Output, option
from ecgseg.models import STREAMS


@dataclass(frozen=True)
class Options(LudbOption):
    """What `invoke demo` takes."""

    stream: bool = option(
        "Show whole records that go through a model of a stream, and the beats that come of them, in place of frames.",
        default=False,
    )
    picture: Path | None = option("Also draw a lead and its masks into this PNG file.", output=Output.FILE)


def run(options: Options) -> int:
    """See the whole chain: firmware in QEMU, 160 ECG frames, a report.

    Returns:
        0 only when every byte is equal; that of the signal that stopped it; 1 when a byte differs, whatever else went
        wrong; else that of the error that ended it.
    """
    from ecgseg.data.databases.ludb import parse_leads
    from ecgseg.hil.runner import HilOptions
    from ecgseg.targets.names import QEMU

    if options.stream:
        tested = HilOptions(QEMU, model=STREAMS[-1], leads=parse_leads("ii"), ludb=options.ludb)
        page = paths.REPORTS / "demo-stream.html"
        places = hil_perform.Places(html=page, picture=options.picture)
        return hil_perform.perform(tested, places, is_stream=True, task="demo")
    tested = HilOptions(QEMU, leads=parse_leads("ii"), ludb=options.ludb)
    places = hil_perform.Places(html=paths.REPORTS / "demo.html", picture=options.picture)
    return hil_perform.perform(tested, places, task="demo")
