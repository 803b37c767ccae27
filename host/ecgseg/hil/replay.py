"""The command that runs a kept vector again, where it differed and with what it differed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg.codegen.optimise import CYCLES
from ecgseg.targets import TargetOptions

if TYPE_CHECKING:
    from ecgseg.hil.runner import HilOptions


def replay_words(options: HilOptions) -> tuple[str, ...]:
    """What stands beside --replay so that the same thing runs: target, backend, line, and the board on the desk.

    The model is not among them: a vector names its own.
    """
    board, default = options.target_options, TargetOptions()
    words = ["--target", options.target]
    if options.backend != "aot":
        words += ["--backend", options.backend]
    if options.tflm_dir is not None:
        words += ["--tflm-dir", str(options.tflm_dir)]
    if options.optimise != CYCLES:
        words += ["--optimise", options.optimise]
    if board.port is not None:
        words += ["--port", board.port]
    if board.serial_number is not None:
        words += ["--serial", board.serial_number]
    if board.baud != default.baud:
        words += ["--baud", str(board.baud)]
    if options.inject is not None:
        # In one word each: a seed may be negative.
        words += [f"--inject={options.inject.text}", f"--seed={options.inject.seed}"]
    return tuple(words)


def replay_command(path: Path | str, words: tuple[str, ...]) -> str:
    """The command line as a shell takes it."""
    return shlex.join(("invoke", "hil-test", "--replay", str(path), *words))
