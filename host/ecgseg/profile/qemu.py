"""Instructions of a rendered model on QEMU's Cortex-M4, in all and per layer, and where its flash goes.

QEMU executes; it does not model the pipeline or the memories. Instructions are exact and repeatable; cycles on silicon
are more (loads, taken branches, flash waits).
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.optimise import CYCLES, PICKS
from ecgseg.codegen.render import render
from ecgseg.image import qemu
from ecgseg.image.boards import board_of
from ecgseg.image.build import build
from ecgseg.image.objects import Library
from ecgseg.image.programs import PROFILE, PROFILE_LAYERS, Program
from ecgseg.image.sizes import symbols
from ecgseg.image.toolchain import find_tool, version

BOARD = qemu.BOARD
_WHAT = "The profiling program"
_SECONDS = 600
_CODE = re.compile(
    r"(layer\d+_run|layers\d+_to_\d+_run|run_layers|ecgseg_model_\w+|ecgseg_conv_\w+|ecgseg_phases\w*|"
    r"mem(cpy|set|move))(\.\w+)*"
)
_FORMS = re.compile(r"(tile|part|pack)_\w+|finish_parts")
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
    """Bytes in flash that inference needs.

    Attributes:
        code: generated functions and those of the engine that every form of a kernel shares.
        forms: functions of the forms that the generator chose.
        weights, tables: constants.
    """

    code: int
    forms: int
    weights: int
    tables: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.code + self.forms + self.weights + self.tables


class Profile(BaseModel):
    """What a model costs on a target.

    Attributes:
        unit: of the *_per_frame figures and of the layers.
        preprocess_instructions_per_frame: from raw samples to the int8 frame; 0 for a model that is no segmenter.
        stack_bytes: high-water mark of the profiling program (preprocessor and inference, without the app).
        flash_bytes: all that inference needs: generated code, the engine's, weights and tables.
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


def profile_model(tflite: Path | bytes, name: str | None = None, *, optimise: str = CYCLES) -> Profile:
    """Render a model and count its instructions.

    Args:
        tflite: file or bytes.
        name: of the model; by default the file's.
        optimise: what kernels are chosen by, one of PICKS of `ecgseg.codegen.optimise`.

    Raises:
        GraphError: the model cannot be rendered.
        ToolMissingError: compiler or QEMU are not installed.
        BuildError: the profiling program does not compile.
        TargetError: it does not end.
    """
    with tempfile.TemporaryDirectory(prefix="ecgseg-profile-") as folder:
        generated = Path(folder)
        return profile_generated(generated, render(tflite, generated, name=name, pick=PICKS[optimise]))


def profile_generated(generated: Path, manifest: Manifest) -> Profile:
    """Count the instructions of code that `render` wrote into `generated`. Raises as `profile_model`."""
    tools = tools_used()
    counted, by_layer = count(PROFILE, generated), count(PROFILE_LAYERS, generated)
    totals, flash = dict(counted.lines), counted.flash
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
        flash_bytes=flash.total,
        flash=flash,
        compiler=tools.compiler,
        emulator=tools.emulator,
        layers=_layers(manifest, by_layer.lines),
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
class Tools:
    """First lines of what compiler and emulator say about their version."""

    compiler: str
    emulator: str


@dataclass(frozen=True)
class Counted:
    """What a profiling program tells.

    Attributes:
        lines: names and numbers, in the order in which it wrote them.
        flash: what inference needs.
        image_bytes: all that the program has in flash.
    """

    lines: list[tuple[str, int]]
    flash: FlashProfile
    image_bytes: int


def tools_used() -> Tools:
    """What counts here. Raises ToolMissingError with the package of the one that is not installed."""
    compiler = find_tool(board_of(BOARD), "gcc", PROFILE.why)
    return Tools(version(compiler), version(qemu.find_qemu(PROFILE.why)))


def count(program: Program, generated: Path, library: Library | None = None) -> Counted:
    """Builds a profiling program and runs it.

    Args:
        program: one of the profiling programs of `ecgseg.image.programs`.
        generated: folder of the rendered model.
        library: what runs the model instead of generated C.

    Raises:
        ToolMissingError: compiler or QEMU are not installed.
        BuildError: it does not compile.
        TargetError: it failed, or does not end.
    """
    with tempfile.TemporaryDirectory(prefix="ecgseg-profile-") as folder:
        image = build(BOARD, generated, program=program, out_dir=Path(folder), library=library)
        lines = _lines(qemu.run_to_end(image.elf, _WHAT, program.why, _SECONDS))
        return Counted(lines, flash_use(image.elf), image.sizes["flash"])


def _lines(written: str) -> list[tuple[str, int]]:
    """The lines `<name> <number>` in what was written. Raises TargetError when there are none, or one says failed."""
    pairs = [line.split() for line in written.splitlines()]
    lines = [(pair[0], int(pair[1])) for pair in pairs if len(pair) == 2 and pair[1].isdigit()]
    if not lines or any(name == "failed" for name, _ in lines):
        raise qemu.failed(_WHAT, written)
    return lines


def flash_use(elf: Path) -> FlashProfile:
    """Bytes of inference code, weights and tables in an image, by the symbols of generated code and engine."""
    use = {"code": 0, "forms": 0, "weights": 0, "tables": 0}
    for symbol in symbols(elf):
        if symbol.is_function:
            use["code"] += symbol.size if _CODE.fullmatch(symbol.name) else 0
            use["forms"] += symbol.size if _FORMS.fullmatch(symbol.name) else 0
        elif _WEIGHTS.fullmatch(symbol.name):
            use["weights"] += symbol.size
        elif _TABLES.fullmatch(symbol.name):
            use["tables"] += symbol.size
    return FlashProfile(**use)
