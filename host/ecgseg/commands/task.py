"""The one way to declare a task: a frozen dataclass says what it takes, a function what it does.

    @dataclass(frozen=True)
    class Options(ModelOptions, JsonOption):
        out: Path | None = option("Where to; default build/generated/NAME.", output=Output.FOLDER)

    def run(options: Options) -> None:
        \"\"\"Render a model and its preprocessor into C.\"\"\"

`task_of(run)` is the task: named after the module, explained by the first paragraph of the function's docstring, with
an option for each field. Before `run` starts, places for results are tried, older results removed, and options that do
not go together refused. What `run` returns is the exit code; None is 0.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Collection, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from invoke.context import Context
from invoke.parser.argument import Argument
from invoke.tasks import Task

from ecgseg.choices import choose
from ecgseg.commands.guard import guard
from ecgseg.commands.rules import Rule, Typed
from ecgseg.errors import UsageError
from ecgseg.files import expanded
from ecgseg.output import STDOUT, check_outputs, discard
from ecgseg.terminal import console

Options = TypeVar("Options")
Run = Callable[[Options], int | None]

_HELP, _NAME, _OUTPUT, _KNOWN, _RULES, _NOUN = "help", "name", "output", "known", "rules", "noun"
_POSITIONAL = "positional"


class Output(Enum):
    """What an option names, when it names a place for results.

    Attributes:
        RESULT: a file that tells how this run ended. An older one is removed before the work, for a run that does not
            get as far as writing must not leave the verdict of another there.
        FILE: a page or a picture; an older one stays until a new one is whole.
        FOLDER: a folder that results go to.
    """

    RESULT = "result"
    FILE = "file"
    FOLDER = "folder"


def option(
    help: str,
    *rules: Rule,
    default: Any = None,
    name: str = "",
    output: Output | None = None,
    known: Callable[[], Collection[str]] | None = None,
    noun: str = "",
    positional: bool = False,
) -> Any:
    """A field of the options of a task, typed str, Path, int or bool, and None where nothing need be said.

    A tuple of str or Path, or None, is an option that may be typed several times.

    Args:
        help: the explanation in `invoke TASK --help`.
        rules: what it does not go with.
        default: what holds when the user types nothing; a function where that is expensive to know.
        name: its name on the command line, when it is not that of the field; Python has names of its own.
        output: it names a place for results, which is tried before the work.
        known: the words that it may be, asked for only when the task starts.
        noun: what such a word names; default the field's name.
        positional: it has to be given, and is typed behind the task without a flag.
    """
    metadata: dict[str, Any] = {_HELP: help, _NAME: name, _OUTPUT: output, _KNOWN: known, _RULES: rules, _NOUN: noun}
    metadata[_POSITIONAL] = positional
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Declared:
    """An option of a task as it was declared.

    Attributes:
        field: its name in the dataclass.
        flag: on the command line.
        kind: str, int, bool or Path.
        help, default, output, known, rules, noun, positional: as given to :func:`option`.
        several: it may be typed more than once; the field is a tuple.
    """

    field: str
    flag: str
    kind: type
    help: str
    default: Any
    output: Output | None
    known: Callable[[], Collection[str]] | None
    rules: tuple[Rule, ...]
    noun: str
    positional: bool
    several: bool

    @property
    def keyword(self) -> str:
        """What invoke calls it in Python."""
        return self.flag.removeprefix("--").replace("-", "_")

    def value(self, typed: Any) -> Any:
        """What was typed, as the field's type; an empty word where nothing need be said is nothing."""
        if typed is None or (typed == "" and self.default is None):
            return None
        if self.several:
            return tuple(expanded(word) if self.kind is Path else word for word in typed) or None
        return expanded(typed) if self.kind is Path else typed


def options_of(run: Run[Options]) -> type[Options]:
    """The dataclass of a task's options."""
    (found,) = (kind for name, kind in get_type_hints(run).items() if name != "return")
    return found  # type: ignore[no-any-return]


def declared(options: type) -> tuple[Declared, ...]:
    """What a dataclass of options declares: first its own, then those of its bases from left to right."""
    hints = get_type_hints(options)
    own_first = [name for cls in options.__mro__ for name in inspect.get_annotations(cls)]
    fields = sorted(dataclasses.fields(options), key=lambda field: own_first.index(field.name))
    return tuple(_declared(field, hints[field.name]) for field in fields)


