"""The command printed after a FAIL runs the same thing: where it differed, with what it differed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.parser import Parser

from ecgseg.commands import hil_test
from ecgseg.commands.task import options_of, start, task_of
from ecgseg.hil.inject import parse_faults
from ecgseg.hil.replay import replay_command, replay_words
from ecgseg.hil.runner import HilOptions
from ecgseg.targets import TargetOptions


@pytest.mark.parametrize(
    ("tested", "wanted"),
    [
        (HilOptions("host"), {"target": "host", "backend": "aot", "port": None}),
        (HilOptions("apollo4p-sim"), {"target": "apollo4p-sim", "port": None, "baud": 115200}),
        (
            HilOptions("qemu", backend="tflm", tflm_dir=Path("/a b/tflm")),
            {"target": "qemu", "backend": "tflm", "tflm_dir": Path("/a b/tflm")},
        ),
        (
            HilOptions("apollo4p", target_options=TargetOptions(port="/dev/tty;x", baud=9600, serial_number="0012")),
            {"target": "apollo4p", "port": "/dev/tty;x", "baud": 9600, "serial": "0012"},
        ),
        (
            HilOptions("host", inject=parse_faults("drop=1e-3, cut=60s", 7)),
            {"target": "host", "inject": "drop=1e-3, cut=60s", "seed": 7},
        ),
        (HilOptions("qemu", inject=parse_faults("flip=1e-2", -3)), {"inject": "flip=1e-2", "seed": -3}),
    ],
    ids=["host", "simulator", "backend", "board", "faults", "other faults"],
)
def test_the_replay_command_names_everything_that_it_ran_with(tested: HilOptions, wanted: dict[str, object]) -> None:
    program, *words = shlex.split(replay_command("build/it's here.npz", replay_words(tested)))
    assert program == "invoke"
    (parsed,) = Parser(contexts=Collection(task_of(hil_test.run)).to_contexts()).parse_argv(words)
    reached = []

    def work(options: Any) -> None:
        reached.append(options)

    work.__annotations__["options"] = options_of(hil_test.run)
    start(work, **parsed.as_kwargs)
    (options,) = reached
    assert options.replay == Path("build/it's here.npz")
    assert {name: getattr(options, name) for name in wanted} == wanted
