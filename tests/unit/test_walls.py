"""`make lint` refuses what the walls of the house are there for: each test breaks one wall in a copy of the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ecgseg.models import DEFAULT_MODEL
from support.drivers import HAS_ARM_COMPILER

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
COPIED = (
    ".clang-format",
    ".editorconfig",
    ".gitignore",
    "Makefile",
    "firmware",
    "host",
    "pyproject.toml",
    "tasks.py",
    "tests",
    "tools",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all code under git, with this interpreter's tools."""
    copy = tmp_path_factory.mktemp("house")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "vectors"))
        else:
            shutil.copy2(source, copy / name)
    model = copy / "models" / DEFAULT_MODEL / "model.tflite"
    model.parent.mkdir(parents=True)
    shutil.copy2(ROOT / model.relative_to(copy), model)
    (copy / ".venv").symlink_to(sys.prefix)
    subprocess.run(["git", "init", "--quiet", str(copy)], check=True)
    return copy


def lint(house: Path, step: str, path: Path | None = None) -> tuple[int, str]:
    """Exit code and output of one step of tools/lint.sh, with the programs of a folder before others."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    if path is not None:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["tools/lint.sh", step],
        cwd=house,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout


@contextmanager
def added(house: Path, name: str, text: str) -> Iterator[None]:
    """A file that is there for a while."""
    path = house / name
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def altered(house: Path, name: str, old: str, new: str) -> Iterator[None]:
    """A file in which something is different for a while."""
    path = house / name
    before = path.read_text(encoding="utf-8")
    assert before.count(old) == 1
    path.write_text(before.replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


@contextmanager
def without_sources(house: Path) -> Iterator[None]:
    """The C sources of the firmware are away for a while; its headers stay."""
    moved = [(path, path.with_suffix(".away")) for path in (house / "firmware").rglob("*.c")]
    for path, away in moved:
        path.rename(away)
    try:
        yield
    finally:
        for path, away in moved:
            away.rename(path)


def function_of(lines: int) -> str:
    """A Python function of that many lines."""
    return "def long(x: int) -> int:\n" + "    x += 1\n" * (lines - 2) + "    return x\n"


def function_with(paths: int) -> str:
    """A Python function with that many paths."""
    return "def forked(x: int) -> int:\n" + "    if x > 1:\n        x += 1\n" * (paths - 1) + "    return x\n"


FAULTS = {
    "import upward": (
        "layers",
        "host/ecgseg/graph/added.py",
        "from ecgseg.hil import judge\n",
        "ecgseg.graph.added -> ecgseg.hil.judge",
    ),
    "a measurement that prints": (
        "layers",
        "host/ecgseg/hil/added.py",
        "from ecgseg.terminal import console\n",
        "ecgseg.hil.added -> ecgseg.terminal",
    ),
    "a measurement that draws": (
        "layers",
        "host/ecgseg/scoring/added.py",
        "import matplotlib\n",
        "ecgseg.scoring.added -> matplotlib",
    ),
    "room without a place": ("layers", "host/ecgseg/added.py", "", "ecgseg.added"),
    "board in the engine": (
        "includes",
        "firmware/engine/added.c",
        '#include "board.h"\n',
        'engine/added.c: "board.h" belongs to boards',
    ),
    "unformatted C": ("clang-format", "firmware/engine/added.c", "int  x;\n", "firmware/engine/added.c:1"),
    "unformatted C++": ("clang-format", "tests/firmware/added.cc", "int x ;\n", "tests/firmware/added.cc:1"),
    "file of 401 lines": ("files", "tests/added.py", "x = 1\n" * 401, "tests/added.py:401: 401 lines"),
    "template of 401 lines": ("files", "host/ecgseg/added.c.j2", "\n" * 401, "host/ecgseg/added.c.j2:401: 401 lines"),
    "function of 51 lines": ("complexity", "tools/added.py", function_of(51), "tools/added.py:1: warning: long"),
    "function of 13 paths": ("complexity", "tests/added.py", function_with(13), "tests/added.py:1: warning: forked"),
    "13 paths for ruff": ("ruff", "host/ecgseg/added.py", function_with(13), "C901"),
    "line of 121 characters": ("files", "firmware/added.ld", "x" * 121 + "\n", "firmware/added.ld:1: 121 characters"),
    "spaces at the end": ("files", "firmware/added.def", "\nx \n", "firmware/added.def:2: spaces at the end"),
    "tab": ("files", "tools/added.toml", "\tx = 1\n", "tools/added.toml:1: a tab"),
    "carriage return": ("files", "host/added.md", "x\r\n", "host/added.md:1: a carriage return"),
    "no newline at the end": ("files", "host/unended.md", "x", "host/unended.md:1: no newline at the end"),
}


# What keeps just inside, of each the step, the file and its text.
INSIDE = (
    ("layers", "host/ecgseg/hil/inside.py", "from ecgseg.graph import layers\n"),
    ("clang-format", "firmware/engine/inside.c", "int x;\n"),
    ("files", "tests/inside.py", "x = 1\n" * 400),
    ("files", "host/inside.md", "x" * 500 + "\n"),
    ("complexity", "tools/inside.py", function_of(50) + "\n\n" + function_with(12)),
)


@pytest.mark.parametrize("step", sorted({step for step, *_ in FAULTS.values()}))
def test_lint_names_every_fault_and_leaves_alone_what_keeps_just_inside(house: Path, step: str) -> None:
    inside = [name for its, name, _ in INSIDE if its == step]
    with ExitStack() as stack:
        for its, name, text, *_ in (*FAULTS.values(), *INSIDE):
            if its == step:
                stack.enter_context(added(house, name, text))
        code, output = lint(house, step)
    assert code == 1
    for fault, (its, _, _, said) in FAULTS.items():
        assert its != step or said in output, fault
    assert not any(Path(name).stem in output for name in inside)
    assert output.endswith(f"Not clean: {step}\n")


# Of each the rule that it breaks, where it stands and what.
MISRA_FAULTS = {
    "15.1": ("firmware/link/added.c", "int f(int x)\n{\nback:\n    goto back;\n}\n"),
    "17.7": (
        "firmware/engine/added.c",
        "#include <string.h>\nvoid f(char *a, const char *b)\n{\n    memcpy(a, b, 2);\n}\n",
    ),
    "7.1": ("firmware/pipeline/added.c", "const int mode = 0644;\n"),
    "16.4": (
        "firmware/programs/app/added.c",
        "int f(int x)\n{\n    switch (x) {\n    case 1:\n        break;\n    }\n    return x;\n}\n",
    ),
    # Headers that a model is rendered with are there, lest what includes them is passed over.
    "17.2": (
        "firmware/pipeline/behind.c",
        '#include "ecgseg_preprocess.h"\nint g(int x);\nint g(int x)\n{\n    return g(x);\n}\n',
    ),
}


def test_lint_names_every_fault_of_misra(house: Path) -> None:
    # `make lint` goes through the sources themselves, which takes a minute.
    with without_sources(house), ExitStack() as stack:
        for name, text in MISRA_FAULTS.values():
            stack.enter_context(added(house, name, text))
        code, output = lint(house, "misra")
    assert code == 1
    for rule, (name, _) in MISRA_FAULTS.items():
        assert any(name in line and f"[misra-c2012-{rule}]" in line for line in output.splitlines()), rule
    assert output.endswith("Not clean: misra\n")


def test_lint_refuses_a_cppcheck_that_finds_nothing_where_a_fault_is(house: Path, tmp_path: Path) -> None:
    blind = tmp_path / "cppcheck"
    blind.write_text("#!/bin/sh\necho Cppcheck 9.9\n", encoding="ascii")
    blind.chmod(0o755)
    code, output = lint(house, "misra", path=tmp_path)
    assert code == 1
    assert "Cppcheck 9.9 finds no fault" in output


MAIN = "int main(void)\n{"
# What main() of the application opens with, and what is said of it.
C_FAULTS = {
    "takes too much stack": (
        "stack",
        f"{MAIN} volatile char deep[20000]; if (deep[board_ticks()]) {{ board_idle(); }}",
        "Too deep: board_reset",
    ),
    "calls itself": (
        "stack",
        f"int main(void);\n__attribute__((noinline)) static void again(void)\n"
        f"{{ if (board_ticks()) {{ (void)main(); }} }}\n{MAIN} again(); app_step();",
        "Recursion: main -> again -> main",
    ),
    "hides whom it calls": (
        "stack",
        f"{MAIN} static void (*volatile start)(void) = app_init; start();",
        "main calls through a pointer that POINTERS does not declare",
    ),
    "has a heap": (
        "symbols",
        f"#include <stdlib.h>\nvoid *_sbrk(int by);\nvoid *_sbrk(int by) {{ static char area[8]; return area + by; }}\n"
        f"{MAIN} if (malloc(board_ticks()) == 0) {{ board_idle(); }}",
        "malloc (heap)",
    ),
    "reads numbers from text": (
        "symbols",
        f"#include <stdlib.h>\n{MAIN} if (atoi((const char *)board_info()) == 0) {{ board_idle(); }}",
        "atoi (numbers from text)",
    ),
    "uses a null pointer on one of two ways": (
        "analyzer",
        f"{MAIN} int *at = 0; if (board_ticks() != 0u) {{ static int one; at = &one; }} *at = 2;",
        "dereference of NULL",
    ),
}


@pytest.mark.skipif(not HAS_ARM_COMPILER, reason="no arm-none-eabi-gcc")
@pytest.mark.parametrize("fault", C_FAULTS)
def test_lint_refuses_a_program_that(house: Path, fault: str) -> None:
    step, added_code, said = C_FAULTS[fault]
    with altered(house, "firmware/programs/app/main.c", MAIN, added_code):
        code, output = lint(house, step)
    assert said in output
    assert code == 1
    assert output.endswith(f"Not clean: {step}\n")


def test_lint_tells_a_step_that_is_not_there_which_there_are(house: Path) -> None:
    code, output = lint(house, "style")
    assert code == 2
    assert "There is no step style" in output
    assert "clang-format" in output
