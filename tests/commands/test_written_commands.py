"""Every command line that README, documents, cards and tools tell the reader to type is accepted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.loader import FilesystemLoader
from invoke.parser import Parser

from ecgseg import paths
from ecgseg.commands.task import options_of, start, task_of
from ecgseg.models import DEFAULT_MODEL

PLACES = ("README.md", "CHANGELOG.md", "Makefile", "docs/*.md", "models/*/README.md", "tools/*")
# A task's name, the files or runs that some want behind it, options.
COMMAND = re.compile(
    r"invoke +((?:[a-z]+-?[a-z]*)(?: +(?:FILE|BEFORE|AFTER|[.\w-]+/[.\w/-]+)){0,2}"
    r"(?: +--?[a-z][\w-]*(?:[ =](?!--)[\w./<>$\"-][\w./,<>$\"-]*)?)*)"
)
PLACEHOLDERS = {
    "MODEL": DEFAULT_MODEL,
    "--model <name>": f"--model {DEFAULT_MODEL}",
    "<name>": "qemu",
    # What the reader has trained a line before.
    "--model build/ward/ward-model": f"--model {DEFAULT_MODEL}",
    '"$board"': "host",
}
MENU, _ = FilesystemLoader(start=str(paths.ROOT)).load("tasks")
RUNS = {task_of(module.run).name: module.run for module in MENU.TASKS}


def written() -> list[str]:
    """Command lines, with something in the place of placeholders; an option that prose names alone is left out."""
    found = set()
    for path in (path for pattern in PLACES for path in paths.ROOT.glob(pattern) if path.is_file()):
        text = path.read_text(encoding="utf-8")
        for placeholder, value in PLACEHOLDERS.items():
            text = text.replace(placeholder, value)
        for line in COMMAND.findall(text):
            task, *options = line.split()
            if task in RUNS:
                found.add(re.sub(r" (--replay|--baud|--model)$", "", " ".join((task, *options))))
    return sorted(found)


def test_the_documents_name_most_tasks() -> None:
    assert {line.split()[0] for line in written()} >= set(RUNS) - {"clean"}
    assert len(written()) > 40


@pytest.mark.parametrize("line", written())
def test_a_written_command_line_is_accepted(line: str) -> None:
    contexts = Collection(*(task_of(run) for run in RUNS.values())).to_contexts()
    (parsed,) = Parser(contexts=contexts).parse_argv(line.split())
    run, reached = RUNS[str(parsed.name)], []

    def work(options: Any) -> None:
        reached.append(options)

    work.__annotations__["options"] = options_of(run)
    fields = {field.keyword: field.field for field in task_of(run).fields}  # type: ignore[attr-defined]
    start(work, **{fields[name]: value for name, value in parsed.as_kwargs.items()})
    assert len(reached) == 1
