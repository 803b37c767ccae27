"""What an option names may be anything: a pipe, a device, a link to itself, a name that commands a terminal."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from invoke.loader import FilesystemLoader

from ecgseg import paths
from ecgseg.commands.guard import guard
from ecgseg.commands.task import declared, options_of, start
from ecgseg.errors import OutputError, UsageError
from ecgseg.files import expanded
from ecgseg.models import find_model
from ecgseg.output import check_file, check_folder, write_text
from ecgseg.terminal import console, data

_SECONDS = 60
HARM = "a\"b\n\x1b[2J;$(id)[bold]x[/nope]'é"
NOT_UTF8 = os.fsdecode(b"a\xff\xfe\n")


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def to_itself(path: Path) -> Path:
    path.symlink_to(path)
    return path


def to_nowhere(path: Path) -> Path:
    path.symlink_to(path.with_name("nowhere") / "x")
    return path


def listening(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


PLACES: dict[str, Callable[[Path], Path | str]] = {
    "pipe": pipe,
    "socket": listening,
    "link to itself": to_itself,
    "link to nowhere": to_nowhere,
    "empty file": empty,
    "folder": folder,
    "below a file": lambda path: empty(path) / "x",
    "endless device": lambda path: Path("/dev/zero"),
    "memory of this process": lambda path: Path("/proc/self/mem"),
    "too long a name": lambda path: path / ("n" * 300),
    "too long a path": lambda path: path.joinpath(*["n" * 200] * 30),
    "home of nobody": lambda path: "~nobody-of-that-name/x",
    "text that commands a terminal": lambda path: path.parent / HARM,
    "no UTF-8": lambda path: path.with_name(NOT_UTF8),
    "folder that is no UTF-8": lambda path: folder(path.with_name(NOT_UTF8)),
}

# What makes a task look at an option of its own, quickly.
BESIDE: dict[tuple[str, str], dict[str, Any]] = {
    ("data", "folder"): {"verify": True},
    ("hil_test", "tflite"): {"target": "host"},
    ("hil_test", "replay"): {"target": "host"},
    ("hil_test", "ludb"): {"target": "host", "records": "181"},
    ("flash", "tflite"): {"dry_run": True},
    ("train", "ludb"): {"model": "seg-2-tcn-sm"},
    ("zoo", "ludb"): {"measure": True},
    ("fuzz", "input"): {"what": "npz"},
}


def tasks() -> Iterator[Any]:
    menu, _ = FilesystemLoader(start=str(paths.ROOT)).load("tasks")
    yield from menu.TASKS


def read_by_tasks() -> list[Any]:
    """Every task and option that names something to be read."""
    return [
        pytest.param(module.run, field.field, id=f"{module.__name__.rpartition('.')[2]} {field.flag}")
        for module in tasks()
        for field in declared(options_of(module.run))
        if field.kind is Path and field.output is None
    ]


@contextmanager
def at_once() -> Iterator[None]:
    """Fails when the block takes too long, also when it waits for a pipe."""

    def late(*_: object) -> None:
        raise AssertionError(f"it waits longer than {_SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def statuses_of_exit() -> Iterator[list[Any]]:
    """Adds the status with which the block leaves the program to the list."""
    statuses: list[Any] = []
    try:
        yield statuses
    except SystemExit as ended:
        statuses.append(ended.code)


@pytest.mark.slow
@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize(("run", "option"), read_by_tasks())
def test_whatever_is_there_to_be_read_ends_in_one_error_at_once(
    run: Any, option: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = BESIDE.get(
        (run.__module__.rpartition(".")[2], option), {"backend": "tflm"} if option == "tflm_dir" else {}
    )
    place = str(PLACES[kind](tmp_path / "place"))
    with at_once(), statuses_of_exit() as ended, guard():
        ended.append(start(run, **beside, **{option: place}))
    (status,) = ended
    if not status:
        # A fuzzer takes whatever bytes there are, none too, and says what the reader made of them.
        assert run.__module__.endswith(".fuzz")
        return
    assert status in range(2, 10)
    said = capsys.readouterr().err
    # `data` shows a bar before it.
    (error,) = re.findall(r"^Error: (.+\n  Why: (?:.|\n)+\n  What to do: .+\n)\Z", said, re.MULTILINE)
    assert error.replace("\n", "").isprintable()
    assert "[Errno" not in error
    assert "Error:" not in error


WRITTEN = {
    "pipe": "Nobody reads from that pipe",
    "socket": "neither a file, nor a terminal or a pipe",
    "folder": "Is a directory",
    "below a file": "Not a directory",
    "too long a name": "File name too long",
    "too long a path": "File name too long",
    "folder that is no UTF-8": "Is a directory",
}
"""What is said of a place that a result cannot go to; it goes to all others."""


@pytest.mark.parametrize("kind", [kind for kind in PLACES if kind not in ("home of nobody", "memory of this process")])
def test_a_result_goes_wherever_a_file_can_be(kind: str, tmp_path: Path) -> None:
    place = Path(PLACES[kind](tmp_path / "place"))
    if kind in WRITTEN:
        with at_once(), pytest.raises(OutputError) as refused:
            write_text(place, "result")
        assert WRITTEN[kind] in refused.value.why
        assert refused.value.remedy
        return
    check_file(place)
    with at_once():
        write_text(place, "result")
    assert kind == "endless device" or place.read_text() == "result"


def test_a_disk_is_never_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_char_device", lambda path: False)  # As a block device looks.
    for tried in (check_file, lambda path: write_text(path, "x")):
        with pytest.raises(OutputError, match="neither a file"):
            tried(Path("/dev/null"))


def test_a_pipe_that_somebody_reads_from_gets_the_whole_result(tmp_path: Path) -> None:
    place, read = pipe(tmp_path / "pipe"), []
    reader = threading.Thread(target=lambda: read.append(place.read_text()))
    reader.start()
    text = "x" * 1_000_000
    with at_once():
        while reader.is_alive() and not read:
            try:
                write_text(place, text)
                break
            except OutputError:  # The reader is not there yet.
                continue
        reader.join()
    assert read == [text]


def test_a_folder_for_results_that_is_a_link_to_nowhere_is_told_before_the_work(tmp_path: Path) -> None:
    for kind in ("link to itself", "link to nowhere"):
        with pytest.raises(OutputError, match="a link that leads nowhere"):
            check_folder(Path(PLACES[kind](tmp_path / kind)))


def test_a_home_that_nobody_has_is_an_error_of_the_option() -> None:
    with pytest.raises(UsageError, match="no home for ~nobody-of-that-name"):
        expanded("~nobody-of-that-name/x")
    assert expanded("~/x") == Path.home() / "x"


@pytest.mark.parametrize("name", [HARM, NOT_UTF8, "[/nope]", "[link=x]y\\"])
@pytest.mark.parametrize("task", ["render", "data"])
def test_a_places_name_is_shown_as_it_is_and_commands_nothing(
    task: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (module,) = [module for module in tasks() if module.__name__.endswith(f".{task}")]
    place = tmp_path / name
    typed = {"out": str(place), "report": True} if task == "render" else {"folder": str(place), "verify": True}
    code = 0
    try:
        with guard():
            start(module.run, **typed)
    except SystemExit as ended:
        code = ended.code
    assert code == (0 if task == "render" else 3)
    shown = capsys.readouterr()
    assert (shown.out + shown.err).replace("\n", "").isprintable()


@pytest.mark.parametrize("name", [HARM, NOT_UTF8])
def test_a_model_is_read_whatever_its_file_is_called(name: str, tmp_path: Path) -> None:
    place = tmp_path / f"{name}.tflite"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(find_model("seg-2-tcn-sm").data)
    assert find_model(tflite=place).data == place.read_bytes()


def test_data_on_a_console_is_neither_markup_nor_control(capsys: pytest.CaptureFixture[str]) -> None:
    console.print(data(f"{HARM}{NOT_UTF8}[red]"), highlight=False, soft_wrap=True)
    assert capsys.readouterr().out == "a\"b\\n\\x1b[2J;$(id)[bold]x[/nope]'éa\\udcff\\udcfe\\n[red]\n"
