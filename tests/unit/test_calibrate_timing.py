"""tools/calibrate_timing.py: programs of a repository are built, run and compared, and what is missing is told."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from ecgseg.errors import BuildError, DataError, UsageError
from support.drivers import HAS_ARM_COMPILER

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import calibrate_timing
import sleepkit_witness
import timing_witnesses
from timing_witnesses import TOO_SHORT, Measured, Program, Source, measure
from witness_images import Checkout, from_keil

needs_compiler = pytest.mark.skipif(not HAS_ARM_COMPILER, reason="needs arm-none-eabi-gcc")

# 4000 rounds of ADDS 1, SUBS 1, BNE 2, and what comes before and behind them.
ROUNDS, ROUND_CYCLES = 4000, 4
LOOP = """
    ; a comment
    area |.text|, code, readonly
    gbla rounds
rounds seta 4000
    align 4
adds_up proc
    export adds_up
    frame push {lr}
    movs r0,#0
    ldr r1,=rounds
0
    adds r0,#1
    subs r1,#1
    bne %b0
    if rounds == 1
    udf #0
    else
    vmov d2[1],r0 ; s5
    vmov r0,s5
    endif
    bx lr
    endp
    end
"""
DRIVER = """
#include "witness.h"
uint32_t adds_up(void);
bool witness_run(void)
{
    const uint32_t start = witness_now();
    const uint32_t sum = adds_up();
    const uint32_t end = witness_now();
    witness_tell(end - start);
    witness_tell(7);
    return sum == RESULT;
}
"""


def repository(folder: Path, files: Mapping[str, str]) -> str:
    """A git repository with one commit of these files; its SHA-1."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@x"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "All"]):
        subprocess.run([*git, *command], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def source(commit: str, result: int = ROUNDS) -> Source:
    """A source of one program, whose loop is said to take 6 % more than it does by Arm's cycles."""
    parts = (Measured("loop", 1.06 * ROUNDS * ROUND_CYCLES, "counted"), Measured("nothing", 7.0))
    program = Program("loop", "driver.c", ("loop.s",), parts, flags=(f"-DRESULT={result}u",), keil=True)
    return Source("loop", "Loop", "https://example.org/loop", commit, "a board", (program,), same_part=True)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A driver of the test's own instead of those of tools/witness."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "driver.c").write_text(DRIVER, encoding="utf-8")
    monkeypatch.setattr(timing_witnesses, "OWN", folder)
    return folder


@needs_compiler
def test_a_witness_is_built_at_its_commit_and_told_with_silicon_over_model(tmp_path: Path, own: Path) -> None:
    clone = tmp_path / "clone"
    commit = repository(clone, {"loop.s": LOOP})
    (clone / "loop.s").write_text("what lies in the work tree is not what is measured", encoding="utf-8")
    found = measure(source(commit), clone, tmp_path / "work")
    loop, nothing = found.parts
    assert loop.modelled == pytest.approx(ROUNDS * ROUND_CYCLES, rel=0.002)
    assert loop.ratio == pytest.approx(1.06, abs=0.003)
    assert (loop.counts, loop.note) == (True, "counted")
    assert (nothing.counts, nothing.note) == (False, TOO_SHORT)
    assert found.ratio == loop.ratio
    assert found.commit == commit
    assert [file.path for file in found.files] == ["loop.s"]
    assert calibrate_timing.calibration_of([found], "gcc", {}).factor == 1.06


@needs_compiler
def test_a_witness_that_computes_something_wrong_is_none(tmp_path: Path, own: Path) -> None:
    commit = repository(tmp_path / "clone", {"loop.s": LOOP})
    with pytest.raises(BuildError, match="computes something wrong"):
        measure(source(commit, result=ROUNDS + 1), tmp_path / "clone", tmp_path / "work")


def test_what_is_no_clone_or_lacks_the_commit_or_a_file_is_told_with_what_to_fetch(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    commit = repository(clone, {"readme": "x"})
    for folder, wanted in ((tmp_path / "absent", commit), (tmp_path, commit), (clone, "1" * 40)):
        with pytest.raises(UsageError, match="has no commit") as caught:
            Checkout(folder, wanted, "https://example.org/loop").require()
        assert "git clone https://example.org/loop" in caught.value.remedy
    with pytest.raises(UsageError, match=r"has no loop\.s"):
        Checkout(clone, commit, "https://example.org/loop").read("loop.s")


def test_without_any_clone_the_tool_says_what_to_fetch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["calibrate_timing.py"])
    with pytest.raises(SystemExit) as caught:
        calibrate_timing.main()
    assert caught.value.code == UsageError.exit_code
    said = capsys.readouterr().err
    for option, address in calibrate_timing.ADDRESSES.items():
        assert f"git clone {address}" in re.sub(r"\s+", " ", said)
        assert f"--{option} DIR" in said


@needs_compiler
def test_the_table_stays_while_a_clone_is_missing_and_is_written_with_all(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clone, table = tmp_path / "clone", calibrate_timing.ROOT / "build" / f"{tmp_path.name}.json"
    monkeypatch.setattr(calibrate_timing, "SOURCES", (source(repository(clone, {"loop.s": LOOP})),))
    monkeypatch.setattr(calibrate_timing, "TABLE", table)
    monkeypatch.setattr(sys, "argv", ["calibrate_timing.py", "--loop", str(clone)])
    monkeypatch.setattr(calibrate_timing, "ADDRESSES", {"loop": "", "other": ""})
    calibrate_timing.main()
    assert "needs --other too" in capsys.readouterr().out
    assert not table.exists()
    monkeypatch.setattr(calibrate_timing, "ADDRESSES", {"loop": ""})
    calibrate_timing.main()
    said = capsys.readouterr().out
    held = calibrate_timing.Calibration.model_validate_json(table.read_text(encoding="utf-8"))
    table.unlink()
    assert held.factor == 1.06
    assert "Loop (the same part): 1.0" in said
    assert "does not count" in said


def test_the_chart_of_sleepkit_is_read_as_two_hours_at_192_mhz_and_anything_else_refused() -> None:
    names = ",".join(f'"{name}"' for name in sleepkit_witness.BLOCKS)
    chart = f'"orientation":"h","x":[1.5,2,3,4,5,6,7,8],"y":[{names}],"type":"bar"'
    assert sleepkit_witness.block_cycles(chart)["ENC"] == pytest.approx(2 * 1.5e-3 * 192e6)
    with pytest.raises(DataError):
        sleepkit_witness.block_cycles(chart.replace("ENC", "DEC2"))
    table = "| 2-Stage Sleep  | 10K | 1.7M/hr | 88.8% F1   |  11M/hr    | 58ms/hr    |  35KB | 193KB |  53KB |"
    assert sleepkit_witness.table_cycles(f"x\n{table}\n") == pytest.approx(2 * 58e-3 * 192e6)
    with pytest.raises(DataError):
        sleepkit_witness.table_cycles(table.replace("/hr", ""))
    assert sleepkit_witness.array_of("const x[] = {\n 0x1c, 0x00\n};").endswith("{0x1c, 0x00};\n")
    with pytest.raises(DataError):
        sleepkit_witness.array_of("const x[] = {};")


def test_operators_of_sleepkit_are_summed_by_block() -> None:
    count = sum(sleepkit_witness.BLOCKS.values())
    measured = dict.fromkeys(sleepkit_witness.BLOCKS, 12000.0)
    parts = sleepkit_witness.block_parts(measured, [1000] * count)
    assert [part.modelled for part in parts] == [1000 * size for size in sleepkit_witness.BLOCKS.values()]
    with pytest.raises(DataError, match="another network"):
        sleepkit_witness.block_parts(measured, [1000] * (count - 1))


def test_instructions_of_keil_s_assembly_stay_as_they_are() -> None:
    converted = from_keil(LOOP)
    kept = ("movs r0,#0", "adds r0,#1", "bne 0b", "vmov s5,r0", "vmov r0,s5", ".set rounds, 4000", ".balign 4")
    assert all(text in converted for text in kept)
    assert not re.search(r"\b(proc|endp|export|gbla|seta|area|frame)\b", converted)
