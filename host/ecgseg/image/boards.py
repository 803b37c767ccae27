"""Boards as data: what compiles them and with which flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ecgseg import paths
from ecgseg.errors import UsageError

_FOLDER = paths.FIRMWARE / "boards"
HOST, MPS2_AN386, APOLLO4P_EVB = "host", "mps2_an386", "apollo4p_evb"
# What boards with that core have in common.
CORTEX_M = "cortex_m"
APT_ARM = "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"
APT_HOST = "sudo apt-get install gcc libc6-dev"

WARNINGS = (
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wconversion",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
)

# No contraction of a * b + c and no errno for the square root: the float results are the reference's to the bit.
COMMON_FLAGS = (
    "-std=c11",
    "-O2",
    "-g",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-common",
    "-ffunction-sections",
    "-fdata-sections",
    *WARNINGS,
)

C_ONLY_FLAGS = ("-std=c11", "-Wstrict-prototypes", "-Wmissing-prototypes")
CPP_FLAGS = ("-std=c++17", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics")

CORTEX_M4F_FLAGS = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")

SANITIZER_FLAGS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
)


@dataclass(frozen=True)
class Board:
    """One board.

    Attributes:
        name: folder below firmware/boards.
        prefix: of the compiler's programs, e.g. "arm-none-eabi-".
        package_command: installs the compiler on Debian.
        flags: for compiling and linking, besides COMMON_FLAGS.
        link_flags: for linking alone.
        linker_script: file in the board's folder, None for a native program.
        has_bin: also write the flat image that is flashed.
        load_address: where the flat image goes; the linker script says the same.
        shared: folders below firmware/boards that belong to it and to others.
    """

    name: str
    prefix: str
    package_command: str
    flags: tuple[str, ...]
    link_flags: tuple[str, ...]
    linker_script: str | None = None
    has_bin: bool = False
    load_address: int = 0
    shared: tuple[str, ...] = ()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders with its sources and headers: what it shares, then its own."""
        return tuple(_FOLDER / name for name in (*self.shared, self.name))

    @property
    def include_dirs(self) -> tuple[Path, ...]:
        """Folders that sources include from to reach the board: that of board.h, then its own."""
        return (_FOLDER, *self.folders)

    @property
    def script(self) -> Path | None:
        """The linker script, None for a native program."""
        return _FOLDER / self.name / self.linker_script if self.linker_script else None


_BARE_METAL_LINK = ("-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections", "-Wl,--fatal-warnings")

BOARDS: Mapping[str, Board] = {
    board.name: board
    for board in (
        Board(HOST, "", APT_HOST, SANITIZER_FLAGS, ("-Wl,--gc-sections",)),
        Board(
            MPS2_AN386,
            "arm-none-eabi-",
            APT_ARM,
            CORTEX_M4F_FLAGS,
            _BARE_METAL_LINK,
            linker_script="mps2_an386.ld",
            shared=(CORTEX_M,),
        ),
        Board(
            APOLLO4P_EVB,
            "arm-none-eabi-",
            APT_ARM,
            CORTEX_M4F_FLAGS,
            _BARE_METAL_LINK,
            linker_script="apollo4p_evb.ld",
            has_bin=True,
            load_address=0x00018000,
            shared=(CORTEX_M,),
        ),
    )
}


def board_of(name: str) -> Board:
    """The board of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in BOARDS:
        raise UsageError(f"There is no board '{name}'.", "", f"Choose one of: {', '.join(BOARDS)}.")
    return BOARDS[name]
