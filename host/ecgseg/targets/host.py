"""Target `host`: the firmware as a native process under ASan and UBSan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ecgseg.image import boards
from ecgseg.image.build import Image
from ecgseg.targets.base import RunningTarget, TimeQuality
from ecgseg.targets.names import HOST
from ecgseg.targets.options import TargetOptions
from ecgseg.targets.process import run_on_pty


class HostTarget:
    """Runs the image of the board `host`."""

    name = HOST
    board = boards.HOST
    purpose = "this computer, under sanitizers"
    time_quality = TimeQuality.MEASURED
    real_port = False
    slowness = 1.0

    @contextmanager
    def open(self, image: Image, options: TargetOptions) -> Iterator[RunningTarget]:
        """Starts the process; a sanitizer's report becomes a TargetError."""
        with run_on_pty(self.name, [str(image.elf)], options, ends_with_port=True) as running:
            yield running


TARGET = HostTarget()
