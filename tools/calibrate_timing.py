"""Holds the simulator's timing model against programs whose cycles others measured, and writes what came out.

    git clone https://github.com/Emill/X25519-Cortex-M4
    git clone https://github.com/Ko-/aes-armcortexm
    git clone https://github.com/Emill/P256-Cortex-M4
    git clone https://github.com/AmbiqAI/sleepkit
    python tools/calibrate_timing.py --x25519 X25519-Cortex-M4 --aes aes-armcortexm --p256 P256-Cortex-M4 \\
        --sleepkit sleepkit

Every program is built at a fixed commit with a driver of ours (tools/witness) and run on the simulated part. Printed is
silicon over model for each part; with all four the table that every displayed time uses is written anew
(host/ecgseg/targets/apollo4p_sim/calibration.json). What is fetched and built stays in a folder that is deleted.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host"), str(ROOT / "tools")]

from sleepkit_witness import ADDRESS, OPTION, measure_sleepkit  # noqa: E402
from timing_witnesses import SOURCES, measure  # noqa: E402
from witness_images import OWN, build, modelled_parts  # noqa: E402

from ecgseg.commands.guard import guard  # noqa: E402
from ecgseg.errors import UsageError  # noqa: E402
from ecgseg.image.boards import APOLLO4P_EVB, board_of  # noqa: E402
from ecgseg.image.toolchain import find_tool, version  # noqa: E402
from ecgseg.output import write_text  # noqa: E402
from ecgseg.targets.calibration import TABLE, Calibration, Witness  # noqa: E402
from ecgseg.targets.options import TimingCase  # noqa: E402

NOTE = (
    "Written by tools/calibrate_timing.py, not edited by hand; docs/simulator.md explains it.",
    "measured: core cycles on silicon as the source tells them. modelled: core cycles of the timing model,",
    "expected case, warm cache. ratio: silicon over model, of a witness over all parts that count.",
    "factor: geometric mean of the witnesses of the same part, an Apollo4 Plus. low, high: smallest and largest",
    "ratio of any part that counts, rounded outward to a hundredth. Parts under 1000 modelled cycles do not count:",
    "reading the counter weighs more there than the model's error. model: modelled cycles of tools/witness/mix.s,",
    "which say whether the timing model is still the one that was calibrated.",
)
ADDRESSES = {**{source.option: source.address for source in SOURCES}, OPTION: ADDRESS}


def model_cycles(work: Path) -> dict[TimingCase, int]:
    """Modelled cycles of a mix of all kinds of instructions in every timing case; `work` is an empty folder."""
    work.mkdir(parents=True)
    elf = build(work, [OWN / "mix.c", OWN / "mix.s"])
    return {case: modelled_parts(elf, case)[0] for case in TimingCase}


def calibration_of(witnesses: Sequence[Witness], compiler: str, model: Mapping[TimingCase, int]) -> Calibration:
    """Factor and range of witnesses, of which at least one has to be of the same part."""
    same = [witness.ratio for witness in witnesses if witness.same_part]
    ratios = [part.ratio for witness in witnesses for part in witness.counting]
    return Calibration(
        note=list(NOTE),
        compiler=compiler,
        factor=round(math.prod(same) ** (1 / len(same)), 2),
        low=math.floor(100 * min(ratios)) / 100,
        high=math.ceil(100 * max(ratios)) / 100,
        model=dict(model),
        witnesses=list(witnesses),
    )


def show(witness: Witness) -> None:
    """Prints silicon over model for the whole and each part."""
    same = " (the same part)" if witness.same_part else ""
    print(f"\n{witness.name}{same}: {witness.ratio:.3f}", *witness.silicon, sep="\n  ")
    print(f"  {'part':<36} {'silicon':>14} {'model':>12} {'ratio':>7}")
    for part in witness.parts:
        mark = "" if part.counts else "  does not count"
        print(f"  {part.name:<36} {part.measured:>14,.1f} {part.modelled:>12,} {part.ratio:>7.3f}{mark}")


def measured(clones: Mapping[str, Path], work: Path) -> list[Witness]:
    """The witnesses of the clones that are there, shown one by one."""
    found: list[Witness] = []
    for source in SOURCES:
        if source.option in clones:
            found.append(measure(source, clones[source.option], work / source.option, _tell))
            show(found[-1])
    if OPTION in clones:
        for witness in measure_sleepkit(clones[OPTION], work / OPTION, _tell):
            found.append(witness)
            show(witness)
    return found


def _tell(name: str) -> None:
    print(f"running {name} ...", file=sys.stderr, flush=True)


def _clones() -> dict[str, Path]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, address in ADDRESSES.items():
        parser.add_argument(f"--{option}", type=Path, metavar="DIR", help=f"clone of {address}")
    given = vars(parser.parse_args())
    return {option: path.expanduser().resolve() for option, path in given.items() if path is not None}


@guard()
def main() -> None:
    """Builds, runs, shows, writes."""
    clones = _clones()
    missing = [option for option in ADDRESSES if option not in clones]
    if not clones:
        raise UsageError(
            "No clone of a program is named.",
            "The programs that the timing model is held against are other people's; none is kept here.",
            "\n".join(f"git clone {address}   # then --{option} DIR" for option, address in ADDRESSES.items()),
        )
    with tempfile.TemporaryDirectory() as folder:
        witnesses = measured(clones, Path(folder))
        model = model_cycles(Path(folder) / "mix")
    if missing:
        print(f"\n{TABLE.name} stays as it is: it needs {', '.join(f'--{option}' for option in missing)} too.")
        return
    made = calibration_of(witnesses, version(find_tool(board_of(APOLLO4P_EVB), "gcc")), model)
    write_text(TABLE, made.model_dump_json(indent=2) + "\n")
    print(f"\nfactor {made.factor}, range {made.low} to {made.high}: {TABLE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
