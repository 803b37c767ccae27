"""Instructions of a rendered model on QEMU's Cortex-M4, in all and per layer, and where its flash goes.

QEMU executes; it does not model the pipeline or the memories. Instructions are exact and repeatable; cycles on silicon
are more (loads, taken branches, flash waits).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from pydantic import BaseModel

from ecgseg import paths
from ecgseg.codegen import Manifest, render
from ecgseg.errors import BuildError, TargetError, ToolMissingError
from ecgseg.image.boards import COMMON_FLAGS, board_of

BOARD = "mps2_an386"
_QEMU = "qemu-system-arm"
_SECONDS = 600
_CODE = re.compile(
    r"(layer\d+_run|layers\d+_to_\d+_run|run_layers|ecgseg_model_\w+|ecgseg_conv_\w+|ecgseg_phases\w*|mem(cpy|set|move))(\.\w+)*"
)
_WEIGHTS = re.compile(r"layer\d+_(stream|packed|weights|bias|constant\d*)")
_TABLES = re.compile(r"layer\d+(_\w+)?|layers|ecgseg_model_info|offsets(\.\d+)?|ecgseg_phases_\w+")


class LayerProfile(BaseModel):
    """One layer."""

    index: int
    name: str
    operator: int
    shape: list[int]
    macs: int
    instructions: int
    instructions_per_mac: float | None


class FlashProfile(BaseModel):
    """Bytes in flash that inference needs."""

    code: int
    weights: int
    tables: int


class Profile(BaseModel):
    """What a model costs on a target.

    Attributes:
        unit: of the *_per_frame figures and of the layers.
        preprocess_instructions_per_frame: from raw samples to the int8 frame; 0 for a model that is no segmenter.
        stack_bytes: high-water mark of the profiling program (preprocessor and inference, without the app).
        flash_bytes: inference code, weights and tables.
    """

    target: str
    model: str
    sha256: str
    unit: str
    instructions_per_frame: int
    preprocess_instructions_per_frame: int
    macs: int
    instructions_per_mac: float | None
    arena_bytes: int
    stack_bytes: int
    flash_bytes: int
    flash: FlashProfile
    compiler: str
    emulator: str
    layers: list[LayerProfile]


def profile_model(tflite: Path | bytes, name: str | None = None) -> Profile:
    """Render a model and count its instructions.

    Args:
        tflite: file or bytes.
        name: of the model; by default the file's.

    Raises:
        GraphError: the model cannot be rendered.
        ToolMissingError: compiler or QEMU are not installed.
        BuildError: the profiling program does not compile.
        TargetError: it does not end.
    """
    with tempfile.TemporaryDirectory(prefix="ecgseg-profile-") as folder:
        generated = Path(folder)
        return profile_generated(generated, render(tflite, generated, name=name))


def profile_generated(generated: Path, manifest: Manifest) -> Profile:
    """Count the instructions of code that `render` wrote into `generated`. Raises as `profile_model`."""
    compiler, emulator = tools()
    with tempfile.TemporaryDirectory(prefix="ecgseg-profile-") as folder:
        whole, single = Path(folder) / "whole.elf", Path(folder) / "layers.elf"
        stream = bool(manifest.frame_length)
        link_profiling_program(compiler, generated_engine(generated), whole, stream=stream)
        link_profiling_program(compiler, generated_engine(generated, layers=True), single, stream=stream)
        totals = dict(run_profiling_program(emulator, whole))
        marks = run_profiling_program(emulator, single)
        flash = flash_use(whole)
    inference = totals["inference"]
    return Profile(
        target="qemu",
        model=manifest.model,
        sha256=manifest.sha256,
        unit="instructions",
        instructions_per_frame=inference,
        preprocess_instructions_per_frame=totals.get("preprocess", 0),
        macs=manifest.macs,
        instructions_per_mac=per_mac(inference, manifest.macs),
        arena_bytes=manifest.arena_bytes,
        stack_bytes=totals["stack"],
        flash_bytes=flash.code + flash.weights + flash.tables,
        flash=flash,
        compiler=tool_version(compiler),
        emulator=tool_version(emulator),
        layers=_layers(manifest, marks),
    )


def per_mac(instructions: int, macs: int) -> float | None:
    """Instructions a multiply-accumulate; None for a model or layer without any."""
    return round(instructions / macs, 3) if macs else None


def _layers(manifest: Manifest, lines: list[tuple[str, int]]) -> list[LayerProfile]:
    """Instructions up to the marks behind each layer, without the marks; the first mark's cost is its own."""
    named = dict(lines)
    sums = [value for name, value in lines if name == "layer"]
    parts = [value for name, value in lines if name == "parts"]
    costs = [named["first"] + (parts[0] - 1) * named["mark"], *(count * named["mark"] for count in parts[1:])]
    counts = [total - cost for total, cost in zip(sums, costs, strict=True)]
    return [
        LayerProfile(
            index=index,
            name=entry.name,
            operator=entry.operator,
            shape=entry.shape,
            macs=entry.macs,
            instructions=instructions,
            instructions_per_mac=per_mac(instructions, entry.macs),
        )
        for index, (entry, instructions) in enumerate(zip(manifest.layers, counts, strict=True))
    ]


