"""Reads the command line before invoke does, because of what invoke says when it cannot.

`invoke` ends a mistyped task or option with a line of its own and exit code 1, which is a verdict here, and a word
where a number belongs with a traceback. It has no place to put another answer, but it imports tasks.py before it reads
the tasks. So tasks.py lets invoke's own parser read the same words once more, here, with the same tasks.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy

from invoke.collection import Collection
from invoke.exceptions import ParseError
from invoke.parser.context import ParserContext
from invoke.parser.parser import Parser, ParseResult
from invoke.program import Program

from ecgseg.beginning import is_invoke
from ecgseg.choices import did_you_mean
from ecgseg.errors import UsageError

# How invoke tells that the last word of a line is an option that takes a value.
_VALUELESS = re.compile(r"<Argument: ([\w-]+)[^>]*> needed value")
# How it tells that a word is missing which has no flag.
_NAMELESS = re.compile(r"required positional arguments: '\w+'")
_HELP = ("--help", "-h")


def check_command_line(tasks: Collection, words: Sequence[str]) -> None:
    """Refuses what invoke would not understand; does nothing when another program than invoke was started.

    Args:
        tasks: what can be called.
        words: as in sys.argv, the program first.

    Raises:
        UsageError: unknown task or option, or an option without its value or with one that is no number.
    """
    if not is_invoke(words):
        return
    # Asking a task for its options takes the explanations out of it; invoke wants them for --help.
    known = _with_numbers_named(deepcopy(tasks).to_contexts())
    initial = Program().initial_context
    # Two passes, as invoke does it: first its own options, which may take a task's name as their value.
    core = _parse(Parser(initial=initial, ignore_unknown=True), words[1:])
    asked = core[0].args["help"].value
    if isinstance(asked, str) and asked not in Parser(contexts=known).contexts:
        raise _no_task(asked, known)
    result = _parse(Parser(contexts=known, initial=initial, ignore_unknown=True), core.unparsed, tasks)
    for context in result:
        _check_nameless(context, known, tasks)
    if result.unparsed:
        raise _unknown(result.unparsed[0], result[-1], known)


def as_typed(words: Sequence[str]) -> str:
    """The command line as a shell takes it again; "" when another program than invoke was started.

    Args:
        words: as in sys.argv, the program first.
    """
    return shlex.join(("invoke", *words[1:])) if is_invoke(words) else ""


def _check_nameless(context: ParserContext, known: Iterable[ParserContext], tasks: Collection) -> None:
    """Sees to options that stand where a word without a flag belongs: invoke takes whatever stands there.

    Raises:
        UsageError: it is no option of the task.
        SystemExit: it asks for help, which was printed.
    """
    for argument in context.positional_args:
        _explain_instead(context, tasks)
        word = str(argument.value)
        if word.startswith("-"):
            raise _unknown(word, context, known)


def _explain_instead(context: ParserContext, tasks: Collection) -> None:
    """Prints the help where it is asked for in the place of a word without a flag, and leaves with SystemExit."""
    if any(argument.value in _HELP for argument in context.positional_args):
        # Its own parser takes the same words as an answer.
        Program(namespace=tasks).run(["invoke", "--help", str(context.name)], exit=False)
        raise SystemExit(0)


def _with_numbers_named(contexts: list[ParserContext]) -> list[ParserContext]:
    """The contexts; where one of their options takes a number and gets another word, the error names the option."""
    for context in contexts:
        for argument in context.args.values():
            if argument.kind is int:
                argument.kind = _number_of(f"--{argument.names[0]}")
    return contexts


def _number_of(option: str) -> Callable[[str], int]:
    def number(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise UsageError(
                f"{option} takes a number, not '{text}'.",
                "A whole number such as 5 is expected there.",
                f"Correct the {option} option.",
            ) from None

    return number


def _parse(parser: Parser, words: Sequence[str], tasks: Collection | None = None) -> ParseResult:
    try:
        return parser.parse_argv(list(words))
    except ParseError as error:
        if error.context and tasks:
            _explain_instead(error.context, tasks)
        where = error.context.name if error.context else None
        valueless = _VALUELESS.search(str(error))
        why = f"--{valueless[1]} takes a value, and none follows." if valueless else f"{error}"
        if error.context and _NAMELESS.search(str(error)):
            names = [str(argument.name).upper() for argument in error.context.positional_args]
            stand = f"a {names[0]}, which stands" if len(names) == 1 else f"{' and '.join(names)}, which stand"
            why = f"It needs {stand} behind its name: invoke {where} {' '.join(names)}."
        raise UsageError(f"The options of {where or 'invoke'} cannot be read.", why, _explain(where)) from error


def _unknown(word: str, context: ParserContext, known: Iterable[ParserContext]) -> UsageError:
    if not word.startswith("-"):
        why = f"After the options of {context.name} comes the next task. " if context.name else ""
        for argument in context.args.values():
            if argument.kind is list and argument.value:
                why += f"Each of several has the option in front of it: --{argument.name} ONE --{argument.name} OTHER. "
        return _no_task(word, known, why)
    options = [*(name for name in context.flags if name.startswith("--")), "--help"]
    return UsageError(
        f"{context.name or 'invoke'} has no option '{word}'.{did_you_mean(word, options)}",
        f"Known: {', '.join(options)}.",
        _explain(context.name),
    )


def _no_task(word: str, known: Iterable[ParserContext], why: str = "") -> UsageError:
    names = [context.name for context in known if context.name]
    return UsageError(
        f"There is no task '{word}'.{did_you_mean(word, names)}",
        f"{why}Known: {', '.join(names)}.",
        "`invoke --list` says what each of them does.",
    )


def _explain(task: str | None) -> str:
    return f"`invoke {task} --help` explains every option." if task else "`invoke --help` explains every option."
