"""What goes with what: a rule stands beside an option and refuses it where it would do nothing, or not what was meant.

A rule names other options by their fields. Options that the task has not are passed over, so that a group of options
(`ecgseg.commands.options`) carries its rules to every task that takes it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from ecgseg.errors import UsageError


@dataclass(frozen=True)
class Typed:
    """What a user typed.

    Attributes:
        values: of every option by field, defaults where nothing was typed.
        fields: those that were typed.
        flags: what each field is called on the command line, e.g. "--tflm-dir".
    """

    values: Mapping[str, object]
    fields: frozenset[str]
    flags: Mapping[str, str]

    def on(self, field: str) -> bool:
        """An option of the task that was typed, and not as "" or 0."""
        return field in self.fields and bool(self.values[field])


@dataclass(frozen=True)
class Rule(ABC):
    """A rule of one option.

    Attributes:
        why: what is said as the reason.
        what, remedy: replace what would be said otherwise.
        when: tells which values of the option the rule is about; None: all. It is asked last, and may take its time.
    """

    _: KW_ONLY
    why: str
    what: str = ""
    remedy: str = ""
    when: Callable[[Any], bool] | None = None

    def check(self, field: str, typed: Typed) -> None:
        """Checks the rule of an option that was typed.

        Raises:
            UsageError: it is broken.
            EcgsegError: `when` cannot tell.
        """
        broken = self._broken(field, typed)
        if broken is not None and (self.when is None or self.when(typed.values[field])):
            what, remedy = broken
            raise UsageError(self.what or what, self.why, self.remedy or remedy)

    @abstractmethod
    def others(self) -> tuple[str, ...]:
        """Fields of the options that the rule looks at."""

    @abstractmethod
    def _broken(self, field: str, typed: Typed) -> tuple[str, str] | None:
        """What happened and what to do, when the rule is broken."""


@dataclass(frozen=True)
class AppliesTo(Rule):
    """The option says something only where one of the others has one of these values.

    Attributes:
        values: of the others, by field; a function where they are expensive to know.
    """

    values: Mapping[str, tuple[object, ...] | Callable[[], tuple[object, ...]]]

    def others(self) -> tuple[str, ...]:
        return tuple(self.values)

    def _broken(self, field: str, typed: Typed) -> tuple[str, str] | None:
        known = {name: wanted() if callable(wanted) else wanted for name, wanted in self.values.items()}
        known = {name: wanted for name, wanted in known.items() if name in typed.values}
        if not known or any(typed.values[name] in wanted for name, wanted in known.items()):
            return None
        other, wanted = next(iter(known.items()))
        return (
            f"{typed.flags[field]} does not apply to {other} {typed.values[other]}.",
            f"Leave out {typed.flags[field]}, or add {typed.flags[other]} {' or '.join(map(str, wanted))}.",
        )


@dataclass(frozen=True)
class NothingFor(Rule):
    """The option says nothing where one of the others has one of these values.

    Attributes:
        values: of the others, by field.
    """

    values: Mapping[str, tuple[object, ...]]

    def others(self) -> tuple[str, ...]:
        return tuple(self.values)

    def _broken(self, field: str, typed: Typed) -> tuple[str, str] | None:
        for name, unwanted in self.values.items():
            if name in typed.values and typed.values[name] in unwanted:
                flag = typed.flags[field]
                return f"{flag} does not apply to {name} {typed.values[name]}.", f"Leave out {flag}."
        return None


@dataclass(frozen=True)
class GoesWith(Rule):
    """The option says something only beside one of the others."""

    names: tuple[str, ...]

    def others(self) -> tuple[str, ...]:
        return self.names

    def _broken(self, field: str, typed: Typed) -> tuple[str, str] | None:
        if any(typed.on(name) for name in self.names):
            return None
        beside = " or ".join(typed.flags[name] for name in self.names)
        return f"{typed.flags[field]} goes with {beside}.", f"Leave it out, or add {beside}."


@dataclass(frozen=True)
class NotWith(Rule):
    """The option starts something that the others have no part in."""

    names: tuple[str, ...]

    def others(self) -> tuple[str, ...]:
        return self.names

    def _broken(self, field: str, typed: Typed) -> tuple[str, str] | None:
        beside = ", ".join(typed.flags[name] for name in self.names if name in typed.fields)
        if not beside or not typed.on(field):
            return None
        flag = typed.flags[field]
        return f"{flag} does not go with {beside}.", f"Leave out {flag} or {beside}."


@dataclass(frozen=True)
class Excludes(Rule):
    """The option and each of the others answer the same question."""

    names: tuple[str, ...]

    def others(self) -> tuple[str, ...]:
        return self.names

    def _broken(self, field: str, typed: Typed) -> tuple[str, str] | None:
        rivals = [typed.flags[name] for name in self.names if typed.on(name)]
        if not rivals or not typed.on(field):
            return None
        flag = typed.flags[field]
        return f"{flag} and {rivals[0]} exclude each other.", f"Leave out {flag} or {rivals[0]}."
