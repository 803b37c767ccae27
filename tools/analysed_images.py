"""The images that tools of `make lint` look at: the application with every model of the zoo, for both Arm boards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "host"))

from ecgseg import paths
from ecgseg.image.backends import generate
from ecgseg.image.boards import APOLLO4P_EVB, MPS2_AN386, board_of
from ecgseg.image.build import build
from ecgseg.image.objects import STACK_USAGE_FLAG, Plan, compile_all, plan_of
from ecgseg.image.programs import APP, STREAM_APP
from ecgseg.models import find_model, model_names, stream_names

BOARDS = (MPS2_AN386, APOLLO4P_EVB)


@dataclass(frozen=True)
class Analysed:
    """An image and what it was made from.

    Attributes:
        board, model: names.
        plan: how it was compiled.
        elf: the linked program.
        objects: it was linked from, with the compiler's stack usage beside each.
    """

    board: str
    model: str
    plan: Plan
    elf: Path
    objects: tuple[Path, ...]

    def __str__(self) -> str:
        return f"{self.board}, {self.model}"


def analysed_images() -> Iterator[Analysed]:
    """Builds them below build/lint. Raises EcgsegError when one does not build."""
    streams = stream_names()
    for model in map(find_model, (*model_names(), *streams)):
        generated = generate(model)
        program = STREAM_APP if model.name in streams else APP
        for board in BOARDS:
            flags = (STACK_USAGE_FLAG,)
            out = paths.BUILD / "lint" / "images" / board / model.name
            image = build(board, generated, program=program, out_dir=out, extra_flags=flags)
            plan = plan_of(program, board_of(board), generated, flags, None)
            yield Analysed(board, model.name, plan, image.elf, tuple(compile_all(plan, image.build_id)))
