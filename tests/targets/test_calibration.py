"""The calibration of the timing model: the committed table agrees with itself and with what is written about it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.profile.board import INFERENCE_MILLIWATTS
from ecgseg.targets.calibration import TABLE, Calibration, Part, Witness, calibration
from support.drivers import HAS_ARM_COMPILER

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import sleepkit_witness
from calibrate_timing import NOTE, calibration_of, model_cycles
from timing_witnesses import SHORTEST, SOURCES

PAGE = (paths.ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")


def witness(*ratios: float, same_part: bool = False, not_counting: tuple[float, ...] = ()) -> Witness:
    parts = [
        Part(name=f"{ratio}", measured=1e6 * ratio, modelled=1_000_000, counts=counts)
        for counts, group in ((True, ratios), (False, not_counting))
        for ratio in group
    ]
    return Witness(name="x", repository="", commit="", silicon=[], same_part=same_part, files=[], parts=parts)


def test_the_committed_table_holds_what_its_own_cycles_give() -> None:
    held = json.loads(TABLE.read_text(encoding="utf-8"))
    made = calibration_of(calibration().witnesses, calibration().compiler, calibration().model)
    assert held == made.model_dump(mode="json")
    assert held["note"] == list(NOTE)
    assert calibration().factors == (held["low"], held["factor"], held["high"])
    assert held["low"] <= held["factor"] <= held["high"]


def test_the_committed_table_names_the_sources_of_the_tool_and_what_they_published() -> None:
    held = {(found.repository, found.commit): found for found in calibration().witnesses}
    told = {(source.address, source.commit): source for source in SOURCES}
    libraries = {(sleepkit_witness.ADDRESS, library.commit) for library in sleepkit_witness.LIBRARIES}
    assert held.keys() == told.keys() | libraries
    for key, source in told.items():
        published = [(part.name, round(part.cycles, 1)) for program in source.programs for part in program.parts]
        assert [(part.name, part.measured) for part in held[key].parts] == published
    for found in held.values():
        assert found.files
        assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256) for file in found.files)
        assert [part.counts for part in found.parts] == [part.modelled >= SHORTEST for part in found.parts]


def test_the_factor_comes_from_the_same_part_and_the_range_from_every_part_that_counts() -> None:
    witnesses = [
        witness(0.991, 1.02),
        witness(1.04, 1.06, same_part=True),
        witness(1.1291, same_part=True),
        witness(1.0, not_counting=(0.5, 2.0)),
    ]
    made = calibration_of(witnesses, "gcc", {})
    assert made.factor == pytest.approx((1.05 * 1.1291) ** 0.5, abs=0.005)
    assert (made.low, made.high) == (0.99, 1.13)


@pytest.mark.skipif(not HAS_ARM_COMPILER, reason="needs arm-none-eabi-gcc")
def test_the_timing_model_is_the_one_that_was_calibrated(tmp_path: Path) -> None:
    assert model_cycles(tmp_path / "mix") == calibration().model, "run tools/calibrate_timing.py again"


def test_a_ratio_is_silicon_over_model_and_that_of_a_witness_weighs_its_parts_by_cycles() -> None:
    parts = [Part(name="a", measured=300, modelled=200), Part(name="b", measured=700, modelled=800)]
    found = Witness(name="x", repository="", commit="", silicon=[], same_part=False, files=[], parts=parts)
    assert [part.ratio for part in parts] == [1.5, 0.875]
    assert found.ratio == 1.0


def test_a_part_without_cycles_is_no_part() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Part(name="x", measured=1.0, modelled=0)
    with pytest.raises(ValueError, match="factor"):
        Calibration.model_validate({"note": [], "compiler": "", "low": 1.0, "high": 1.0, "witnesses": []})


def test_the_page_of_the_simulator_tells_factor_range_and_every_witness_as_the_table_does() -> None:
    held = calibration()
    assert f"**{held.factor:g}** over the clock" in PAGE
    assert f"**{held.low:g} to {held.high:g}**" in PAGE
    rows = [line for line in PAGE.splitlines() if re.search(r"\| \d\.\d{3} \| ", line)]
    assert len(rows) == len(held.witnesses)
    for found, row in zip(held.witnesses, rows, strict=True):
        ratios = sorted(part.ratio for part in found.counting)
        told = [float(text) for text in re.findall(r"\d\.\d{3}", row)]
        assert told == [round(found.ratio, 3), round(ratios[0], 3), round(ratios[-1], 3)]
    assert f"{INFERENCE_MILLIWATTS[0]} mW" in PAGE
    assert f"{INFERENCE_MILLIWATTS[1]} mW" in PAGE.replace("\n", " ")
