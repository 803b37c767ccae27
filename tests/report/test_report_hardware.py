"""What a model costs on the board is shown with where each figure comes from."""

from __future__ import annotations

import io
import re

from rich.console import Console

from ecgseg.profile.board import BoardProfile
from ecgseg.report.hardware import hardware_page, show_board_profile

CLOCK = {
    "inference_cycles": 442_196,
    "preprocess_cycles": 47_228,
    "inference_range": (439_162, 459_036),
    "inference_ms": 4.606,
    "preprocess_ms": 0.492,
    "frame_ms_range": (4.9, 5.6),
    "duty": 0.00204,
    "duty_range": (0.00196, 0.00224),
    "layer_cycles": [400_000, 42_196],
}
MEASURED = {"inference_range": None, "frame_ms_range": None, "duty_range": None}


def profile(
    quality: str = "modelled", calibration: tuple[float, float, float] | None = (0.98, 1.05, 1.12)
) -> BoardProfile:
    """What a model costs, with the ranges of a simulated board or without them."""
    clock = CLOCK if calibration else CLOCK | MEASURED
    return BoardProfile.model_validate(
        {
            "target": "apollo4p-sim",
            "quality": quality,
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
            "calibration": calibration,
        }
    )


def shown(figures: BoardProfile) -> str:
    console = Console(width=140, file=io.StringIO(), record=True)
    show_board_profile(figures, console)
    return console.export_text()


def test_the_board_s_figures_say_that_they_are_modelled_and_what_is_not_known() -> None:
    text = shown(profile())
    for wanted in ("cycles, modelled", "442,196", "439,162 to 459,036", "10-11 µW", "98.1 % F1", "42,196"):
        assert wanted in text
    rows = {line.split()[0]: re.split(r"  +", line.strip())[1:] for line in text.splitlines() if line.strip()}
    assert rows["PARAMS"] == ["-", "-"]
    assert rows["ENERGY"] == ["-", "24-27 µJ"]


def test_modelled_times_and_loads_come_with_their_range_and_cycles_say_that_they_are_not_calibrated() -> None:
    text, page = shown(profile()), hardware_page([profile()])
    rows = {line.split()[0]: re.split(r"  +", line.strip())[1:] for line in text.splitlines() if line.strip()}
    assert rows["TIME"] == ["5.10 (4.90 to 5.60) ms"] * 2
    assert "times modelled and calibrated (cycles times 1.05, 0.98 to 1.12)" in text
    assert "Core cycles per layer, modelled, not calibrated" in text
    for told in (" ".join(text.split()), page):
        assert told.count("442,196 cycles (best to worst case of the model 439,162 to 459,036)") == 2
        assert told.count("cycles, modelled, not calibrated; 5.10 (4.90 to 5.60) ms a frame, calibrated") == 2
        assert told.count("the core works 0.20 (0.20 to 0.22) % of the time") == 2
        # No time of a frame stands anywhere without its range.
        assert len(re.findall(r"\d ms\b", told)) == 0
    assert page.count("| 5.10 (4.90 to 5.60) ms |") == 2
    assert "| *modelled, calibrated* |" in page
    assert "modelled cycles times 1.05, in brackets times 0.98 to 1.12" in page


def test_measured_times_are_shown_as_they_are() -> None:
    text, page = shown(profile("measured", None)), hardware_page([profile("measured", None)])
    assert "seg-x on apollo4p-sim: times measured" in text
    assert page.count("| 5.10 ms |") == 2
    for told in (text, page):
        assert told.count("47,228 cycles, measured; 5.10 ms a frame: at a frame") == 2
        assert "calibrated (" not in told
        assert "not calibrated" not in told
