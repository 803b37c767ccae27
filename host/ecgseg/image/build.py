"""Builds firmware images: which sources, which flags, what is still up to date."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from ecgseg import paths
from ecgseg.errors import BuildError, OutputError, ToolMissingError, UsageError
from ecgseg.image.boards import C_ONLY_FLAGS, COMMON_FLAGS, CPP_FLAGS, Board, board_of

BACKENDS = ("aot", "tflm")
_PARAMETERS = "ecgseg_preprocess_params.h"
_STREAM_ONLY = {"app_stream.c"}
_WITHOUT_STREAM = {"app_no_stream.c"}
_JOBS = 2
_OUTPUT_LINES = 60
_TOOL_SECONDS = 300
_ALLOCATED = 2
_ATTEMPTS = 5
_FORMAT = "objects 2"  # to be changed with the way objects are named or made


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


@dataclass(frozen=True)
class Library:
    """A C++ library that runs the model instead of generated C.

    Attributes:
        file: the static library.
        root: folder that nothing in the image may tell.
        include_dirs: its headers.
        folders: with the sources between it and ecgseg_engine.h.
        flags: for these sources.
        app: False: an image without application, of these sources, board and generated code alone.
    """

    file: Path
    root: Path
    include_dirs: tuple[Path, ...]
    folders: tuple[Path, ...]
    flags: tuple[str, ...]
    app: bool = True


class _SourcesChangedError(Exception):
    """A file was edited between taking its hash and compiling it."""


@dataclass(frozen=True)
class _Plan:
    """Everything that decides what an image is."""

    board: Board
    compiler: str
    compiler_version: str
    generated: Path
    sources: tuple[Path, ...]
    headers: tuple[Path, ...]
    flags: tuple[str, ...]
    include_dirs: tuple[Path, ...]
    library: Library | None = None
    cpp_compiler: str = ""


def build(
    board: str,
    generated_dir: Path,
    *,
    backend: str = "aot",
    out_dir: Path | None = None,
    extra_flags: Sequence[str] = (),
    library: Library | None = None,
) -> Image:
    """Builds the firmware of a board with the generated model in `generated_dir`.

    Args:
        board: name of the board.
        generated_dir: holds ecgseg_model.c, ecgseg_model.h and, for a segmenter, ecgseg_preprocess_params.h.
        backend: "aot" or "tflm"; `ecgseg.image.tflm.build_tflm` calls with the latter.
        out_dir: where the image goes; default build/images/<board>/<name of generated_dir>.
        extra_flags: more compiler flags; they are part of the build id.
        library: what runs the model, for the backend "tflm" and no other.

    Returns:
        The image; nothing is compiled when it is up to date.

    Raises:
        UsageError: no such board or backend.
        ToolMissingError: the compiler is not installed.
        BuildError: compiler or linker complained, or the generated code is not there.
        OutputError: a file could not be written.
    """
    if backend not in BACKENDS:
        raise UsageError(f"There is no backend '{backend}'.", "", f"Choose one of: {', '.join(BACKENDS)}.")
    if (backend == "tflm") != (library is not None):
        raise UsageError(
            f"The backend '{backend}' is built another way.", "", "Call ecgseg.image.tflm.build_tflm for tflm."
        )
    plan = _plan(board_of(board), generated_dir.resolve(), tuple(extra_flags), library)
    target = out_dir or paths.BUILD / "images" / board / generated_dir.name
    try:
        return _build_what_stands_still(plan, target)
    except OSError as error:
        raise OutputError(
            f"The image cannot be written to {target}.", str(error), "Make room or choose another folder."
        ) from error


def _build_what_stands_still(plan: _Plan, target: Path) -> Image:
    for _ in range(_ATTEMPTS):
        try:
            return _build(plan, target)
        except _SourcesChangedError:
            continue
    raise BuildError(
        "The sources change while they are compiled.",
        "Another program writes to the firmware or to the generated folder.",
        "Let it finish, then build again.",
    )


def _plan(board: Board, generated: Path, extra_flags: tuple[str, ...], library: Library | None) -> _Plan:
    source = "ecgseg_tflm_model.cc" if library else "ecgseg_model.c"
    if not (generated / source).is_file() or not (generated / "ecgseg_model.h").is_file():
        raise BuildError(
            f"There is no generated model in {generated}.",
            f"{source} or ecgseg_model.h is missing.",
            "Run `invoke render` for the model first.",
        )
    compiler = _tool(board, "gcc")
    has_stream = (generated / _PARAMETERS).is_file()
    include_dirs = (
        *(
            paths.FIRMWARE / part
            for part in ("programs/app", "link/include", "engine/include", "pipeline/include", "boards")
        ),
        paths.FIRMWARE / "boards" / board.name,
        generated,
        *(library.folders if library else ()),
    )
    # Later maps win; the generated folder may lie inside the repository.
    maps = [f"-ffile-prefix-map={paths.ROOT}=.", f"-ffile-prefix-map={generated}=generated"]
    if library:
        maps.append(f"-ffile-prefix-map={library.root}=library")
    return _Plan(
        board=board,
        compiler=compiler,
        compiler_version=_version(compiler),
        generated=generated,
        sources=_sources(board, generated, has_stream, library),
        headers=tuple(_files(include_dirs, "*.h", "*.def", "*.inc")),
        flags=(*COMMON_FLAGS, *board.flags, *maps, *extra_flags),
        include_dirs=include_dirs,
        library=library,
        cpp_compiler=_tool(board, "g++") if library else "",
    )


def _sources(board: Board, generated: Path, has_stream: bool, library: Library | None) -> tuple[Path, ...]:
    firmware = paths.FIRMWARE
    folders = [*library.folders] if library else [firmware / "engine"]
    if library is None or library.app:
        folders += [firmware / "programs" / "app", firmware / "link"]
        if has_stream:
            folders.append(firmware / "pipeline")
    folders += [firmware / "boards" / board.name, generated]
    left_out = _WITHOUT_STREAM if has_stream else _STREAM_ONLY
    found = tuple(
        path for path in _files(folders, "*.c", "*.S", *(["*.cc"] if library else [])) if path.name not in left_out
    )
    if not any(path.parent.name == board.name for path in found):
        raise BuildError(
            f"The board {board.name} has no sources.",
            f"firmware/boards/{board.name} is empty.",
            "Restore it from the repository.",
        )
    return found


def _files(folders: Iterable[Path], *patterns: str) -> list[Path]:
    return [path for folder in folders for pattern in patterns for path in sorted(folder.glob(pattern))]


def _tool(board: Board, name: str) -> str:
    program = shutil.which(board.prefix + name)
    if program is None:
        raise ToolMissingError(
            f"{board.prefix}{name} is not installed.",
            f"The board {board.name} is compiled with it.",
            f"Run: {board.package_command}",
        )
    return program


@lru_cache(maxsize=8)
def _version(compiler: str) -> str:
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.splitlines()[0] if done.stdout else "unknown"


def _build(plan: _Plan, out_dir: Path) -> Image:
    build_id = _build_id(plan)
    out_dir.mkdir(parents=True, exist_ok=True)
    image = Image(
        elf=out_dir / "ecgseg.elf",
        bin=out_dir / "ecgseg.bin" if plan.board.has_bin else None,
        map=out_dir / "ecgseg.map",
        board=plan.board.name,
        build_id=build_id,
    )
    stamp = out_dir / "image.json"
    if not _up_to_date(image, stamp):
        stamp.unlink(missing_ok=True)
        objects = _compile_all(plan, build_id)
        _link(plan, objects, image)
        if _build_id(plan) != build_id:
            raise _SourcesChangedError
        _replace(stamp, json.dumps({"build_id": build_id, "files": _digests(image)}, indent=2).encode())
    return Image(image.elf, image.bin, image.map, image.board, build_id, section_sizes(image.elf))


def _relative(path: Path, plan: _Plan) -> str:
    if path.is_relative_to(plan.generated):
        return f"generated/{path.relative_to(plan.generated)}"
    return str(path.relative_to(paths.ROOT))


def _add(digest: hashlib._Hash, *parts: bytes | str) -> None:
    """Each part with its length, so that no two lists of parts look alike."""
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)


def _normal_flags(plan: _Plan) -> list[str]:
    """Flags without the names of folders on this machine."""
    return [flag for flag in plan.flags if not flag.startswith("-ffile-prefix-map")]


def _common_digest(plan: _Plan) -> bytes:
    digest = hashlib.sha256()
    _add(digest, _FORMAT, plan.board.name, plan.compiler_version, *_normal_flags(plan))
    for header in plan.headers:
        _add(digest, _relative(header, plan), header.read_bytes())
    if plan.library:
        _add(digest, *plan.library.flags, plan.library.file.read_bytes())
    return digest.digest()


def _build_id(plan: _Plan) -> str:
    digest = hashlib.sha256()
    _add(digest, _common_digest(plan), *plan.board.link_flags)
    script = plan.board.linker_script
    for path in (*plan.sources, *([_script(plan)] if script else [])):
        _add(digest, _relative(path, plan), path.read_bytes())
    return digest.hexdigest()[:16]


def _script(plan: _Plan) -> Path:
    return paths.FIRMWARE / "boards" / plan.board.name / str(plan.board.linker_script)


def _up_to_date(image: Image, stamp: Path) -> bool:
    try:
        known = json.loads(stamp.read_text(encoding="utf-8"))
        return bool(known == {"build_id": image.build_id, "files": _digests(image)})
    except (OSError, ValueError):
        return False


def _digests(image: Image) -> dict[str, str]:
    files = [path for path in (image.elf, image.bin, image.map) if path is not None]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _compile_all(plan: _Plan, build_id: str) -> list[Path]:
    common = _common_digest(plan)
    folder = paths.BUILD / "objects" / plan.board.name
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=_JOBS) as pool:
        return list(pool.map(lambda source: _compile(plan, source, folder, common, build_id), plan.sources))


def _compile(plan: _Plan, source: Path, folder: Path, common: bytes, build_id: str) -> Path:
    defines = [f'-DECGSEG_BUILD_ID="{build_id}"'] if source.name == "app_build_id.c" else []
    digest = _object_digest(plan, source, common, defines)
    target = folder / f"{source.stem}-{digest[:24]}.o"
    if target.is_file():
        return target
    includes = [f"-I{directory}" for directory in plan.include_dirs]
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        made = Path(temporary) / "object.o"
        how = _cpp(plan, plan.library) if source.suffix == ".cc" and plan.library else [plan.compiler, *plan.flags]
        command = [*how, *defines, *includes, "-c", str(source), "-o", str(made)]
        _run(command, f"{_relative(source, plan)} does not compile for {plan.board.name}.")
        # An object must never carry the name of sources that it was not made from.
        if _object_digest(plan, source, _common_digest(plan), defines) != digest:
            raise _SourcesChangedError
        os.replace(made, target)
    return target


def _cpp(plan: _Plan, library: Library) -> list[str]:
    """Compiler and flags of the C++ sources; the library's headers are not ours to be free of warnings."""
    flags = [flag for flag in plan.flags if flag not in C_ONLY_FLAGS]
    if not plan.board.prefix:
        flags.append("-fno-sanitize=vptr")  # needs run-time type information, which the library has none of
    return [
        plan.cpp_compiler,
        *flags,
        *CPP_FLAGS,
        *library.flags,
        *(f"-isystem{path}" for path in library.include_dirs),
    ]


