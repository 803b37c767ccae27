"""What a model costs on the board is shown with where each figure comes from."""

from __future__ import annotations

import io
import re

from rich.console import Console

from ecgseg.profile.board import BoardProfile
from ecgseg.report.hardware import show_board_profile


def test_the_board_s_figures_say_that_they_are_modelled_and_what_is_not_known() -> None:
    clock = {
        "inference_cycles": 442_196,
        "preprocess_cycles": 47_228,
        "inference_range": (439_162, 459_036),
        "inference_ms": 4.606,
        "preprocess_ms": 0.492,
        "duty": 0.00204,
        "layer_cycles": [400_000, 42_196],
    }
    profile = BoardProfile.model_validate(
        {
            "target": "apollo4p-sim",
            "quality": "modelled",
            "time_base": "cycles",
            "model": "seg-x",
            "tflite_sha256": "00" * 32,
            "bin_sha256": "ab" * 32,
            "build_id": "0" * 16,
            "fs": 100,
            "duration": 2.5,
            "parameters": None,
            "macs": 181_000,
            "flops": 362_000,
            "weighted_f1": 0.9812,
            "arena_bytes": 1168,
            "stack_bytes": 492,
            "flash_bytes": 24_040,
            "layers": ["0 CONV_2D", "1 ADD"],
            "clocks": [
                clock | {"core_hz": 96_000_000, "energy_uj": None, "average_uw": None},
                clock | {"core_hz": 192_000_000, "energy_uj": (24.0, 27.3), "average_uw": (9.6, 10.9)},
            ],
        }
    )
    console = Console(width=140, file=io.StringIO(), record=True)
    show_board_profile(profile, console)
    text = console.export_text()
    for wanted in ("cycles, modelled", "442,196", "439,162 to 459,036", "10-11 µW", "98.1 % F1", "42,196"):
        assert wanted in text
    rows = {line.split()[0]: re.split(r"  +", line.strip())[1:] for line in text.splitlines() if line.strip()}
    assert rows["PARAMS"] == ["-", "-"]
    assert rows["ENERGY"] == ["-", "24-27 µJ"]
