"""Compiles and loads native.c, the part of the simulator that runs for every block."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from ecgseg import paths
from ecgseg.errors import BuildError, OutputError, ToolMissingError
from ecgseg.targets.apollo4p_sim.timing import Flow

_SOURCE = Path(__file__).with_name("native.c")
_FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")

STOP_NONE, STOP_DEADLINE, STOP_MASKS, STOP_DIVIDE_BY_ZERO, STOP_DESCRIPTION = range(5)


class Block(ctypes.Structure):
    """block_t of native.c."""

    _fields_ = (
        ("bytes", ctypes.c_uint16),
        ("cycles", ctypes.c_uint16),
        ("instructions", ctypes.c_uint16),
        ("flow", ctypes.c_uint8),
        ("wide_start", ctypes.c_uint8),
        ("fp_blocked", ctypes.c_uint16),
        ("reserved", ctypes.c_uint16),
    )


DESCRIBE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint32, ctypes.c_uint32, ctypes.POINTER(Block))


class State(ctypes.Structure):
    """state_t of native.c."""

    _fields_ = (
        ("time", ctypes.c_uint64),
        ("cycles", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("instructions", ctypes.c_uint64),
        ("blocks", ctypes.c_uint64),
        ("taken", ctypes.c_uint64 * len(Flow)),
        ("refill_cycles", ctypes.c_uint64),
        ("fetch_misses", ctypes.c_uint64),
        ("data_accesses", ctypes.c_uint64),
        ("data_misses", ctypes.c_uint64),
        ("unaligned", ctypes.c_uint64),
        ("divides", ctypes.c_uint64),
        ("divide_cycles", ctypes.c_uint64),
        ("units_per_cycle", ctypes.c_uint32),
        ("previous_end", ctypes.c_uint32),
        ("previous_flow", ctypes.c_uint32),
        ("watch_masks", ctypes.c_uint32),
        ("mask_snapshot", ctypes.c_uint32 * 3),
        ("cache_enabled", ctypes.c_uint32),
        ("miss_cycles", ctypes.c_uint32),
        ("refill", ctypes.c_uint32 * len(Flow)),
        ("wide_refill", ctypes.c_uint32),
        ("divide_by_zero_traps", ctypes.c_uint32),
        ("stopped_by", ctypes.c_uint32),
        ("mask_registers", ctypes.c_int32 * 3),
        ("last_block", ctypes.c_uint32),
        ("stop", ctypes.c_void_p),
        ("read_register", ctypes.c_void_p),
        ("describe", DESCRIBE),
        ("tags", ctypes.c_void_p),
        ("mram_blocks", ctypes.c_void_p),
        ("tcm_blocks", ctypes.c_void_p),
    )


class DivideSite(ctypes.Structure):
    """divide_t of native.c."""

    _fields_ = (
        ("state", ctypes.c_void_p),
        ("dividend_register", ctypes.c_int32),
        ("divisor_register", ctypes.c_int32),
        ("is_signed", ctypes.c_uint32),
    )


@lru_cache(maxsize=1)
def load() -> Any:
    """The compiled library, built on first use and kept in build/.

    Raises:
        ToolMissingError: there is no C compiler.
        BuildError: it does not compile.
        OutputError: the library cannot be written.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise ToolMissingError(
            "There is no C compiler for this machine.",
            "The target apollo4p-sim compiles its timing model (native.c).",
            "Run: sudo apt-get install gcc libc6-dev",
        )
    digest = hashlib.sha256(_SOURCE.read_bytes() + repr((compiler, _FLAGS)).encode()).hexdigest()[:24]
    library = paths.BUILD / "apollo4p-sim" / f"native-{digest}.so"
    if not library.is_file():
        _compile(compiler, library)
    return _typed(ctypes.CDLL(str(library)))


def _compile(compiler: str, library: Path) -> None:
    try:
        library.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:
            made = Path(folder) / "native.so"
            command = [compiler, *_FLAGS, str(_SOURCE), "-o", str(made)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode != 0:
                raise BuildError(
                    "The simulator's timing model does not compile.", done.stderr, "Install gcc and libc6-dev."
                )
            os.replace(made, library)
    except OSError as error:
        raise OutputError(
            f"The simulator's timing model cannot be written to {library}.", str(error), "Make room there."
        ) from error


def _typed(library: Any) -> Any:
    library.native_create.restype = ctypes.POINTER(State)
    library.native_create.argtypes = ()
    library.native_state_bytes.restype = ctypes.c_size_t
    for name in ("native_destroy", "native_invalidate_cache", "native_forget_blocks"):
        getattr(library, name).argtypes = (ctypes.POINTER(State),)
        getattr(library, name).restype = None
    if library.native_state_bytes() != ctypes.sizeof(State):
        raise BuildError("native.c and native.py disagree.", "The size of state_t differs.", "Restore both files.")
    return library
