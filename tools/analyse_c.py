"""What gcc -fanalyzer finds in the portable C: engine, pipeline, link, the application and a rendered model.

    python tools/analyse_c.py

Compiles natively, with the flags of every image but without sanitizers, whose checks the analyzer would follow too.
Every warning is an error; the exit code is 1 when there is one.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "host"))

from ecgseg import paths
from ecgseg.errors import EcgsegError
from ecgseg.image.backends import generate
from ecgseg.image.boards import COMMON_FLAGS, HOST, board_of
from ecgseg.image.objects import Plan, plan_of
from ecgseg.image.programs import APP
from ecgseg.image.toolchain import run_tool
from ecgseg.models import find_model

_JOBS = 2


def analyse(plan: Plan, source: Path) -> str:
    """What the analyzer says of a source, empty when it finds nothing."""
    includes = [f"-I{folder}" for folder in plan.include_dirs]
    flags = [*COMMON_FLAGS, "-fanalyzer", '-DECGSEG_BUILD_ID="analysed"', *includes]
    try:
        name = source.relative_to(paths.ROOT) if source.is_relative_to(paths.ROOT) else source
        run_tool([plan.compiler, *flags, "-S", str(source), "-o", "/dev/null"], f"{name}:", "Correct it.")
    except EcgsegError as error:
        return str(error)
    return ""


def main() -> int:
    try:
        plan = plan_of(APP, board_of(HOST), generate(find_model()), (), None)
        sources = [source for source in plan.sources if source.parent not in plan.board.folders]
        # What an image with a stream leaves out belongs to one without.
        app = next(source.parent for source in sources if source.name == "app.c")
        sources += [app / name for name in APP.without_stream]
        with ThreadPoolExecutor(max_workers=_JOBS) as pool:
            found = [said for said in pool.map(partial(analyse, plan), sources) if said]
    except EcgsegError as error:
        print(error)
        return 1
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
