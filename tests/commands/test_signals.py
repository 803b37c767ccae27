"""Ctrl-C, SIGTERM and SIGHUP at any moment: what was compared or no result, the right exit code, no process left."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
import venv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from invoke.loader import FilesystemLoader

from ecgseg import beginning, paths
from ecgseg.commands.task import Output, declared, options_of

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from stop_at_random import HEARING, Left, left_behind, stopped

pytestmark = pytest.mark.slow

INVOKE = (sys.executable, "-m", "invoke")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
NAMES = {signal.SIGINT: "Interrupted.", signal.SIGTERM: "Stopped by SIGTERM.", signal.SIGHUP: "Stopped by SIGHUP."}
SWALLOWING = """
import os, signal, sys
from ecgseg import interruption
interruption.install()
from ecgseg.commands.guard import guard
with guard():
    try:
        os.kill(os.getpid(), int(sys.argv[1]))
    except:
        {then}
    {after}
"""


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("seconds", [0.0, 0.4, 1.5, 3.0])
def test_a_stopped_test_leaves_what_was_compared_or_nothing(number: int, seconds: float, tmp_path: Path) -> None:
    left = stopped(("--target", "host"), number, seconds, tmp_path, heard_first=True)
    assert left.code == CODES[number], left.told
    assert NAMES[number] in left.told
    assert list(left.faults()) == []
    if left.result is not None:
        assert (left.result["verdict"], left.result["error"]) == ("incomplete", NAMES[number])


def older(**changes: Any) -> Left:
    """What a run leaves that is stopped as it should be, but for some of it."""
    partial = {"verdict": "incomplete", "error": "Stopped by SIGTERM.", "frames": 4, "expected_frames": 8}
    good = Left(signal.SIGTERM, True, 143, "", 0.1, {**partial, "mismatched_bytes": 0}, True, [], [], [])
    return replace(good, **changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"result": None, "has_page": False}, ""),
        ({"heard": False, "code": -15, "result": None, "has_page": False}, ""),
        ({"heard": False, "code": -15, "result": None, "has_page": False, "older": ["result.json"]}, ""),
        ({"code": -15}, "exit code -15"),
        ({"code": 0}, "exit code 0"),
        ({"code": 1}, "exit code 1"),
        ({"told": "Exception ignored in: x"}, "traceback"),
        ({"has_page": False}, "one of JSON and HTML is missing"),
        ({"result": None, "has_page": False, "older": ["result.json"]}, "older result result.json"),
        ({"processes": ["gcc"]}, "process gcc"),
        ({"files": ["tmp/cc1.s"]}, "temporary file tmp/cc1.s"),
    ],
)
def test_what_a_stopped_run_must_not_leave_is_seen(changes: dict[str, Any], told: str) -> None:
    found = list(older(**changes).faults())
    assert len(found) == bool(told)
    assert "".join(found).startswith(told)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"verdict": "pass", "planned_frames": 8}, "pass, though"),
        ({"verdict": "incomplete", "error": "Interrupted."}, "verdict incomplete, Interrupted."),
        ({"frames": 9}, "a result of 9 of 8 frames"),
        ({"mismatched_bytes": 1}, "a result of 4 of 8 frames, 1 bytes"),
    ],
)
def test_a_wrong_result_of_a_stopped_run_is_seen(wrong: dict[str, Any], told: str) -> None:
    partial = older().result
    assert partial is not None
    (found,) = older(result=partial | wrong).faults()
    assert found.startswith(told)


def test_what_outlives_a_run_is_found(tmp_path: Path) -> None:
    mark = f"MARK_OF_A_TEST={tmp_path}"
    with subprocess.Popen(["env", mark, "sleep", "60"]) as process:
        time.sleep(0.3)
        assert left_behind(mark) == ["sleep 60 "]
        process.kill()
    assert left_behind(mark) == []


@pytest.mark.parametrize("number", CODES)
def test_a_signal_before_invoke_is_read_is_heard_and_leaves_no_older_verdict(number: int, tmp_path: Path) -> None:
    """As tools/setup.sh makes an environment; the package that is found in place of invoke sends the signal."""
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    (packages,) = (tmp_path / "venv" / "lib").glob("*/site-packages")
    shutil.copy(paths.ROOT / "tools" / "ecgseg-beginning.pth", packages)
    (tmp_path / "invoke").mkdir()
    (tmp_path / "invoke" / "__init__.py").write_text(f"import os\nos.kill(os.getpid(), {int(number)})\n")
    (tmp_path / "invoke" / "__main__.py").write_text("print('went on')\n")
    result = tmp_path / "result.json"
    result.write_text("pass")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{paths.ROOT / 'host'}"}
    done = subprocess.run(
        [*HEARING, str(python), "-X", "utf8", "-m", "invoke", "hil-test", "--json", str(result)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (CODES[number], "", NAMES[number])
    assert not result.exists()
    # Any other program is left alone, and so is the file that its option names.
    result.write_text("pass")
    program = [str(python), "-c", "import signal; print(signal.getsignal(signal.SIGTERM))", "invoke"]
    done = subprocess.run([*program, "--json", str(result)], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert result.exists()


def test_ctrl_c_before_signals_are_heard_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(words: object) -> None:
        raise KeyboardInterrupt

    ended: list[int] = []
    monkeypatch.setattr(beginning, "begin", interrupted)
    monkeypatch.setattr(os, "_exit", ended.append)
    beginning.at_start_of_python(["python", "-m", "invoke", "zoo"])
    assert ended == [130]


@pytest.mark.parametrize(
    ("words", "program"),
    [
        ("python -m invoke zoo", "invoke zoo"),
        ("python -X dev -W error -Im invoke zoo", "invoke zoo"),
        ("python /a/bin/invoke zoo", "/a/bin/invoke zoo"),
        ("python --check-hash-based-pycs always -u /a/bin/inv", "/a/bin/inv"),
        ("python -c x invoke", ""),
        ("python", ""),
    ],
)
def test_what_python_is_about_to_run_is_read_off_its_command_line(words: str, program: str) -> None:
    assert " ".join(beginning._without_python(words.split())) == program


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        ("BrokenPipeError", beginning.EXIT_BROKEN_PIPE, ""),
        ("KeyboardInterrupt", -signal.SIGINT, "\nInterrupted.\n"),
    ],
)
def test_a_tool_of_the_project_ends_without_a_traceback(raised: str, code: int, told: str, tmp_path: Path) -> None:
    assert str((paths.ROOT / "tools").resolve()) == beginning._TOOLS
    tool = tmp_path / "measure.py"
    program = (
        f"import sys\nfrom ecgseg import beginning\nbeginning._TOOLS = {str(tmp_path.resolve())!r}\n"
        f"beginning.at_start_of_python(sys.orig_argv)\nraise {raised}\n"
    )
    tool.write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT / "host")}
    for place in (str(tool), tool.name):
        done = subprocess.run(
            [sys.executable, place], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (code, told)


def test_a_program_elsewhere_is_no_tool_of_the_project(tmp_path: Path) -> None:
    assert beginning.is_tool([f"{paths.ROOT}/tools/measure_growth.py"])
    for word in (f"{tmp_path}/tools/measure_growth.py", f"{paths.ROOT}/tools/setup.sh", "measure_growth.py", ""):
        assert not beginning.is_tool([word])


@pytest.mark.parametrize("word", ["/invoke/.venv/bin/pytest", "/a/invoke/b/__main__.py", "reinvoke", ""])
def test_a_program_that_merely_lies_in_a_folder_of_that_name_is_not_invoke(word: str) -> None:
    assert not beginning.is_invoke([word])


def test_what_python_cannot_raise_is_no_traceback_when_it_is_a_signal() -> None:
    program = (
        "import os, signal\n"
        "from ecgseg import interruption\n"
        "interruption.install()\n"
        "from ecgseg.commands.guard import guard\n"
        "class Dying:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        print('in vain')\n"
        "with guard():\n"
        "    Dying()\n"
    )
    done = subprocess.run([*HEARING, sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (143, "")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_terminal_that_is_gone_takes_no_result_away(tmp_path: Path) -> None:
    report = tmp_path / "result.json"
    command = [*INVOKE, "hil-test", "--target", "host", "--records", "1-200", "--json", str(report)]
    master, slave = pty.openpty()
    with subprocess.Popen(
        [*HEARING, "setsid", "--ctty", *command], cwd=paths.ROOT, stdin=slave, stdout=slave, stderr=slave
    ) as process:
        os.close(slave)
        seen = b""
        while not re.search(rb" [1-9]\d*/\d+", seen):
            seen += os.read(master, 4096)
        os.close(master)  # The kernel sends SIGHUP, and whatever is written there fails.
        assert process.wait(timeout=60) == 129
    assert json.loads(report.read_text())["error"] == NAMES[signal.SIGHUP]


def test_the_same_signal_twice_at_once_does_not_keep_results_from_being_written() -> None:
    program = (
        "import os, signal\n"
        "from ecgseg import interruption\n"
        "interruption.install()\n"
        "from ecgseg.commands.guard import guard\n"
        "with guard():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    except KeyboardInterrupt:\n"
        "        with interruption.held():\n"
        "            os.kill(os.getpid(), signal.SIGTERM)\n"
        "            os.kill(os.getpid(), signal.SIGHUP)\n"
        "            print('written')\n"
    )
    done = subprocess.run([*HEARING, sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (143, "written\n")


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("then", ["pass", "raise ValueError('bad annotation')", "raise SystemExit(0)"])
@pytest.mark.parametrize("after", ["print('went on')", "interruption.check(); os._exit(1)"])
def test_a_signal_that_a_library_swallows_still_stops_the_task(number: int, then: str, after: str) -> None:
    program = SWALLOWING.format(then=then, after=after)
    done = subprocess.run(
        [*HEARING, sys.executable, "-c", program, str(int(number))], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == CODES[number], done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", CODES)
def test_a_signal_while_results_are_written_waits_for_them(number: int) -> None:
    program = (
        "import os, sys\n"
        "from ecgseg import interruption\n"
        "interruption.install()\n"
        "from ecgseg.commands.guard import guard\n"
        "with guard(), interruption.held():\n"
        "    os.kill(os.getpid(), int(sys.argv[1]))\n"
        "    print('written')\n"
    )
    done = subprocess.run(
        [*HEARING, sys.executable, "-c", program, str(int(number))], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (CODES[number], "written\n")


def test_a_signal_while_the_menu_is_imported_is_no_traceback() -> None:
    program = (
        "import os, signal, sys\n"
        "sys.argv = ['invoke', 'zoo']\n"
        "class Finder:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'ecgseg.commands.zoo':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.path.insert(0, os.getcwd())\n"
        "import tasks\n"
    )
    done = subprocess.run(
        [*HEARING, sys.executable, "-c", program], cwd=paths.ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr.strip()) == (130, "Interrupted.")


def test_what_nohup_ignores_stays_ignored() -> None:
    program = (
        "import os, signal\n"
        "from ecgseg import interruption\n"
        "interruption.install()\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "print('went on')\n"
    )
    done = subprocess.run(["nohup", sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "went on\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("hil-test", "--target", "apollo4p", "--port", "/dev/nothing-here"),
        ("hil-test", "--target", "host", "--records", "999"),
        ("hil-test", "--target", "nowhere"),
        ("hil-test", "--target", "host", "--port", "/dev/ttyACM0"),
        ("hil-test", "--target", "host", "--replay", "nothing.npz"),
        ("profile", "--model", "nothing"),
        ("evaluate", "--records", "999"),
        ("build", "--model", "nothing"),
        ("flash", "--model", "nothing"),
        ("hil-test", "--target", "host", "--rceords", "1"),
        ("hil-test", "--target", "host", "--baud", "fast"),
    ],
    ids=" ".join,
)
def test_a_run_that_stops_before_it_starts_leaves_no_older_verdict(arguments: tuple[str, ...], tmp_path: Path) -> None:
    places = {"--json": tmp_path / "result.json"}
    if arguments[0] in ("hil-test", "evaluate"):
        places["--html"] = tmp_path / "report.html"
    for place in places.values():
        place.write_text("pass")
    words = [str(word) for pair in places.items() for word in pair]
    done = subprocess.run([*INVOKE, *arguments, *words], cwd=paths.ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode not in (0, 1), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_result_that_a_task_can_name_is_removed_at_the_start(tmp_path: Path) -> None:
    menu, _ = FilesystemLoader(start=str(paths.ROOT)).load("tasks")
    flags = {
        field.flag
        for module in menu.TASKS
        for field in declared(options_of(module.run))
        if field.output is Output.RESULT
    }
    assert flags == set(beginning.FLAGS)
    for words in (["--json", str(tmp_path / "a")], [f"--html={tmp_path / 'a'}"], ["x", "--html"], ["--json", "-"]):
        (tmp_path / "a").write_text("pass")
        beginning.discard(["invoke", "hil-test", *words])
        assert (tmp_path / "a").exists() == (str(tmp_path) not in "".join(words))
    (tmp_path / "a").write_text("pass")
    beginning.discard(["invoke", "hil-test", "--json", str(tmp_path / "a"), "--help"])
    beginning.discard(["invoke", "hil-test", "--json", str(tmp_path)])
    assert (tmp_path / "a").exists()


def test_a_result_on_standard_output_is_alone_there() -> None:
    arguments = ("hil-test", "--target", "host", "--records", "1", "--leads", "ii", "--json", "-")
    done = subprocess.run([*INVOKE, *arguments], cwd=paths.ROOT, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout)["verdict"] == "pass"
    assert "PASS" in done.stderr
    assert not (paths.ROOT / "-").exists()
    both = subprocess.run([*INVOKE, *arguments, "--html", "-"], cwd=paths.ROOT, capture_output=True, text=True)
    assert both.returncode == 2
    assert "standard output" in both.stderr
