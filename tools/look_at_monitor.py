"""Opens `invoke monitor` in a Chromium without a window: counts frames and memory, or takes the moving picture.

    python tools/look_at_monitor.py --minutes 60                       a line a minute
    python tools/look_at_monitor.py --picture docs/images/monitor.webp

Needs the extra `browser` (make setup EXTRAS=dev,browser) and LUDB, else the ECG is synthetic. Frames are those that the
page was asked to draw (requestAnimationFrame); memory is JavaScript's after its rubbish was collected, without the
buffers of the signal; nodes are those of the document, and beside them stands what the server, with the target's
process, has in memory (VmRSS of /proc).
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

from ecgseg.output import write_bytes  # noqa: E402

_COUNT = "window.frames_ = 0; (function next() { window.frames_++; requestAnimationFrame(next); })()"
# The picture: its size; seconds of signal of it, before it and from one of its frames to the next; how good it is. The
# stream is slowed down, and the picture as fast as the signal again, for to take a frame takes longer than to show it.
_WIDTH, _HEIGHT = 1160, 640
_PICTURE_SECONDS, _BEFORE_SECONDS, _FRAME_SECONDS, _QUALITY = 8.0, 14.0, 0.1, 70
_SPEED = 0.25


@contextmanager
def monitoring(target: str, speed: float = 1.0) -> Iterator[tuple[str, int]]:
    """The task as a process; yields the page's address and the number of the process."""
    command = [sys.executable, "-m", "invoke", "monitor", "--target", target, "--speed", str(speed)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT / "host")}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        yield process.stdout.readline().split()[-1], process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


@contextmanager
def browsing(width: int, height: int) -> Iterator[Chrome]:
    """Chromium with a window of so many pixels that nobody sees."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    with tempfile.TemporaryDirectory() as profile:
        for word in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
        ):
            options.add_argument(word)
        service = webdriver.ChromeService(executable_path=str(shutil.which("chromedriver")))
        window = webdriver.Chrome(options=options, service=service)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        try:
            yield window
        finally:
            window.quit()


def resident(process: int) -> int:
    """Bytes of memory that a process and all that it started hold (Linux)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    own = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)
    children = [
        int(word)
        for task in Path(f"/proc/{process}/task").iterdir()
        for word in (task / "children").read_text(encoding="ascii").split()
    ]
    return 1024 * own + sum(resident(child) for child in children)


def measure(target: str, minutes: int) -> None:
    """Prints frames a second, memory and nodes, a line a minute."""
    with monitoring(target) as (address, server), browsing(1400, 1400) as window:
        window.get(address)
        time.sleep(10)
        window.execute_cdp_cmd("Performance.enable", {})
        window.execute_script(_COUNT)
        before, begun = 0, time.monotonic()
        for minute in range(1, minutes + 1):
            time.sleep(max(0.0, begun + 60 * minute - time.monotonic()))
            frames = int(window.execute_script("return window.frames_"))
            window.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
            told = window.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
            page = {one["name"]: one["value"] for one in told}
            status = window.execute_script("return document.getElementById('status').textContent")
            print(
                f"{minute} min: {(frames - before) / 60:.1f} frames a second, {page['JSHeapUsedSize'] / 1e6:.3f} MB, "
                f"{page['Nodes']:,} nodes, server {resident(server) / 1e6:.1f} MB, {status}",
                flush=True,
            )
            before = frames


def picture(target: str, path: Path) -> None:
    """Writes the moving picture."""
    from PIL import Image

    with monitoring(target, _SPEED) as (address, _), browsing(_WIDTH, _HEIGHT) as window:
        window.get(address)
        time.sleep(_BEFORE_SECONDS / _SPEED)
        shots: list[Image.Image] = []
        times: list[float] = []
        begun = time.monotonic()
        while (time.monotonic() - begun) * _SPEED < _PICTURE_SECONDS:
            told = window.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
            times.append(time.monotonic())
            shots.append(Image.open(io.BytesIO(base64.b64decode(told["data"]))).convert("RGB"))
            time.sleep(max(0.0, begun + len(times) * _FRAME_SECONDS / _SPEED - time.monotonic()))
    ends = [*times[1:], times[-1] + _FRAME_SECONDS / _SPEED]
    lengths = [round(1000 * _SPEED * (end - start)) for start, end in zip(times, ends, strict=True)]
    buffer = io.BytesIO()
    options = {"quality": _QUALITY, "method": 6, "minimize_size": True, "loop": 0}
    shots[0].save(buffer, "WEBP", save_all=True, append_images=shots[1:], duration=lengths, **options)
    write_bytes(path, buffer.getvalue())
    print(f"{path}: {len(shots)} frames, {len(buffer.getvalue()):,} B")


def main() -> None:
    """Does what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="host", help="where the stream runs")
    parser.add_argument("--minutes", type=int, help="count frames and memory for so long")
    parser.add_argument("--picture", type=Path, help="take the moving picture")
    words = parser.parse_args()
    if words.minutes:
        measure(words.target, words.minutes)
    if words.picture:
        picture(words.target, words.picture)


if __name__ == "__main__":
    main()