def _declared(field: dataclasses.Field[Any], hint: Any) -> Declared:
    (kind,) = (kind for kind in getattr(hint, "__args__", (hint,)) if kind is not type(None))
    several = get_origin(kind) is tuple
    told = field.metadata
    flag = "--" + (told[_NAME] or field.name.replace("_", "-"))
    return Declared(
        field=field.name,
        flag=flag,
        kind=get_args(kind)[0] if several else kind,
        help=told[_HELP],
        default=field.default,
        output=told[_OUTPUT],
        known=told[_KNOWN],
        rules=told[_RULES],
        noun=told[_NOUN] or field.name,
        positional=told[_POSITIONAL],
        several=several,
    )


def start(run: Run[Options], **typed: Any) -> int | None:
    """Checks the options of a task and runs it.

    Args:
        run: what the task does.
        typed: what the user typed, by field: words, whole numbers or True; None where nothing was typed.

    Raises:
        OutputError: a place for results is none.
        UsageError: an option is not one of the words that are known, or breaks a rule.
        EcgsegError: as `run` does.
    """
    options = options_of(run)
    fields = declared(options)
    values = {field.field: field.value(typed.get(field.field)) for field in fields}
    values = {name: value for name, value in values.items() if value is not None}
    built = options(**values)
    typed_options = Typed(vars(built), frozenset(values), {field.field: field.flag for field in fields})
    _prepare_places(fields, typed_options)
    _check(fields, typed_options)
    return run(built)


def _prepare_places(fields: Collection[Declared], typed: Typed) -> None:
    named = [(field, Path(str(place))) for field in fields if field.output and (place := typed.values[field.field])]
    to_stdout = [field for field, place in named if place == STDOUT]
    _check_stdout(to_stdout)
    for field, place in named:
        if field.output is Output.FOLDER:
            check_outputs(folder=str(place))
        else:
            check_outputs(str(place))
    for place in [place for field, place in named if field.output is Output.RESULT]:
        discard(place)
    if to_stdout:
        # What is meant for people goes where the messages go.
        console.stderr = True


def _check_stdout(fields: Sequence[Declared]) -> None:
    if len(fields) > 1 or any(field.output is not Output.RESULT for field in fields):
        raise UsageError(
            f"{' and '.join(field.flag for field in fields)} cannot go to standard output.",
            "A single result can, that of --json or --html.",
            "Name a file.",
        )


def _check(fields: Collection[Declared], typed: Typed) -> None:
    for field in fields:
        if field.known is not None and typed.values[field.field] is not None:
            choose(field.noun, str(typed.values[field.field]), tuple(field.known()), field.flag)
    for field in fields:
        if field.field in typed.fields:
            for rule in field.rules:
                rule.check(field.field, typed)


class _Task(Task[Callable[..., None]]):
    """An invoke task whose options are told by a dataclass.

    invoke would read them from the function's signature and take an option's kind from its default, and then nobody
    could tell a default from the same word typed. So no option has a default here: what comes as None was not typed.
    """

    fields: tuple[Declared, ...] = ()

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        return [
            Argument(
                name=field.flag.removeprefix("--"),
                # Only where it differs: invoke goes round in circles when a name stands for itself.
                attr_name=field.keyword if "-" in field.flag.removeprefix("--") else None,
                kind=list if field.several else str if field.kind is Path else field.kind,
                help=field.help,
                positional=field.positional,
            )
            for field in self.fields
        ]


def task_of(run: Run[Any]) -> Task[Callable[..., None]]:
    """The invoke task of a function that does the work of one."""
    fields = declared(options_of(run))

    @guard()
    def body(context: Context, **words: Any) -> None:
        code = start(run, **{field.field: words.get(field.keyword) for field in fields})
        if code:
            raise SystemExit(code)

    body.__doc__ = (run.__doc__ or "").split("\n\n")[0]
    name = run.__module__.rpartition(".")[2].replace("_", "-")
    task = _Task(body, name=name, positional=())
    task.fields = fields
    return task
