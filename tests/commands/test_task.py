"""A task is made from a dataclass and a function: invoke sees its options, and they are checked before the work."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.executor import Executor
from invoke.parser import Parser

from ecgseg import paths
from ecgseg.commands.rules import AppliesTo, Excludes, GoesWith, NotWith
from ecgseg.commands.task import Output, option, start, task_of
from ecgseg.errors import OutputError, UsageError

DONE: list[Any] = []


def expensive() -> int:
    """A default that is only known when the task starts."""
    return 7


@dataclass(frozen=True)
class Place:
    """A group of options that tasks share."""

    target: str = option("Where; default here.", default="here", known=lambda: ("here", "there"))
    out_dir: Path | None = option("Folder.", output=Output.FOLDER)
    json: Path | None = option("File.", output=Output.FILE)


@dataclass(frozen=True)
class Options(Place):
    """Options of every kind and with every rule."""

    count: int = option(
        "How many.", AppliesTo({"target": ("there",)}, why="Nothing is counted here."), default=expensive
    )
    everything: bool = option("All of it.", name="all", default=False)
    replay: str | None = option("Again.", NotWith(("count", "target"), why="It is known."))
    fresh: bool = option("Anew.", Excludes(("replay",), why="One or the other."), default=False)
    steps: int = option("With --all.", GoesWith(("everything",), why="Nothing is trained."), default=0)


def run(options: Options) -> int:
    """Do it.

    Raises:
        Nothing.
    """
    DONE.append(options)
    return options.count - 7


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    DONE.clear()


def execute(*words: str) -> None:
    """What invoke does with words behind its own name."""
    tasks = Collection(task_of(run))
    Executor(tasks).execute(*Parser(contexts=tasks.to_contexts()).parse_argv(list(words)))


def test_invoke_sees_the_name_the_kinds_and_the_explanations() -> None:
    (context,) = Collection(task_of(run)).to_contexts()
    assert context.name == "test-task"
    assert task_of(run).__doc__ == "Do it."
    flags = {name: (context.flags[name].kind, context.flags[name].help) for name in context.flags if name[:2] == "--"}
    assert flags == {
        "--count": (int, "How many."),
        "--all": (bool, "All of it."),
        "--replay": (str, "Again."),
        "--fresh": (bool, "Anew."),
        "--steps": (int, "With --all."),
        "--target": (str, "Where; default here."),
        "--out-dir": (str, "Folder."),
        "--json": (str, "File."),
    }
    assert [name for name in context.flags if len(name) == 2] == []


def test_what_is_typed_reaches_the_function_as_what_it_is(tmp_path: Path) -> None:
    execute("test-task", "--all", "--out-dir", "~", "--json", str(tmp_path / "new" / "a.json"), "--steps=5")
    assert [
        Options(everything=True, out_dir=Path.home(), json=tmp_path / "new" / "a.json", steps=5, count=7, target="here")
    ] == DONE
    assert not (tmp_path / "new").exists()


def test_the_exit_code_is_what_the_function_returns() -> None:
    with pytest.raises(SystemExit) as caught:
        execute("test-task", "--target", "there", "--count", "9")
    assert caught.value.code == 2


def test_an_error_is_told_in_three_parts(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        execute("test-task", "--count", "7")
    assert caught.value.code == 2
    assert DONE == []
    assert capsys.readouterr().err == (
        "Error: --count does not apply to target here.\n"
        "  Why: Nothing is counted here.\n"
        "  What to do: Leave out --count, or add --target there.\n"
    )


@pytest.mark.parametrize(
    ("typed", "what", "remedy"),
    [
        ({"target": "heere"}, "There is no target 'heere'. Did you mean 'here'?", "Correct the --target option."),
        (
            {"target": "heere", "count": 3},
            "There is no target 'heere'. Did you mean 'here'?",
            "Correct the --target option.",
        ),
        ({"replay": "x", "target": "here"}, "--replay does not go with --target.", "Leave out --replay or --target."),
        ({"fresh": True, "replay": "x"}, "--fresh and --replay exclude each other.", "Leave out --fresh or --replay."),
        ({"steps": 5}, "--steps goes with --all.", "Leave it out, or add --all."),
        ({"steps": 0}, "--steps goes with --all.", "Leave it out, or add --all."),
    ],
)
def test_options_that_do_not_go_together_are_refused(typed: dict[str, Any], what: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        start(run, **typed)
    assert (caught.value.what, caught.value.remedy) == (what, remedy)
    assert caught.value.why
    assert DONE == []


def test_all_that_a_mode_has_no_part_in_is_told_at_once() -> None:
    with pytest.raises(UsageError, match=r"^--replay does not go with --count, --target\."):
        start(run, replay="x", count=3, target="there")


@pytest.mark.parametrize(
    "typed", [{}, {"replay": ""}, {"replay": "", "fresh": True}, {"json": "", "out_dir": ""}, {"everything": None}]
)
def test_what_says_nothing_is_as_if_nothing_was_typed(typed: dict[str, Any]) -> None:
    assert start(run, **typed) == 0


@pytest.mark.parametrize("field", ["json", "out_dir"])
def test_a_place_for_results_is_tried_first(field: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        start(run, target="nowhere", **{field: str(file / "below")})
    assert DONE == []


def test_a_rule_that_names_no_option_of_the_task_is_passed_over() -> None:
    @dataclass(frozen=True)
    class Other:
        port: str | None = option("Port.", AppliesTo({"target": ("board",)}, why="No wire."))

    def other(options: Other) -> None:
        DONE.append(options)

    other.__annotations__["options"] = Other
    start(other, port="/dev/ttyACM0")
    assert len(DONE) == 1


def test_the_menu_needs_neither_numpy_nor_any_other_large_library() -> None:
    code = (
        "import sys, tasks\n"
        "large = {'numpy', 'tensorflow', 'scipy', 'matplotlib', 'jinja2', 'pydantic', 'serial', 'elftools', 'wfdb'}\n"
        "print(sorted(large & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
