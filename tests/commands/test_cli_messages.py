"""What a user sees: the menu, the help, and one helpful message for everything that commonly goes wrong."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet
from invoke.collection import Collection
from invoke.loader import FilesystemLoader

from ecgseg import paths
from ecgseg.data.databases.ludb import find_ludb

INVOKE = [sys.executable, "-m", "invoke"]
PARTS = re.compile(r"Error: (?P<what>.+)\n  Why: (?P<why>(?:.|\n)+)\n  What to do: (?P<remedy>.+)\n")


def invoke(
    *arguments: str, environment: dict[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Runs a task as a user does."""
    return subprocess.run(
        [*INVOKE, *arguments],
        cwd=paths.ROOT,
        env={**os.environ, "COLUMNS": "200", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def message(done: subprocess.CompletedProcess[str], code: int) -> dict[str, str]:
    """The three parts of the one error that a failed task printed."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(re.findall("^Error: ", done.stderr, re.MULTILINE)) == 1
    found = PARTS.search(done.stderr)
    assert found is not None, done.stderr
    return found.groupdict()


def path_without(folder: Path, *programs: str) -> dict[str, str]:
    """A PATH that has everything but the named programs."""
    folder.mkdir()
    for directory in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(directory).iterdir() if Path(directory).is_dir() else ():
            link = folder / program.name
            link.unlink(missing_ok=True)
            if program.name not in programs:
                link.symlink_to(program)
    return {"PATH": str(folder)}


def tasks() -> list[str]:
    listing = json.loads(invoke("--list", "--list-format", "json").stdout)
    return [task["name"] for task in listing["tasks"]]


def output_options() -> list[tuple[str, str]]:
    """Every task and option of tasks.py that names a place for results."""
    module, _ = FilesystemLoader(start=str(paths.ROOT)).load("tasks")
    return [
        (context.name or "", f"--{argument.name}")
        for context in Collection.from_module(module).to_contexts()
        for argument in context.args.values()
        if argument.name in {"json", "html", "picture", "page", "out"}
    ]


def slow_but(task: str, cases: list[tuple[str, str]]) -> list[ParameterSet]:
    """Each starts a process of its own: the quick tests look at one task."""
    return [pytest.param(*case, marks=[pytest.mark.slow] * (case[0] != task)) for case in cases]


def test_the_menu_has_one_line_for_every_task() -> None:
    listing = json.loads(invoke("--list", "--list-format", "json").stdout)
    names = {task["name"] for task in listing["tasks"]}
    assert {"data", "render", "build", "hil-test", "demo", "train", "evaluate", "zoo", "clean"} <= names
    assert all(task["help"] and task["help"].endswith((".", ").")) for task in listing["tasks"])


@pytest.mark.parametrize("name", tasks())
def test_every_option_of_every_task_is_explained(name: str) -> None:
    done = invoke(name, "--help")
    assert done.returncode == 0
    text = done.stdout.split("Options:")[1]
    options = re.findall(r"^  (?:-\w(?:, )?)?.*--[\w-]+(?:=\w+)?(.*)$", text, re.MULTILINE)
    assert all(explanation.strip() for explanation in options)


def test_a_misspelt_model_is_answered_with_the_known_ones() -> None:
    parts = message(invoke("hil-test", "--target", "host", "--model", "seg-4-tcn-ms"), 2)
    assert "Did you mean 'seg-4-tcn-sm'?" in parts["what"]
    assert "seg-4-tcn-sm" in parts["why"]
    assert "--model" in parts["remedy"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("hil-test", "--target", "quemu"), "Did you mean 'qemu'?"),
        (("hil-test", "--target", "host", "--records", "0-4"), "Records '0-4'"),
        (("hil-test", "--target", "host", "--leads", "v7"), "lead 'v7'"),
        (("hil-test", "--target", "host", "--inject", "lose=1e-3"), "--inject does not know 'lose=1e-3'"),
        (("hil-test", "--target", "host", "--seed", "4"), "--seed goes with --inject"),
        (("hil-test", "--target", "host", "--backend", "tflmm"), "backend 'tflmm'"),
        (("build", "--board", "appollo4p_evb"), "Did you mean 'apollo4p_evb'?"),
        (("render", "--model", "a", "--tflite", "b"), "exclude each other"),
        (("profile", "--page", "x.md"), "--page shows times"),
        (("profile", "--target", "apollo4p-sim", "--picture", "x.png"), "--picture shows instructions"),
        (("evaluate", "--cv", "5", "--noise"), "--cv does not go with --noise"),
        (("evaluate", "--cv", "5", "--records", "test"), "--cv does not go with --records."),
        (("hil-test", "--baud", "115200"), "--baud does not apply to target qemu."),
        (("flash", "--dry-run", "--port", "/dev/ttyACM0"), "--dry-run does not go with --port."),
    ],
)
def test_an_option_that_makes_no_sense_is_named(options: tuple[str, ...], expected: str) -> None:
    assert expected in message(invoke(*options), 2)["what"]


def test_a_missing_or_damaged_tflite_is_named(tmp_path: Path) -> None:
    missing = message(invoke("render", "--tflite", str(tmp_path / "none.tflite")), 4)
    assert "none.tflite" in missing["what"]
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(b"\x1c\0\0\0TFL3" + bytes(40))
    parts = message(invoke("render", "--tflite", str(damaged), "--out", str(tmp_path / "out")), 4)
    assert parts["remedy"]


def test_a_missing_cross_compiler_comes_with_its_package(tmp_path: Path) -> None:
    environment = path_without(tmp_path / "bin", "arm-none-eabi-gcc")
    parts = message(invoke("build", "--board", "mps2_an386", environment=environment), 5)
    assert "arm-none-eabi-gcc is not installed" in parts["what"]
    assert "apt-get install gcc-arm-none-eabi" in parts["remedy"]


def test_a_missing_native_compiler_comes_with_its_package(tmp_path: Path) -> None:
    parts = message(invoke("hil-test", "--target", "host", environment=path_without(tmp_path / "bin", "gcc")), 5)
    assert "gcc is not installed" in parts["what"]
    assert "apt-get install gcc" in parts["remedy"]


@pytest.mark.qemu
def test_a_missing_qemu_comes_with_its_package(tmp_path: Path) -> None:
    environment = path_without(tmp_path / "bin", "qemu-system-arm")
    parts = message(invoke("hil-test", "--target", "qemu", "--leads", "ii", environment=environment), 5)
    assert "qemu-system-arm is not installed" in parts["what"]
    assert "apt-get install qemu-system-arm" in parts["remedy"]


def damaged_ludb(folder: Path) -> Path:
    """A copy of the form of LUDB whose record 181 is cut short."""
    (folder / "data").mkdir(parents=True)
    (folder / "RECORDS").write_text("data/181\n")
    (folder / "data/1.hea").write_text("1 12 500 5000\n")
    (folder / "data/181.hea").write_text("181 12 500 5000\n181.dat 16 1000/mV 16 0 0 0 0 i\n")
    (folder / "data/181.dat").write_bytes(b"\0\1")
    return folder


def test_an_unreadable_record_is_named_and_nothing_compared_is_claimed(tmp_path: Path) -> None:
    report = tmp_path / "result.json"
    ludb = damaged_ludb(tmp_path / "ludb")
    done = invoke("hil-test", "--target", "host", "--records", "181", "--ludb", str(ludb), "--json", str(report))
    parts = message(done, 3)
    assert "Record 181 of LUDB cannot be read" in parts["what"]
    assert "invoke data" in parts["remedy"]
    result = json.loads(report.read_text())
    assert (result["verdict"], result["frames"]) == ("incomplete", 0)
    assert "INCOMPLETE" in done.stdout


def test_a_folder_without_ludb_is_named(tmp_path: Path) -> None:
    parts = message(invoke("hil-test", "--target", "host", environment={"ECGSEG_LUDB": str(tmp_path)}), 3)
    assert str(tmp_path) in parts["what"]
    assert "ECGSEG_LUDB" in parts["remedy"]


@pytest.mark.parametrize(("task", "option"), slow_but("hil-test", output_options()))
def test_a_place_for_results_that_is_none_is_told_before_the_work(task: str, option: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    wanted = {
        "segment": [str(tmp_path / "recording.hea")],
        "compare": ["before.json", "after.json"],
        "sweep": ["grid.toml"],
    }
    given = wanted.get(task, [])
    done = invoke(task, *given, option, str(file / "result"))
    parts = message(done, 9)
    assert str(file / "result") in parts["what"]
    assert "Not a directory" in parts["why"]
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("evalute",), "There is no task 'evalute'. Did you mean 'evaluate'?"),
        (("hil-test", "--recrods", "test"), "hil-test has no option '--recrods'. Did you mean '--records'?"),
        (("hil-test", "--csv", "x.csv"), "hil-test has no option '--csv'."),
        (("evaluate", "--cv", "abc"), "--cv takes a number, not 'abc'."),
        (("zoo", "--measure", "--model"), "The options of zoo cannot be read."),
        (("fuzz", "--what", "tfilte"), "There is no kind of input 'tfilte'. Did you mean 'tflite'?"),
        (("evaluate", "--cv", "1"), "1 folds make no sense."),
    ],
)
def test_a_mistyped_command_line_ends_with_a_message_and_2(words: tuple[str, ...], expected: str) -> None:
    done = invoke(*words)
    assert message(done, 2)["what"] == expected
    assert done.stdout == ""


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_full_disk_is_called_one(option: str) -> None:
    done = invoke("hil-test", "--target", "host", "--records", "1", "--leads", "ii", option, "/dev/full")
    parts = message(done, 9)
    assert "/dev/full" in parts["what"]
    assert "No space left" in parts["why"]
    assert "Make room" in parts["remedy"]


def test_ctrl_c_keeps_what_was_compared_and_leaves_with_130(tmp_path: Path) -> None:
    report = tmp_path / "result.json"
    # Leads enough for half a minute; the key is pressed once the first ones have been through.
    command = [*INVOKE, "hil-test", "--target", "host", "--records", "1-200", "--json", str(report)]
    master, slave = pty.openpty()
    terminal = ["setsid", "--ctty", *command]
    with subprocess.Popen(terminal, cwd=paths.ROOT, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        seen = read_until(master, rb" [1-9]\d*/\d+")
        os.write(master, b"\x03")
        seen += read_until(master, None)
        assert process.wait(timeout=60) == 130, seen.decode(errors="replace")
    os.close(master)
    result = json.loads(report.read_text())
    assert (result["verdict"], result["error"]) == ("incomplete", "Interrupted.")
    assert 0 < result["frames"] < 200 * 12 * 4
    assert result["mismatched_bytes"] == 0
    assert b"Traceback" not in seen
    assert (result["planned_records"], result["planned_frames"]) == (200, 200 * 12 * 4)
    words = b" ".join(re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", seen).split())
    assert re.search(rb"INCOMPLETE .* \([\d,]+ of 9,600 frames, \d+ of 200 records\): Interrupted\.", words)


def read_until(master: int, pattern: bytes | None) -> bytes:
    """What a terminal shows until a pattern comes, or until the program has ended."""
    seen = b""
    while pattern is None or not re.search(pattern, seen):
        try:
            chunk = os.read(master, 4096)
        except OSError:
            # The terminal of a program that has ended.
            break
        if not chunk:
            break
        seen += chunk
    return seen


def test_the_result_for_machines_says_what_ran(tmp_path: Path) -> None:
    report = tmp_path / "out.json"
    done = invoke(
        "hil-test", "--target", "host", "--records", "181-182", "--leads", "ii", "--json", str(report), timeout=180
    )
    assert done.returncode == 0, done.stderr
    assert "PASS" in done.stdout
    result = json.loads(report.read_text())
    assert {
        "target",
        "model",
        "model_sha256",
        "build_id",
        "frames",
        "compared_bytes",
        "mismatched_bytes",
        "requests",
        "retries",
        "verdict",
        "records",
        "leads",
        "source",
        "timing",
    } <= set(result)
    assert (result["verdict"], result["frames"], result["mismatched_bytes"]) == ("pass", 8, 0)
    assert result["source"] == ("ludb" if find_ludb() else "synthetic")
    html = paths.REPORTS / "hil-host-seg-4-tcn-sm.html"
    assert "Every byte equal" in html.read_text()


def test_data_that_is_not_there_or_damaged_is_told_with_the_way_to_get_it(tmp_path: Path) -> None:
    parts = message(invoke("data", "--verify", "--folder", str(tmp_path)), 3)
    assert "SHA256SUMS.txt" in parts["what"]
    assert "invoke data" in parts["remedy"]
    parts = message(invoke("data", "--database", "qtdb", "--verify", "--folder", str(tmp_path)), 3)
    assert "invoke data --database qtdb" in parts["remedy"]
    parts = message(invoke("data", "--database", "qtbd"), 2)
    assert "Did you mean 'qtdb'?" in parts["what"]


def test_a_replay_of_a_file_that_is_no_vector_is_told(tmp_path: Path) -> None:
    parts = message(invoke("hil-test", "--target", "host", "--replay", str(tmp_path / "none.npz")), 3)
    assert "none.npz" in parts["what"]
    assert "hil-test" in parts["remedy"]