@dataclass(frozen=True)
class CountedEngine:
    """What implements ecgseg_engine.h in the profiling program.

    Attributes:
        sources: C files, and objects of whatever else.
        generated: holds ecgseg_model.h and, for a segmenter, the preprocessor's parameters.
        flags: more compiler flags.
        libraries: what the linker gets after everything else.
    """

    sources: tuple[Path, ...]
    generated: Path
    flags: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()


def generated_engine(generated: Path, *, layers: bool = False) -> CountedEngine:
    """The generated C in a folder, with `layers` telling when a layer is done."""
    sources = (*sorted((paths.FIRMWARE / "engine").glob("*.c")), generated / "ecgseg_model.c")
    hook = ("-include", str(paths.FIRMWARE / "programs" / "profile" / "profile.h"), "-DPROFILE_LAYERS")
    return CountedEngine(sources, generated, hook if layers else ())


def link_profiling_program(compiler: str, engine: CountedEngine, elf: Path, *, stream: bool) -> None:
    """Compiles and links the program that counts.

    Args:
        compiler: the C compiler.
        engine: what runs the model.
        elf: where the program goes.
        stream: count the preprocessor too; the model is a segmenter.

    Raises:
        BuildError: compiler or linker complained.
    """
    board = board_of(BOARD)
    firmware = paths.FIRMWARE
    folder = firmware / "boards" / board.name
    sources = [
        *engine.sources,
        firmware / "programs" / "profile" / "profile_main.c",
        folder / "startup.c",
        *([firmware / "pipeline" / "ecgseg_preprocess.c"] if stream else []),
    ]
    includes = [
        firmware / "engine" / "include",
        firmware / "pipeline" / "include",
        firmware / "programs" / "profile",
        firmware / "boards",
        folder,
        engine.generated,
    ]
    compile_for_profiling(
        [
            compiler,
            *COMMON_FLAGS,
            *board.flags,
            *(["-DPROFILE_PREPROCESS"] if stream else []),
            *engine.flags,
            *(f"-I{path}" for path in includes),
            *map(str, sources),
            *board.link_flags,
            f"-T{folder / str(board.linker_script)}",
            *engine.libraries,
            "-o",
            str(elf),
        ]
    )


def compile_for_profiling(command: Sequence[str]) -> None:
    """Runs a compiler. Raises BuildError with what it said."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode != 0:
        raise BuildError(
            "The profiling program does not compile.",
            done.stderr.replace(f"{paths.ROOT}/", "")[:4000],
            "Render the model again with this release.",
        )


def run_profiling_program(emulator: str, elf: Path) -> list[tuple[str, int]]:
    """The lines `<name> <number>` that the program writes. Raises TargetError when it fails or does not end."""
    command = [emulator, "-machine", "mps2-an386", "-icount", "shift=0", "-display", "none", "-monitor", "none"]
    command += ["-serial", "null", "-semihosting-config", "enable=on,target=native", "-kernel", str(elf)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise TargetError(
            "The profiling program does not end.", f"{_SECONDS} s went by.", "Try a smaller model."
        ) from error
    # QEMU's console is its standard error.
    pairs = [line.split() for line in (done.stdout + done.stderr).splitlines()]
    result = [(pair[0], int(pair[1])) for pair in pairs if len(pair) == 2 and pair[1].isdigit()]
    if done.returncode != 0 or not result or any(name == "failed" for name, _ in result):
        raise TargetError("The profiling program failed in QEMU.", (done.stdout + done.stderr)[-500:], "Run it again.")
    return result


def flash_use(elf: Path) -> FlashProfile:
    """Bytes of inference code, weights and tables in an image, by the symbols of generated code and engine."""
    use = {"code": 0, "weights": 0, "tables": 0}
    with elf.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(symbols, SymbolTableSection)
        for symbol in symbols.iter_symbols():
            kind, size = symbol["st_info"]["type"], symbol["st_size"]
            if kind == "STT_FUNC" and _CODE.fullmatch(symbol.name):
                use["code"] += size
            elif kind == "STT_OBJECT" and _WEIGHTS.fullmatch(symbol.name):
                use["weights"] += size
            elif kind == "STT_OBJECT" and _TABLES.fullmatch(symbol.name):
                use["tables"] += size
    return FlashProfile(**use)


def tools() -> tuple[str, str]:
    """C compiler and emulator. Raises ToolMissingError with the package of the one that is not installed."""
    return tool(board_of(BOARD).prefix + "gcc"), tool(_QEMU)


def tool(name: str) -> str:
    """Where a program is. Raises ToolMissingError."""
    program = shutil.which(name)
    if program is None:
        package = "qemu-system-arm" if name == _QEMU else "gcc-arm-none-eabi libnewlib-arm-none-eabi"
        raise ToolMissingError(
            f"{name} is not installed.", "Profiling on QEMU needs it.", f"Run: sudo apt-get install {package}"
        )
    return program


def tool_version(program: str) -> str:
    """First line of what a program answers to --version."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.splitlines()[0] if done.stdout else "unknown"
