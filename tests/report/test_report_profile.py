"""What a model costs is shown whole: every layer, the sums, and that it was counted."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from ecgseg.profile import Profile
from ecgseg.report.profile import show_profile, write_profile_picture

PROFILE = Profile.model_validate(
    {
        "target": "qemu",
        "model": "seg-x",
        "sha256": "00" * 32,
        "unit": "instructions",
        "instructions_per_frame": 123_456,
        "preprocess_instructions_per_frame": 30_001,
        "macs": 100_000,
        "instructions_per_mac": 1.23,
        "arena_bytes": 2400,
        "stack_bytes": 252,
        "flash_bytes": 600,
        "flash": {"code": 250, "forms": 50, "weights": 200, "tables": 100},
        "compiler": "gcc 1",
        "emulator": "QEMU 7",
        "layers": [
            {
                "index": index,
                "name": name,
                "operator": index,
                "shape": [1, 125, 16],
                "macs": macs,
                "instructions": instructions,
                "instructions_per_mac": instructions / macs if macs else None,
            }
            for index, (name, macs, instructions) in enumerate([("CONV_2D", 100_000, 100_456), ("ADD", 0, 23_000)])
        ],
    }
)


def test_the_table_shows_every_layer_the_sums_and_the_unit() -> None:
    console = Console(width=140, file=io.StringIO(), record=True)
    show_profile(PROFILE, console)
    text = console.export_text()
    for wanted in ("CONV_2D", "100,456", "1.00", "ADD", "23,000", "123,456", "1.23", "30,001", "2,400", "not cycles"):
        assert wanted in text
    bars = [line.count("█") for line in text.splitlines() if "█" in line]
    assert bars[0] == 12
    assert 2 <= bars[1] <= 3


def test_the_picture_is_a_png_and_the_same_every_time(tmp_path: Path) -> None:
    write_profile_picture(PROFILE, tmp_path / "a.png")
    write_profile_picture(PROFILE, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
