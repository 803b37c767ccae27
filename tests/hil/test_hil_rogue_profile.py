"""`invoke profile` on a rogue board: figures or one message, never a traceback, and never figures that cannot be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from ecgseg import paths
from ecgseg.commands import guard as guard_module
from ecgseg.commands import profile
from ecgseg.commands.guard import guard
from ecgseg.errors import ModelError
from ecgseg.image.build import Image
from ecgseg.link.numbers import Command
from ecgseg.models import ModelFile
from ecgseg.profile import board
from hil.rogue_cli import Running
from hil.rogue_device import BUILD_ID, MODEL_NAME, Answer, RogueDevice, truth
from hil.rogue_rows import Hook, both, changed, error, once, payload, silent

HZ = 96_000_000
CYCLES = 1000
"""Of everything that BENCH runs."""
Profile = Callable[[Hook], tuple[int, str, "dict[str, object] | None"]]


def board_hook(device: RogueDevice, answer: Answer) -> Answer:
    """What a board has that the rogue of the HIL test has not: clocks and BENCH."""
    if answer.command == Command.HELLO:
        clock = {"core_hz": HZ, "tick_hz": HZ, "time_base": 1}
        return replace(answer, values=answer.values | clock)
    if answer.command == Command.SET_CLOCK:
        return replace(answer, values={"core_hz": answer.request["core_hz"], "tick_hz": HZ})
    if answer.command == Command.BENCH:
        return replace(answer, values={"ticks": CYCLES * answer.request["repetitions"]})
    return answer


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Profile:
    """Exit code, everything on the terminal, and the JSON."""
    known = truth()
    path = known.folder / f"{MODEL_NAME}.tflite"
    model = ModelFile(MODEL_NAME, path, known.model, False)
    image = Image(path, path, path, "apollo4p_evb", BUILD_ID, {"flash": 1, "ram": 1})
    for module, name in ((profile, "console"), (guard_module, "messages")):
        monkeypatch.setattr(module, name, Console(stderr=name == "messages", width=400, color_system=None))
    monkeypatch.setattr(profile, "find_model", lambda *_: model)
    monkeypatch.setattr(board, "generate", lambda *_, **__: known.folder)
    monkeypatch.setattr(board, "build", lambda *_: image)
    monkeypatch.setattr(board, "_ANSWER_SECONDS", 0.02)
    out = tmp_path / "profile.json"

    def profiled(hook: Hook) -> tuple[int, str, dict[str, object] | None]:
        @contextmanager
        def opened(*_: object) -> Iterator[Running]:
            yield Running(RogueDevice(both(board_hook, hook)))

        monkeypatch.setattr(board, "open_target", opened)
        code = 0
        try:
            with guard():
                profile.run(profile.Options(target="apollo4p", layers=True, json=out))
        except SystemExit as left:
            code = int(str(left.code))
        said = capsys.readouterr()
        return code, said.out + said.err, json.loads(out.read_text()) if out.exists() else None

    return profiled


ROWS: tuple[tuple[str, Hook, str], ...] = (
    ("layer-count-0", changed(Command.HELLO, layer_count=0), "tells 0 layers, the model has 1"),
    ("layer-count-65535", changed(Command.HELLO, layer_count=65535), "tells 65535 layers, the model has 1"),
    ("another-model", changed(Command.HELLO, model_sha256=bytes(32)), "runs another model"),
    ("engine-failed", changed(Command.HELLO, engine_status=3), "failed to start"),
    ("contradiction", changed(Command.HELLO, tick_hz=0), "contradicts itself"),
    ("hello-cut", payload(Command.HELLO, lambda data: data[:-1]), "expected layout"),
    ("bench-none", changed(Command.BENCH, ticks=0), "The answer to BENCH"),
    ("bench-for-ever", changed(Command.BENCH, ticks=(1 << 64) - 1), "The answer to BENCH"),
    ("bench-an-hour", changed(Command.BENCH, at=3, ticks=3600 * HZ), "The answer to BENCH"),
    ("bench-cut", payload(Command.BENCH, lambda data: data[:-1]), "expected layout"),
    ("bench-long", once(Command.BENCH, b"\0"), "expected layout"),
    ("bench-always-too-long", error(Command.BENCH, 16), "error 16 TOO_LONG"),
    ("bench-silent", silent(Command.BENCH), "does not answer to BENCH"),
    ("clock-stays", changed(Command.SET_CLOCK, core_hz=1), "does not run at 96 MHz"),
    ("clock-refused", error(Command.SET_CLOCK, 14), "error 14 NOT_SUPPORTED"),
    ("clock-cut", payload(Command.SET_CLOCK, lambda data: data[:-1]), "expected layout"),
    ("stats-silent", silent(Command.STATS), "does not answer to STATS"),
    ("stats-long", once(Command.STATS, b"\0"), "expected layout"),
    ("layer-refused", error(Command.LAYER, 12), "error 12 OUT_OF_RANGE"),
    ("layer-cut", payload(Command.LAYER, lambda data: data[:-1]), "expected layout"),
)


@pytest.mark.parametrize(("hook", "says"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_rogue_board_has_no_figures_and_one_message(run: Profile, hook: Hook, says: str) -> None:
    code, text, figures = run(hook)
    assert says in text
    assert code in (7, 8)
    assert figures is None
    assert text.count("Error:") == 1


def test_a_right_board_has_figures(run: Profile) -> None:
    code, text, figures = run(lambda device, answer: answer)
    assert code == 0
    assert figures is not None
    assert figures["last_start"] == ""
    assert re.search(rf"inference {CYCLES:,} cycles", text)
    assert "Last start" not in text


def test_a_fault_before_the_last_start_is_told_beside_the_figures(run: Profile) -> None:
    pc = (0, 0, 0, 0, 0, 0, 0x1234, 0)
    code, text, figures = run(
        changed(Command.HELLO, reset_cause=0x40, fault_valid=1, fault_type=0x100, fault_registers=pc)
    )
    assert code == 0
    told = "fault before it: watchdog at pc 0x00001234"
    assert f"Last start of the device: {told}" in text
    assert "reset cause 0x40." in text
    assert figures is not None
    assert told in str(figures["last_start"])


def test_what_a_board_calls_its_layers_is_shown_as_it_is(run: Profile) -> None:
    code, text, figures = run(changed(Command.LAYER, name="[/nope]\x1b[2J"))
    assert code == 0
    assert r"[/nope]\x1b[2J" in text
    assert figures is not None


GOOD = {"tflite_sha256": "00" * 32, "params": 1, "weighted_f1": 0.9}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b" " * (2 << 20),
        json.dumps(GOOD | {"params": "many"}).encode(),
        json.dumps(GOOD | {"weighted_f1": []}).encode(),
        json.dumps(GOOD | {"tflite_sha256": None}).encode(),
        json.dumps({"params": 1}).encode(),
    ],
    ids=lambda content: repr(content[:24]),
)
def test_damaged_metrics_beside_a_model_are_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(paths, "MODELS", tmp_path)
    file = tmp_path / MODEL_NAME / "metrics.json"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(ModelError, match=rf"The figures of {MODEL_NAME} cannot be read") as caught:
        board._metrics(ModelFile(MODEL_NAME, tmp_path / "model.tflite", b"", True))
    assert str(file) in caught.value.what
    assert caught.value.remedy == f"Measure them again: `invoke zoo --measure --model {MODEL_NAME}`."


def test_metrics_of_another_tflite_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MODELS", tmp_path)
    file = tmp_path / MODEL_NAME / "metrics.json"
    file.parent.mkdir()
    file.write_text(json.dumps(GOOD))
    model = ModelFile(MODEL_NAME, tmp_path / "model.tflite", b"", True)
    assert board._metrics(model) is None
    file.write_text(json.dumps(GOOD | {"tflite_sha256": model.sha256}))
    found = board._metrics(model)
    assert found is not None
    assert found.params == 1
