"""Builds images: compiles, links, and leaves alone what is up to date."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ecgseg import output, paths
from ecgseg.errors import BuildError, OutputError, cause
from ecgseg.image.boards import board_of
from ecgseg.image.objects import Library, Plan, SourcesChangedError, build_id, compile_all, plan_of
from ecgseg.image.programs import APP, Program
from ecgseg.image.sizes import section_sizes
from ecgseg.image.toolchain import run_tool

_ATTEMPTS = 5


@dataclass(frozen=True)
class Image:
    """A built firmware image.

    Attributes:
        elf: program with symbols and line numbers.
        bin: flat image that is flashed, None for boards without one.
        map: the linker's map.
        board: name of the board.
        build_id: hash over sources, flags and generated code; HELLO tells it.
        sizes: bytes per allocated section, and "flash" and "ram" in total.
    """

    elf: Path
    bin: Path | None
    map: Path
    board: str
    build_id: str
    sizes: dict[str, int] = field(default_factory=dict)


def build(
    board: str,
    generated_dir: Path | None = None,
    *,
    program: Program = APP,
    out_dir: Path | None = None,
    extra_flags: Sequence[str] = (),
    library: Library | None = None,
) -> Image:
    """Builds a program for a board, with the model in `generated_dir` when it has one.

    Args:
        board: name of the board.
        generated_dir: holds ecgseg_model.h, the model's source and, for a segmenter, ecgseg_preprocess_params.h.
        program: one of `ecgseg.image.programs`.
        out_dir: where the image goes; default build/images/<board>/<name of generated_dir, else of the program>.
        extra_flags: more compiler flags; they are part of the build id.
        library: what runs the model instead of generated C; `ecgseg.image.tflm` has one.

    Returns:
        The image; nothing is compiled when it is up to date.

    Raises:
        UsageError: no such board, or the program does not exist for it.
        ToolMissingError: the compiler is not installed.
        BuildError: compiler or linker complained, or the generated code is not there.
        OutputError: a file could not be written.
    """
    plan = plan_of(program, board_of(board), generated_dir, extra_flags, library)
    name = generated_dir.name if generated_dir else program.name
    target = out_dir or paths.BUILD / "images" / board / name
    try:
        return _build_what_stands_still(plan, target)
    except OSError as error:
        raise OutputError(
            f"The image cannot be written to {target}.",
            cause(error, "Something went wrong there."),
            "Make room or choose another folder.",
        ) from error


def _build_what_stands_still(plan: Plan, target: Path) -> Image:
    for _ in range(_ATTEMPTS):
        try:
            return _build(plan, target)
        except SourcesChangedError:
            continue
    raise BuildError(
        "The sources change while they are compiled.",
        "Another program writes to the firmware or to the generated folder.",
        "Let it finish, then build again.",
    )


def _build(plan: Plan, out_dir: Path) -> Image:
    out_dir.mkdir(parents=True, exist_ok=True)
    name = plan.program.image
    image = Image(
        elf=out_dir / f"{name}.elf",
        bin=out_dir / f"{name}.bin" if plan.board.has_bin else None,
        map=out_dir / f"{name}.map",
        board=plan.board.name,
        build_id=build_id(plan),
    )
    stamp = out_dir / "image.json"
    if not _up_to_date(image, stamp):
        stamp.unlink(missing_ok=True)
        _link(plan, compile_all(plan, image.build_id), image)
        if build_id(plan) != image.build_id:
            raise SourcesChangedError
        known = {"build_id": image.build_id, "files": _digests(image)}
        output.write_text(stamp, json.dumps(known, indent=2))
    return replace(image, sizes=section_sizes(image.elf))


def _up_to_date(image: Image, stamp: Path) -> bool:
    try:
        known = json.loads(stamp.read_text(encoding="utf-8"))
        return bool(known == {"build_id": image.build_id, "files": _digests(image)})
    except (OSError, ValueError):
        return False


def _digests(image: Image) -> dict[str, str]:
    files = [path for path in (image.elf, image.bin, image.map) if path is not None]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _link(plan: Plan, objects: Sequence[Path], image: Image) -> None:
    """Links in a folder beside the image, and moves there what is whole."""
    board, remedy = plan.board, plan.program.remedy
    with tempfile.TemporaryDirectory(dir=image.elf.parent) as temporary:
        folder = Path(temporary)
        command = [
            plan.compiler,
            *plan.flags,
            *board.link_flags,
            *([f"-T{board.script}"] if board.script else []),
            f"-Wl,-Map={image.map.name}",
            "-Wl,--build-id=none",
            *_names(plan, objects, folder),
            "-o",
            image.elf.name,
        ]
        run_tool(command, plan.failure(f"The image for {board.name} does not link."), remedy, folder)
        if image.bin is not None:
            copy = [plan.tool("objcopy"), "-O", "binary", image.elf.name, image.bin.name]
            run_tool(copy, plan.failure(f"The flat image for {board.name} cannot be made."), remedy, folder)
        for path in (image.bin, image.elf, image.map):
            if path is not None:
                os.replace(folder / path.name, path)


def _names(plan: Plan, objects: Sequence[Path], folder: Path) -> list[str]:
    """The same names every time: the map and the image must not tell where they were made."""
    for number, made in enumerate(objects):
        os.symlink(made.resolve(), folder / f"{number:02d}-{made.stem.rsplit('-', 1)[0]}.o")
    names = sorted(path.name for path in folder.glob("*.o"))
    if plan.library is None:
        return names
    os.symlink(plan.library.file.resolve(), folder / "library.a")
    return [*names, "library.a", *plan.library.linked]