def _object_digest(plan: _Plan, source: Path, common: bytes, defines: Sequence[str]) -> str:
    """Names an object by what it is made from, not by where that lies: the prefix maps take the folders out of it."""
    digest = hashlib.sha256()
    _add(digest, common, _relative(source, plan), source.read_bytes(), *defines)
    return digest.hexdigest()


def _link(plan: _Plan, objects: Sequence[Path], image: Image) -> None:
    with tempfile.TemporaryDirectory(dir=image.elf.parent) as temporary:
        folder = Path(temporary)
        elf, link_map = folder / "ecgseg.elf", folder / "ecgseg.map"
        script = [f"-T{_script(plan)}"] if plan.board.linker_script else []
        # The same names every time: the map and the image must not tell where they were made.
        for number, made in enumerate(objects):
            os.symlink(made.resolve(), folder / f"{number:02d}-{made.stem.rsplit('-', 1)[0]}.o")
        names = sorted(path.name for path in folder.glob("*.o"))
        if plan.library:
            os.symlink(plan.library.file.resolve(), folder / "library.a")
            names += ["library.a", "-lstdc++", "-lm"]
        command = [
            plan.compiler,
            *plan.flags,
            *plan.board.link_flags,
            *script,
            f"-Wl,-Map={link_map.name}",
            "-Wl,--build-id=none",
            *names,
            "-o",
            elf.name,
        ]
        _run(command, f"The image for {plan.board.name} does not link.", folder)
        if image.bin is not None:
            flat = folder / "ecgseg.bin"
            copy = [_tool(plan.board, "objcopy"), "-O", "binary", elf.name, flat.name]
            _run(copy, f"The flat image for {plan.board.name} cannot be made.", folder)
            os.replace(flat, image.bin)
        os.replace(elf, image.elf)
        os.replace(link_map, image.map)


