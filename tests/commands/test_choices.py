"""A mistyped name is answered with the one that was meant, or with none; never with one that merely looks similar."""

from __future__ import annotations

import pytest

from ecgseg.choices import did_you_mean

TASKS = (
    "data",
    "render",
    "build",
    "hil-test",
    "flash",
    "devices",
    "demo",
    "train",
    "evaluate",
    "zoo",
    "profile",
    "bringup",
    "clean",
)
HIL = (
    "--target",
    "--model",
    "--tflite",
    "--records",
    "--leads",
    "--ludb",
    "--backend",
    "--tflm-dir",
    "--port",
    "--serial",
    "--baud",
    "--replay",
    "--json",
    "--html",
    "--help",
)
EVALUATE = ("--noise", "--peers", "--float", "--cv", "--steps", "--html", "--model", "--records", "--json", "--help")
RENDER = ("--model", "--tflite", "--out", "--report", "--json", "--help")
MODELS = ("seg-2-tcn-sm", "seg-4-tcn-sm", "seg-4-tcn-lg")
TARGETS = ("apollo4p", "apollo4p-sim", "host", "qemu")


@pytest.mark.parametrize(
    ("typed", "known", "meant"),
    [
        ("evalute", TASKS, "evaluate"),
        ("eval", TASKS, "evaluate"),
        ("trian", TASKS, "train"),
        ("hil", TASKS, "hil-test"),
        ("hil_test", TASKS, "hil-test"),
        ("hiltest", TASKS, "hil-test"),
        ("brignup", TASKS, "bringup"),
        ("zooo", TASKS, "zoo"),
        ("Profile", TASKS, "profile"),
        ("--recrods", HIL, "--records"),
        ("--rec", HIL, "--records"),
        ("--lead", HIL, "--leads"),
        ("--jsno", HIL, "--json"),
        ("--tflmdir", HIL, "--tflm-dir"),
        ("--tflm", HIL, "--tflm-dir"),
        ("--model-name", HIL, "--model"),
        ("--output", RENDER, "--out"),
        ("--peer", EVALUATE, "--peers"),
        ("seg-4-tcn-ms", MODELS, "seg-4-tcn-sm"),
        ("seg-2-tcn", MODELS, "seg-2-tcn-sm"),
        ("quemu", TARGETS, "qemu"),
        ("apollo4", TARGETS, "apollo4p"),
        ("appolo4p-sim", TARGETS, "apollo4p-sim"),
    ],
)
def test_the_name_that_was_meant_is_suggested(typed: str, known: tuple[str, ...], meant: str) -> None:
    assert did_you_mean(typed, known) == f" Did you mean '{meant}'?"


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("--csv", HIL),
        ("--csv", EVALUATE),
        ("--verbose", HIL),
        ("--noise", HIL),
        ("--report", HIL),
        ("--port", RENDER),
        ("--cv", HIL),
        ("--seed", EVALUATE),
        ("--x", RENDER),
        ("deploy", TASKS),
        ("test", TASKS),
        ("yes", TASKS),
        ("stm32", TARGETS),
        ("unet", MODELS),
        ("", TARGETS),
        ("anything", ()),
    ],
)
def test_nothing_is_suggested_where_nothing_similar_was_meant(typed: str, known: tuple[str, ...]) -> None:
    assert did_you_mean(typed, known) == ""
