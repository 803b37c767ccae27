"""The page in a browser, on a target: it draws, obeys, and goes on after a target, a socket or a page has gone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb

from ecgseg import paths
from ecgseg.monitor.server import serving
from ecgseg.monitor.session import Session, Wanted
from ecgseg.monitor.sources import Source
from ecgseg.report.monitor import render_monitor
from support.chromium import PHONE, barriers, complaints, overflow, show_as
from support.monitor_double import BenchDouble, Ramp
from support.recordings import write_recording

pytestmark = pytest.mark.slow
HOSTILE = "<img src=x onerror=document.title='taken'>"
WAIT_SECONDS = 90
KEEP_SOCKETS = """
    window.sockets = [];
    window.WebSocket = class extends WebSocket { constructor(...words) { super(...words); sockets.push(this); } };
"""


def recording(folder: Path) -> Path:
    """Twelve channels of 20 s at 500 Hz, beats and a gap in all of them, hostile names."""
    time_s = np.arange(20 * 500) / 500
    beat = time_s % 0.8
    waves = [(0.15, 0.02, 0.15), (0.32, 0.008, 1.2), (0.55, 0.04, 0.3)]
    ecg = sum(height * np.exp(-((beat - at) ** 2) / (2 * width**2)) for at, width, height in waves)
    signals = np.stack([np.asarray(ecg) * (0.5 + 0.1 * channel) for channel in range(12)], axis=1)
    signals[8 * 500 : 9 * 500] = np.nan
    names = ["I", "II", HOSTILE, *(f"V{number}" for number in range(1, 10))]
    return write_recording(folder, "twelve", 500, signals, names=names)


# Who starts the tests in the background ignores Ctrl-C, and so would what they start.
HEARING = ("env", "--default-signal=INT,TERM,HUP")


class Monitor:
    """`invoke monitor` as a process, and a page that looks at it."""

    def __init__(self, target: str, folder: Path, window: Any) -> None:
        self.window, self.folder = window, folder
        words = [
            "monitor", "--target", target, "--record", str(recording(folder)), "--out", str(folder / "out"),
            "--model", "stream-4-tcn-sm", "--speed", "4",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            [*HEARING, sys.executable, "-m", "invoke", *words], cwd=paths.ROOT, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        assert self.process.stdout
        self.address = self.process.stdout.readline().split()[-1]
        window.get(self.address)

    def text(self, place: str) -> str:
        return str(self.window.execute_script("return document.getElementById(arguments[0]).textContent", place))

    def until(self, is_so: Callable[[], object]) -> None:
        """Waits until something is so."""
        end = time.monotonic() + WAIT_SECONDS
        while not is_so():
            assert time.monotonic() < end, (self.text("status"), self.text("what"))
            time.sleep(0.1)

    def until_beats(self) -> None:
        """Waits for the rate of the recording."""
        self.until(lambda: self.text("status") == "Running" and self.text("rate") == "75")

    def choose(self, place: str, value: str) -> None:
        script = (
            "const list = document.getElementById(arguments[0]); list.value = arguments[1];"
            "list.dispatchEvent(new Event('change'))"
        )
        self.window.execute_script(script, place, value)

    def click(self, place: str) -> None:
        self.window.execute_script("document.getElementById(arguments[0]).click()", place)

    def drawn(self) -> list[int]:
        """Pixels of each canvas that are of the signal: about the colour of ink."""
        script = """
            const ink = getComputedStyle(document.body).color.match(/\\d+/g).map(Number);
            return [...document.querySelectorAll('canvas')].map(canvas => {
                const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
                let count = 0;
                for (let at = 0; at < data.length; at += 4) {
                    count += [0, 1, 2].every(part => Math.abs(data[at + part] - ink[part]) < 40);
                }
                return count;
            })"""
        return [int(count) for count in self.window.execute_script(script)]

    def next_frame(self) -> None:
        """Waits until what was asked for is drawn."""
        twice = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))"
        self.window.execute_async_script(twice)

    def kill_the_target(self) -> None:
        """Kills the process that the monitor started."""
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True)
        (child,) = (int(pid) for pid in listed.stdout.split())
        os.kill(child, signal.SIGKILL)


@pytest.fixture(params=["host", pytest.param("qemu", marks=pytest.mark.qemu)])
def monitor(request: pytest.FixtureRequest, tmp_path: Path, chromium: Any) -> Iterator[Monitor]:
    opened = Monitor(request.param, tmp_path, chromium)
    try:
        yield opened
    finally:
        opened.process.kill()
        opened.process.wait()


def test_the_page_goes_on_whatever_happens(monitor: Monitor) -> None:
    window = monitor.window
    monitor.until_beats()
    shown = monitor.drawn()
    assert len(shown) == 12
    assert min(shown) > 100
    # Names are data.
    assert window.title == "twelve – monitor"
    assert window.execute_script("return document.querySelectorAll('img').length") == 0
    assert HOSTILE in monitor.text("others")
    # Another lead, with its own figures.
    monitor.choose("lead", "2")
    monitor.until(lambda: monitor.text("lead-name") == HOSTILE)
    monitor.until_beats()
    # What is shown is recorded.
    monitor.click("write")
    monitor.until(lambda: monitor.text("written").startswith("Records to"))
    # The target dies: the page says so, and the stream goes on.
    monitor.kill_the_target()
    monitor.until(
        lambda: "has ended with exit code" in monitor.text("what") or "does not answer" in monitor.text("what")
    )
    monitor.until_beats()
    monitor.click("write")
    monitor.until(lambda: monitor.text("written").startswith("Recorded: "))
    base = re.sub(r"^Recorded: |\.hea, .*$", "", monitor.text("written"))
    assert wfdb.rdrecord(base).n_sig == 12
    assert Path(f"{base}.ecgseg").is_file()
    # The page is opened anew, and is where the stream is.
    window.get("about:blank")
    window.get(monitor.address)
    monitor.until_beats()
    assert complaints(window) == []
    # The monitor ends.
    monitor.process.send_signal(signal.SIGINT)
    monitor.until(lambda: monitor.text("status") == "The monitor has ended")
    assert monitor.process.wait(30) == 0


def test_there_is_paper_before_the_first_sample_comes(tmp_path: Path, chromium: Any) -> None:
    session = Session(BenchDouble(), [Source("A ramp", Ramp)], Wanted(1.0, "none", tmp_path))
    facts: dict[str, str | float] = {"model": "a model", "target": "host", "speed": 1.0}
    with serving(session, render_monitor(), facts) as address:
        chromium.get(address)
        end = time.monotonic() + WAIT_SECONDS
        while chromium.execute_script("return document.querySelectorAll('canvas').length") < 2:
            assert time.monotonic() < end
            time.sleep(0.1)
        corners = chromium.execute_script(
            "return [...document.querySelectorAll('canvas')]"
            ".map((canvas) => Math.max(...canvas.getContext('2d').getImageData(2, 2, 1, 1).data.slice(0, 3)))"
        )
    assert min(corners) > 0


def test_the_page_on_a_phone_paused_and_cut_off(tmp_path: Path, chromium: Any) -> None:
    keep = {"source": KEEP_SOCKETS}
    kept = chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", keep)["identifier"]
    monitor = Monitor("host", tmp_path, chromium)
    try:
        show_as(chromium, PHONE, 1200)
        monitor.until_beats()
        assert overflow(chromium) == 0
        assert barriers(chromium) == []
        # More than fits on the page, to be looked back at.
        monitor.until(lambda: chromium.execute_script("return performance.now()") > 4000)
        monitor.click("pause")
        monitor.next_frame()
        still = monitor.drawn()
        assert monitor.text("pause") == "Go on"
        monitor.until(lambda: chromium.execute_script("return performance.now()") > 4500)
        monitor.next_frame()
        assert monitor.drawn() == still
        script = "const back = document.getElementById('back'); back.value = 2; back.dispatchEvent(new Event('input'))"
        chromium.execute_script(script)
        monitor.until(lambda: monitor.text("back-told") == "2.0 s before")
        monitor.until(lambda: monitor.drawn() != still)
        monitor.click("pause")
        # The socket is cut, and asked for again from where the page is.
        chromium.execute_script("sockets[0].close()")
        monitor.until(lambda: chromium.execute_script("return sockets.length") == 2)
        assert re.search(r"take=1&head=[1-9]\d\d+$", chromium.execute_script("return sockets[1].url"))
        monitor.until_beats()
    finally:
        monitor.process.kill()
        monitor.process.wait()
        chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": kept})