def _run(command: Sequence[str], failure: str, folder: Path = paths.ROOT) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_TOOL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise BuildError(failure, f"The compiler did not end within {_TOOL_SECONDS} s.", "Try again.") from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).replace(f"{paths.ROOT}/", "").splitlines()
        if any("No space left on device" in line for line in lines):
            raise OutputError(failure, "No space left on device.", "Make room and try again.")
        shown = "\n".join(lines[:_OUTPUT_LINES])
        raise BuildError(failure, shown, "Correct the source; for generated code, render it again with this release.")


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def section_sizes(elf: Path) -> dict[str, int]:
    """Bytes per allocated section; flash is what is loaded, ram what may be written."""
    try:
        with elf.open("rb") as file:
            sections = [
                (section.name, section["sh_size"], section["sh_flags"], section["sh_type"])
                for section in ELFFile(file).iter_sections()
                if section["sh_flags"] & _ALLOCATED and section["sh_size"]
            ]
    except ELFError as error:
        raise BuildError("The image is no ELF file.", str(error), "Delete the build folder, build again.") from error
    sizes = {name: int(size) for name, size, _, _ in sections}
    flash = sum(int(size) for _, size, _, kind in sections if kind != "SHT_NOBITS")
    ram = sum(int(size) for _, size, flags, _ in sections if flags & 1)
    return {**sizes, "flash": flash, "ram": ram}
