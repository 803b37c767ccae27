"""Target `qemu`: the firmware for mps2-an386 in qemu-system-arm, which counts instructions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from ecgseg.image import qemu
from ecgseg.image.build import Image
from ecgseg.targets.base import RunningTarget, TimeQuality
from ecgseg.targets.names import QEMU
from ecgseg.targets.options import TargetOptions
from ecgseg.targets.process import run_on_pty


class QemuTarget:
    """Runs the image of the board `mps2_an386`."""

    name = QEMU
    board = qemu.BOARD
    purpose = "a Cortex-M4F in QEMU, instructions counted"
    time_quality = TimeQuality.COUNTED
    real_port = False
    slowness = 2.0

    @contextmanager
    def open(self, image: Image, options: TargetOptions) -> Iterator[RunningTarget]:
        """Starts QEMU.

        Raises:
            ToolMissingError: it is not installed.
        """
        command = [*_on_one_core(), *qemu.port_command(image.elf, "The target qemu runs the firmware in it.")]
        with run_on_pty(self.name, command, options, answer_seconds=2.0) as running:
            yield running


def _on_one_core() -> list[str]:
    """Prefix that keeps QEMU on one core.

    Every byte of the UART goes back and forth between QEMU's two threads; on one core a hand-over costs about half of
    what it costs across cores, and nothing is lost, because only one of the two has work at a time.
    """
    taskset = shutil.which("taskset")
    if taskset is None:
        return []
    cores = sorted(os.sched_getaffinity(0))
    return [taskset, "--cpu-list", str(cores[os.getpid() % len(cores)])]


TARGET = QemuTarget()
