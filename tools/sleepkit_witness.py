"""The witness on the part itself: two networks in TensorFlow Lite Micro with CMSIS-NN, measured on an Apollo4 Plus EVB.

The repository holds the networks as arrays, the linked library, and the latency of each block of one of them. The chart
and the table are told for each hour of signal, the networks see two hours (240 steps of 30 s): one inference is twice
what they show. As a time of one inference they would be half of what the model says, which no Cortex-M4 can be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from timing_witnesses import Measured, Source, judged, witness_of
from witness_images import OWN, Checkout, build, modelled_parts

from ecgseg.errors import DataError
from ecgseg.output import write_text
from ecgseg.targets.calibration import Part, Witness

OPTION = "sleepkit"
ADDRESS = "https://github.com/AmbiqAI/sleepkit"
CHART_COMMIT = "0d42c9cc90e79e45dde8e6dbcb815331acedb7f5"
CHART = "docs/assets/block-latency.html"
TABLE = "docs/stages/results.md"
HOURS_A_FRAME = 2
CORE_HZ = 192_000_000
# Operators of the network, in the order of execution, that each block of the chart has.
BLOCKS = {"ENC": 5, "B1.1": 8, "B1.2": 8, "B2.1": 12, "B2.2": 12, "B3.1": 12, "B4.1": 12, "DEC": 5}
FOUR_STAGES, TWO_STAGES = "evb/src/model_buffer.h", "evb/src/model.h"
_LIBRARY = "evb/libs/libtensorflow-microlite-cm4-gcc-release.a"
_HEADERS = "evb/includes/extern/tensorflow"
_THIRD_PARTY = ("flatbuffers/include", "gemmlowp", "ruy")
_DEFINES = ("-DTF_LITE_STATIC_MEMORY", "-DTF_LITE_STRIP_ERROR_STRINGS")
_SILICON = (
    "Apollo4 Plus EVB at 192 MHz (docs/stages/results.md), MRAM behind its cache; image of about 210 KB, more than the "
    "cache of 64 KB holds; which of two libraries was linked is not told, so both are run"
)


@dataclass(frozen=True)
class Library:
    """One of the libraries that the measured image can have held.

    Attributes:
        month: of the sources that it was built from.
        commit: that has it.
        folder: with its headers.
    """

    month: str
    commit: str
    folder: str


LIBRARIES = (
    Library("August 2023", CHART_COMMIT, "d5f819d_Aug_10_2023"),
    Library("November 2023", "952bdba2a7391876039d775a46459e147ce2b05a", "0264234_Nov_15_2023"),
)


def block_cycles(chart: str) -> dict[str, float]:
    """Core cycles of each block of one inference, from the chart's page.

    Raises:
        DataError: it does not hold the numbers that are expected.
    """
    values = re.search(r'"x":\[([\d.,]+)\],"y":\[((?:"[\w.]+",?)+)\]', chart)
    names = re.findall(r'"([\w.]+)"', values[2]) if values else []
    if values is None or names != list(BLOCKS):
        raise DataError(f"{CHART} holds no latencies of {', '.join(BLOCKS)}.", "", "Clone the repository again.")
    milliseconds = [float(text) for text in values[1].split(",")]
    return {
        name: HOURS_A_FRAME * value * 1e-3 * CORE_HZ for name, value in zip(names, milliseconds, strict=True)
    }  # fmt: skip


def table_cycles(table: str) -> float:
    """Core cycles of one inference of the network of two stages, from the results' table.

    Raises:
        DataError: it has no such row.
    """
    row = re.search(r"^\| 2-Stage Sleep .*\|\s*(\d+)ms/hr\s*\|", table, flags=re.MULTILINE)
    if row is None:
        raise DataError(f"{TABLE} has no time of the network of two stages.", "", "Clone the repository again.")
    return HOURS_A_FRAME * int(row[1]) * 1e-3 * CORE_HZ


def array_of(header: str) -> str:
    """A C++ header with the array of another one, aligned as the interpreter wants it. Raises DataError."""
    body = re.search(r"\{([^{}]*)\}", header)
    numbers = re.findall(r"0x[0-9a-fA-F]{1,2}", body[1]) if body else []
    if not numbers:
        raise DataError("The network's header holds no array.", "", "Clone the repository again.")
    return f"alignas(16) const unsigned char witness_model[] = {{{', '.join(numbers)}}};\n"


def run_network(checkout: Checkout, library: Library, header: str, folder: Path) -> tuple[dict[str, str], list[int]]:
    """SHA-256 of the files of one network, and modelled cycles of its operators, then of the whole inference."""
    sums = checkout.write((_LIBRARY, header), folder)
    checkout.write(checkout.below(_HEADERS), folder)
    write_text(folder / "witness_model.h", array_of((folder / header).read_text("utf-8")))
    root = folder / _HEADERS / library.folder
    includes = [folder, root, *(root / "third_party" / name for name in _THIRD_PARTY)]
    flags = [*(f"-isystem{place}" for place in includes), *_DEFINES]
    elf = build(folder, [OWN / "sleepkit.cc"], flags, [folder / _LIBRARY])
    return sums, modelled_parts(elf)


def block_parts(measured: dict[str, float], modelled: list[int]) -> list[Part]:
    """A part for each block; `modelled` is what each operator took."""
    if len(modelled) != sum(BLOCKS.values()):
        raise DataError(
            f"The network has {len(modelled)} operators, not {sum(BLOCKS.values())}.", "", "It is another network."
        )
    parts = []
    for name, count in BLOCKS.items():
        taken, modelled = modelled[:count], modelled[count:]
        parts.append(judged(Measured(f"four stages: {name}", measured[name], CHART), sum(taken)))
    return parts


def measure_sleepkit(clone: Path, work: Path, tell: Callable[[str], None]) -> list[Witness]:
    """A witness for each library.

    Raises:
        UsageError, DataError: the clone lacks a commit or a file, or one is not what it was.
        BuildError, ToolMissingError: a program does not build or run.
    """
    chart = Checkout(clone, CHART_COMMIT, ADDRESS)
    chart.require()
    blocks = block_cycles(chart.read(CHART).decode("utf-8", errors="replace"))
    whole = table_cycles(chart.read(TABLE).decode("utf-8", errors="replace"))
    two = Measured("two stages: whole inference", whole, f"{TABLE}, to 1 ms in 58")
    found = []
    for library in LIBRARIES:
        checkout = Checkout(clone, library.commit, ADDRESS)
        checkout.require()
        tell(f"sleepkit, library of {library.month}")
        files, of_four = run_network(checkout, library, FOUR_STAGES, work / f"four-{library.commit[:7]}")
        more, of_two = run_network(checkout, library, TWO_STAGES, work / f"two-{library.commit[:7]}")
        parts = [*block_parts(blocks, of_four[:-1]), judged(two, of_two[-1])]
        name = f"sleepkit, library of {library.month}"
        source = Source(OPTION, name, ADDRESS, library.commit, _SILICON, (), same_part=True)
        files = files | more | chart.sums(CHART, TABLE)
        found.append(witness_of(source, files, parts))
    return found
