"""Ctrl-C, SIGTERM and SIGHUP at any moment: what was compared or no result, the right exit code, no process left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from invoke.loader import FilesystemLoader

from ecgseg import beginning, paths
from ecgseg.commands.task import Output, declared, options_of

pytestmark = pytest.mark.slow

INVOKE = (sys.executable, "-m", "invoke")
# Tests that a shell runs in the background are started with SIGINT ignored, which a child would inherit.
HEARING = ("env", "--default-signal=INT,TERM,HUP")
FRAMES_PER_LEAD = 4
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


def left_behind(mark: str) -> list[str]:
    """Command lines of this machine's processes that have a mark in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and mark.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            # It has ended, or is not ours.
            continue
    return found


def wait_until_it_hears(pid: int) -> None:
    """Waits for the handlers, which are installed when Python and invoke have started."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/status").read_text()
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        if all(caught >> number - 1 & 1 for number in CODES):
            return
        time.sleep(0.01)
    raise AssertionError("invoke does not start")


def stopped_after(seconds: float, number: int, folder: Path) -> tuple[int, str, Path]:
    """Exit code, messages and place of the result of a HIL test that is stopped so long after its first line."""
    report = folder / "result.json"
    report.write_text('{"verdict": "pass"}')
    arguments = ("hil-test", "--target", "host", "--json", str(report), "--html", str(folder / "report.html"))
    with subprocess.Popen(
        [*HEARING, f"STOPPED_TEST={folder}", *INVOKE, *arguments],
        cwd=paths.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        wait_until_it_hears(process.pid)
        time.sleep(seconds)
        process.send_signal(number)
        told = process.communicate(timeout=60)[0]
    return process.returncode, told, report


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("seconds", [0.0, 0.4, 1.5, 3.0])
def test_a_stopped_test_leaves_what_was_compared_or_nothing(number: int, seconds: float, tmp_path: Path) -> None:
    code, told, report = stopped_after(seconds, number, tmp_path)
    assert code == CODES[number], told
    assert NAMES[number] in told
    assert "Traceback" not in told
    if report.exists():
        result = json.loads(report.read_text())
        assert (result["verdict"], result["error"]) == ("incomplete", NAMES[number])
        assert result["mismatched_bytes"] == 0
        assert 0 <= result["frames"] <= result["expected_frames"]
        assert (tmp_path / "report.html").exists()
    assert left_behind(str(tmp_path)) == []


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
