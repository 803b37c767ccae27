"""Target `apollo4p-sim`: the very image that is flashed, in an instruction-set simulator of the Apollo4 Plus.

docs/simulator.md says what is faithful, what is simplified and what only a board can settle.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ecgseg.errors import TargetError, ToolMissingError
from ecgseg.image.boards import APOLLO4P_EVB
from ecgseg.image.build import Image
from ecgseg.targets.apollo4p_sim.command_line import arguments
from ecgseg.targets.base import RunningTarget, TimeQuality
from ecgseg.targets.names import APOLLO4P_SIM
from ecgseg.targets.options import TargetOptions
from ecgseg.targets.process import run_on_pty


def require_unicorn() -> None:
    """Raises ToolMissingError when the instruction-set simulator is not installed."""
    if importlib.util.find_spec("unicorn") is None:
        raise ToolMissingError(
            "The Python package unicorn is not installed.",
            "The target apollo4p-sim executes the image with it.",
            "Run: pip install -e '.[dev]'",
        )


class Apollo4pSimTarget:
    """Runs the BIN of the board `apollo4p_evb`."""

    name = APOLLO4P_SIM
    board = APOLLO4P_EVB
    purpose = "the Apollo4 Plus simulated, cycles modelled"
    time_quality = TimeQuality.MODELLED
    real_port = False
    slowness = 4.0

    @contextmanager
    def open(self, image: Image, options: TargetOptions) -> Iterator[RunningTarget]:
        """Starts the simulator as a process of its own.

        Raises:
            ToolMissingError: Unicorn is not installed.
            TargetError: the image has no BIN, or the program broke a rule of the sheet.
        """
        require_unicorn()
        if image.bin is None:
            raise TargetError("The image has no BIN.", "Only a flat image can be flashed or simulated.", "Build again.")
        command = [sys.executable, "-m", __name__, *arguments(image.bin, image.elf, options.simulator)]
        with run_on_pty(self.name, command, options, answer_seconds=20.0) as running:
            yield running


TARGET = Apollo4pSimTarget()
