"""A mistyped task or option is answered in three parts and with exit code 2, not by invoke's own parser."""

from __future__ import annotations

from typing import Any

import pytest
from invoke.collection import Collection
from invoke.tasks import task

from ecgseg.commands.command_line import check_command_line
from ecgseg.errors import UsageError


@task(auto_shortflags=False)
def evaluate(c: Any, model: str = "a", cv: int = 0, noise: bool = False) -> None:
    """Scores."""


@task(name="hil-test", auto_shortflags=False, help={"records": "Records to send."})
def hil_test(c: Any, records: str = "test") -> None:
    """Compares."""


TASKS = Collection(evaluate, hil_test)


def check(*words: str, program: str = "/somewhere/bin/invoke") -> None:
    check_command_line(TASKS, [program, *words])


def refused(*words: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        check(*words)
    assert caught.value.why
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("program", ["/somewhere/bin/invoke", "inv", "/site-packages/invoke/__main__.py"])
def test_a_mistyped_task_is_answered_with_the_nearest_one(program: str) -> None:
    with pytest.raises(UsageError) as caught:
        check("evalute", program=program)
    assert caught.value.what == "There is no task 'evalute'. Did you mean 'evaluate'?"
    assert "evaluate, hil-test" in caught.value.why


def test_a_mistyped_option_is_answered_with_the_nearest_of_its_task() -> None:
    for word in ("--recrods", "--recrods=test"):
        error = refused("hil-test", word, "test")
        assert error.what == "hil-test has no option '--recrods'. Did you mean '--records'?"
        assert error.remedy == "`invoke hil-test --help` explains every option."
    assert "invoke has no option '--modle'" in refused("--modle", "x").what


@pytest.mark.parametrize("words", [("--cv", "abc"), ("--cv=abc",)])
def test_a_word_where_a_number_belongs_is_named_with_its_option(words: tuple[str, ...]) -> None:
    assert refused("evaluate", *words).what == "--cv takes a number, not 'abc'."


def test_an_option_without_its_value_is_refused() -> None:
    assert "model" in refused("evaluate", "--model").why
    assert "model" in refused("evaluate", "--model", "--noise").why


def test_a_word_too_many_is_no_task() -> None:
    error = refused("evaluate", "--noise=yes")
    assert error.what == "There is no task 'yes'."
    assert "After the options of evaluate" in error.why


def test_help_for_a_mistyped_task_is_refused_too() -> None:
    assert "Did you mean 'evaluate'?" in refused("--help", "evalute").what
    assert "Did you mean 'evaluate'?" in refused("evalute", "--help").what


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--list",),
        ("--list", "--list-format", "json"),
        ("--help", "evaluate"),
        ("evaluate", "--help"),
        ("evaluate", "--cv", "-5"),
        ("evaluate", "--model", "a", "--cv=5", "--noise", "hil-test", "--records", "1-4"),
        ("--complete", "--", "hil-test", "--rec"),
    ],
)
def test_what_invoke_understands_passes(words: tuple[str, ...]) -> None:
    check(*words)


def test_another_program_may_import_the_tasks_with_words_of_its_own() -> None:
    check("--no-such-option", program="/somewhere/bin/pytest")


def test_the_explanations_of_the_options_are_left_for_invoke() -> None:
    check("hil-test")
    assert TASKS["hil-test"].help == {"records": "Records to send."}


def test_an_option_without_its_value_is_named() -> None:
    error = refused("hil-test", "--records")
    assert (error.what, error.why) == (
        "The options of hil-test cannot be read.",
        "--records takes a value, and none follows.",
    )


def test_each_of_several_words_has_its_option_in_front() -> None:
    @task(name="send", auto_shortflags=False, iterable=["input"])
    def send(c: Any, input: Any) -> None:
        """Sends."""

    with pytest.raises(UsageError) as caught:
        check_command_line(Collection(send), ["invoke", "send", "--input", "a", "b"])
    assert "--input ONE --input OTHER" in caught.value.why
