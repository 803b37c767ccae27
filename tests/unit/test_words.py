"""What a user reads is made for a user: no number of an error, no name of an exception, no words of Python."""

from __future__ import annotations

import ast
import errno
import json
from collections.abc import Iterator

import pytest
import serial

from ecgseg import paths
from ecgseg.errors import ContentError, cause

PACKAGE = paths.ROOT / "host" / "ecgseg"
# Where the text of an exception is told as it is, and why.
ALLOWED = {
    "commands/command_line.py": "invoke's parser speaks to users",
    "commands/hil_perform.py": "a mistake of this program, for who mends it",
    "files.py": "what tomllib says names line and column",
    "hil/judge.py": "a mistake of this program, for who mends it; else an error of this program's own",
    "hil/stream_judge.py": "a mistake of this program, for who mends it",
    "hil/stream_scores.py": "a mistake of this program, for who mends it",
    "report/stream_html.py": "a mistake of this program, for who mends it",
    "hil/vectors.py": "the name that is missing",
    "zoo/checkpoints.py": "the name that is missing",
    "profile/ways.py": "an exception of this program's own",
    "report/drawing.py": "matplotlib's words, as such",
    "report/html.py": "a mistake of this program, for who mends it",
    "targets/apollo4p_sim/__main__.py": "an exception of this program's own",
}


def told(tree: ast.AST) -> Iterator[int]:
    """Lines that make text of an exception that was caught, other than by `cause`."""
    for handler in ast.walk(tree):
        if isinstance(handler, ast.ExceptHandler) and handler.name:
            for node in ast.walk(handler):
                if isinstance(node, ast.expr) and _tells(node, handler.name):
                    yield node.lineno


def _tells(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.FormattedValue):
        return isinstance(node.value, ast.Name) and node.value.id == name
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("str", "repr", "plain", "printable"):
        return any(isinstance(argument, ast.Name) and argument.id == name for argument in node.args)
    return isinstance(node, ast.Attribute) and node.attr == "__name__" and ast.unparse(node.value) == f"type({name})"


def handling(statement: str) -> ast.AST:
    return ast.parse(f"try:\n    pass\nexcept OSError as error:\n    {statement}\n")


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("raise E('x', str(error), 'y') from error", 1),
        ("raise E(f'x: {error}') from error", 1),
        ("raise E(f'{type(error).__name__}')", 1),
        ("raise E('x', plain(error))", 1),
        ("raise E('x', cause(error, 'y')) from error", 0),
        ("raise E(error.what, error.strerror)", 0),
        ("raise E(f'{path}: {cause(error, 0)}')", 0),
    ],
)
def test_a_text_of_an_exception_is_seen(statement: str, count: int) -> None:
    assert len(list(told(handling(statement)))) == count


def test_no_error_tells_what_python_says() -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(told(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == set(ALLOWED), "tell it by ecgseg.errors.cause"


def _of_json() -> Exception:
    try:
        json.loads("{")
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/a/b"), "No such file or directory."),
        (OSError(errno.EINVAL, "It is a pipe, not a file"), "It is a pipe, not a file."),
        (OSError(errno.EIO, ""), "Input/output error."),
        (OSError("cannot do that"), "Otherwise."),
        (serial.SerialException(errno.EACCES, "could not open: [Errno 13] Permission denied"), "Permission denied."),
        (serial.SerialException("device disconnected?"), "Otherwise."),
        (ContentError("its rate is none"), "Its rate is none."),
        (MemoryError(), "There is not enough memory for it."),
        (ValueError("invalid literal for int() with base 10: 'x'"), "Otherwise."),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "Otherwise."),
        (_of_json(), "Otherwise."),
        (KeyError("x"), "Otherwise."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_cause_is_a_sentence_of_the_system_or_of_this_program(error: Exception, said: str) -> None:
    assert cause(error, "Otherwise.") == said
