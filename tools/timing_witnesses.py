"""Programs whose cycles on a Cortex-M4 others measured: where they come from, what was measured, on what."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from witness_images import OWN, Checkout, build, from_keil, modelled_parts

from ecgseg.output import write_text
from ecgseg.targets.calibration import File, Part, Witness

SHORTEST = 1000
"""Modelled cycles. Of a shorter part, reading the counter takes more than the ratio can tell."""
TOO_SHORT = "too short to count"
_LINE = 100
"""Characters of a line in the table."""


@dataclass(frozen=True)
class Measured:
    """A part of a program as its source tells it.

    Attributes:
        name: of the part.
        cycles: core cycles of all times together.
        note: what the source says about it.
    """

    name: str
    cycles: float
    note: str = ""


@dataclass(frozen=True)
class Program:
    """A program of a source.

    Attributes:
        name: folder that it is built in.
        driver: ours in tools/witness.
        sources: theirs that are compiled.
        headers: theirs that are included.
        flags: for the compiler.
        keil: the sources are written for Keil's assembler.
        parts: in the order in which the driver tells them.
    """

    name: str
    driver: str
    sources: tuple[str, ...]
    parts: tuple[Measured, ...]
    headers: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    keil: bool = False


@dataclass(frozen=True)
class Source:
    """A repository with programs.

    Attributes:
        option: of the tool, which names its clone.
        name, address, commit, silicon, same_part: as in Witness.
        programs: what is built of it.
    """

    option: str
    name: str
    address: str
    commit: str
    silicon: str
    programs: tuple[Program, ...]
    same_part: bool = False


def _counter_mode(folder: str, file: str, bits: int, *, expansion: float, block: float, tables: bool = True) -> Program:
    """AES in counter mode over 256 blocks; without tables the round keys are expanded into twice the room."""
    key_bytes = bits // 8
    rounds = bits // 32 + 6
    return Program(
        name=folder,
        driver="aes_ctr.c",
        sources=(f"{folder}/{file}",),
        parts=(Measured(f"{folder}: key expansion", expansion), Measured(f"{folder}: 256 blocks", 256 * block)),
        flags=(
            f"-DWITNESS_EXPAND=AES_{bits}_keyschedule",
            f"-DWITNESS_ENCRYPT=AES_{bits}_encrypt_ctr",
            f"-DWITNESS_KEY_BYTES={key_bytes}",
            f"-DWITNESS_ROUND_KEY_BYTES={16 * (rounds + 1) * (1 if tables else 2)}",
            f"-DWITNESS_EXPAND_AT={key_bytes if tables else 0}",
        ),
    )


X25519 = Source(
    option="x25519",
    name="X25519",
    address="https://github.com/Emill/X25519-Cortex-M4",
    commit="e85f816701fa7b908d3442398a7c8ff1741c4fe6",
    silicon=(
        "Cortex-M4 and Cortex-M4F that the repository does not name: 'assuming no wait states' for the first, which is "
        "also the sum of its author's count of every function, 'measured, few wait states' for the second"
    ),
    programs=(
        Program(
            name="x25519",
            driver="x25519.c",
            sources=("x25519-cortex-m4-gcc.s",),
            parts=(Measured("scalar multiplication", 548_873, "README.md"),),
        ),
        Program(
            name="x25519-fpu",
            driver="x25519.c",
            sources=("curve25519-m4f-ptrswap-keil.s",),
            parts=(
                Measured("scalar multiplication with the FPU", 476_275, "README.md; 475,469 by its author's count"),
            ),
            keil=True,
        ),
    ),
)
AES = Source(
    option="aes",
    name="AES",
    address="https://github.com/Ko-/aes-armcortexm",
    commit="bed63794d09008bc62e9a69614077acbf10746a1",
    silicon=(
        "STM32F407 at 24 MHz, flash with 0 wait states, its caches and prefetch on (common/stm32f4_wrapper.c); "
        "means of 10,000 runs (README.md)"
    ),
    programs=(
        Program(
            name="aes128",
            driver="aes_block.c",
            sources=("aes128/aes.s",),
            parts=(Measured("aes128: key expansion", 244.9), Measured("aes128: one block", 634.7)),
        ),
        _counter_mode("aes128ctr", "aes_128_ctr.s", 128, expansion=244.9, block=527.9),
        _counter_mode("aes192ctr", "aes_192_ctr.s", 192, expansion=232.2, block=644.0),
        _counter_mode("aes256ctr", "aes_256_ctr.s", 256, expansion=309.9, block=760.7),
        _counter_mode("aes128ctrbs", "aes_128_ctr_bs.s", 128, expansion=1021.9, block=1616.6, tables=False),
    ),
)
P256 = Source(
    option="p256",
    name="P-256",
    address="https://github.com/Emill/P256-Cortex-M4",
    commit="ecd3ec2222fc9e18b6b44c86bb7183971a2041fc",
    silicon=(
        "nRF52840 at 64 MHz, flash with wait states, instruction cache on; GCC -O2, its version is not told (README.md)"
    ),
    programs=(
        Program(
            name="p256",
            driver="p256.c",
            sources=("p256-cortex-m4.c", "p256-cortex-m4-asm-gcc.S"),
            headers=("p256-cortex-m4.h", "p256-cortex-m4-config.h"),
            parts=(
                Measured("key generation", 327_000),
                Measured("signature", 375_000),
                Measured("check of a signature", 976_000),
                Measured("shared secret", 906_000),
                Measured("point decompression", 48_000),
            ),
        ),
    ),
)
SOURCES = (X25519, AES, P256)


def judged(measured: Measured, modelled: int) -> Part:
    """A part with what it is worth."""
    counts = modelled >= SHORTEST
    note = "; ".join(text for text in (measured.note, "" if counts else TOO_SHORT) if text)
    return Part(name=measured.name, measured=round(measured.cycles, 1), modelled=modelled, counts=counts, note=note)


def run_program(checkout: Checkout, program: Program, folder: Path) -> tuple[dict[str, str], list[Part]]:
    """Builds and runs a program; SHA-256 of its files, and its parts.

    Raises:
        UsageError: a file of it is not there.
        BuildError, ToolMissingError: it does not build or run.
    """
    sums = checkout.write((*program.sources, *program.headers), folder)
    sources = [folder / name for name in program.sources]
    if program.keil:
        for source in sources:
            write_text(source, from_keil(source.read_text(encoding="utf-8", errors="replace")))
    includes = [f"-I{folder}"] if program.headers else []
    elf = build(folder, [OWN / program.driver, *sources], [*includes, *program.flags])
    parts = zip(program.parts, modelled_parts(elf), strict=True)
    return sums, [judged(measured, modelled) for measured, modelled in parts]


def measure(source: Source, clone: Path, work: Path, tell: Callable[[str], None] = lambda _: None) -> Witness:
    """All programs of a source.

    Args:
        source: what is measured.
        clone: of its repository.
        work: empty folder to build in.
        tell: is called with the name of each program before it is built.

    Raises:
        UsageError: the clone lacks the commit or a file.
        BuildError, ToolMissingError: a program does not build or run.
    """
    checkout = Checkout(clone, source.commit, source.address)
    checkout.require()
    files: dict[str, str] = {}
    parts: list[Part] = []
    for program in source.programs:
        tell(program.name)
        sums, found = run_program(checkout, program, work / program.name)
        files |= sums
        parts += found
    return witness_of(source, files, parts)


def witness_of(source: Source, files: Mapping[str, str], parts: Sequence[Part]) -> Witness:
    """What was found of a source; `files` are SHA-256 by path."""
    return Witness(
        name=source.name,
        repository=source.address,
        commit=source.commit,
        silicon=textwrap.wrap(source.silicon, _LINE),
        same_part=source.same_part,
        files=[File(path=path, sha256=sha256) for path, sha256 in sorted(files.items())],
        parts=list(parts),
    )
