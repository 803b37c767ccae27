"""Compiles what an image is made of; an object is named by what it was made from, and made once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ecgseg import paths
from ecgseg.codegen.names import PARAMETERS
from ecgseg.errors import BuildError, UsageError
from ecgseg.image.boards import C_ONLY_FLAGS, COMMON_FLAGS, CPP_FLAGS, Board
from ecgseg.image.programs import AOT, MODEL_HEADER, TFLM, Backend, Program, files_in, headers_in
from ecgseg.image.toolchain import end_running, find_tool, run_tool, version

_JOBS = 2
# With this flag the compiler tells how much stack each function takes, in a file beside its object.
STACK_USAGE_FLAG, STACK_USAGE = "-fstack-usage", ".su"
_FORMAT = "objects 3"  # to be changed with the way objects are named or made


@dataclass(frozen=True)
class Library:
    """A library that runs the model instead of generated C.

    Attributes:
        file: the static library.
        root: folder that nothing in the image may tell.
        include_dirs: its headers.
        flags: for the sources between it and ecgseg_engine.h.
        backend: those sources.
    """

    file: Path
    root: Path
    include_dirs: tuple[Path, ...]
    flags: tuple[str, ...]
    backend: Backend = TFLM

    @property
    def linked(self) -> tuple[str, ...]:
        """What the linker takes besides it."""
        return ("-lstdc++", "-lm") if self.backend.cpp else ()


class SourcesChangedError(Exception):
    """A file was edited between taking its hash and compiling it."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides what an image is.

    Attributes:
        program, board: what is built for what.
        generated: folder of the rendered model, None for a program without one.
        library: what runs the model, None for generated C.
        compiler, cpp_compiler: paths; the latter is empty where no source is C++.
        compiler_version: first line of what it says.
        sources, headers: files; every header that could be included counts.
        include_dirs: in the order in which they are searched.
        flags: for compiling and linking.
    """

    program: Program
    board: Board
    generated: Path | None
    library: Library | None
    compiler: str
    cpp_compiler: str
    compiler_version: str
    sources: tuple[Path, ...]
    headers: tuple[Path, ...]
    include_dirs: tuple[Path, ...]
    flags: tuple[str, ...]

    def tool(self, name: str) -> str:
        """Path of one of the programs that compile for the board. Raises ToolMissingError."""
        return find_tool(self.board, name, self.program.why.format(board=self.board.name))

    def failure(self, generic: str) -> str:
        """What a message says that did not work."""
        return self.program.failure or generic


def plan_of(
    program: Program, board: Board, generated: Path | None, extra_flags: Sequence[str], library: Library | None
) -> Plan:
    """Plans an image.

    Args:
        program, board: what is built for what.
        generated: folder of the rendered model, for a program that has one.
        extra_flags: more compiler flags.
        library: what runs the model instead of generated C.

    Raises:
        UsageError: the program does not exist for the board.
        BuildError: the rendered model or the board's sources are not there.
        ToolMissingError: the compiler is not installed.
    """
    if board.name not in program.boards:
        known = f"Choose one of: {', '.join(program.boards)}."
        raise UsageError(f"The program {program.name} is not for the board {board.name}.", "", known)
    backend = library.backend if library else AOT
    rendered = (_rendered(generated, backend),) if program.has_model else ()
    stream = program.takes_samples and any((folder / PARAMETERS).is_file() for folder in rendered)
    why = program.why.format(board=board.name)
    compiler = find_tool(board, program.compiler, why, program.packages)
    source_dirs = (*program.source_dirs(backend, stream=stream), *board.folders, *rendered)
    include_dirs = (*program.include_dirs(backend), *board.include_dirs, *rendered)
    # Later maps win; the generated folder may lie inside the repository.
    maps = [(paths.ROOT, "."), *((folder, "generated") for folder in rendered)]
    if library:
        maps.append((library.root, "library"))
    return Plan(
        program=program,
        board=board,
        generated=next(iter(rendered), None),
        library=library,
        compiler=compiler,
        cpp_compiler=find_tool(board, "g++", why) if backend.cpp else "",
        compiler_version=version(compiler),
        sources=_sources(board, source_dirs, program.leaves_out(stream=stream), cpp=backend.cpp),
        headers=tuple(headers_in((*include_dirs, *source_dirs))),
        include_dirs=include_dirs,
        flags=(
            *COMMON_FLAGS,
            *board.flags,
            *(f"-ffile-prefix-map={folder}={name}" for folder, name in maps),
            *program.flags_with(stream=stream),
            *extra_flags,
        ),
    )


def _rendered(generated: Path | None, backend: Backend) -> Path:
    folder = generated.resolve() if generated else None
    if folder is None or not all((folder / name).is_file() for name in (backend.model_source, MODEL_HEADER)):
        raise BuildError(
            f"There is no generated model in {folder}.",
            f"{backend.model_source} or {MODEL_HEADER} is missing.",
            "Run `invoke render` for the model first.",
        )
    return folder


def _sources(board: Board, folders: Sequence[Path], left_out: frozenset[str], *, cpp: bool) -> tuple[Path, ...]:
    patterns = ("*.c", "*.S", *(("*.cc",) if cpp else ()))
    found = files_in(folders, *patterns)
    if not any(path.parent.name == board.name for path in found):
        raise BuildError(
            f"The board {board.name} has no sources.",
            f"firmware/boards/{board.name} is empty.",
            "Restore it from the repository.",
        )
    return tuple(path for path in found if path.name not in left_out)


def build_id(plan: Plan) -> str:
    """16 hexadecimal digits over sources, headers, flags, compiler, linker script and library."""
    digest = hashlib.sha256()
    _add(digest, _common_digest(plan), *plan.board.link_flags)
    for path in (*plan.sources, *([plan.board.script] if plan.board.script else [])):
        _add(digest, _relative(path, plan), path.read_bytes())
    return digest.hexdigest()[:16]


def compile_all(plan: Plan, stamp: str) -> list[Path]:
    """Compiles what is not there yet.

    Args:
        plan: of the image.
        stamp: build id, for the file that is told it.

    Returns:
        An object per source, in build/objects/<board>; with STACK_USAGE_FLAG a file beside it that ends in STACK_USAGE.

    Raises:
        BuildError: the compiler complained.
        OutputError: the disk is full.
        SourcesChangedError: a source was edited meanwhile.
    """
    common = _common_digest(plan)
    folder = paths.BUILD / "objects" / plan.board.name
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=_JOBS) as pool:
        try:
            return list(pool.map(lambda source: _compile(plan, source, folder, common, stamp), plan.sources))
        except KeyboardInterrupt:
            end_running()
            raise


def _as_the_shim_sees_it(plan: Plan) -> Plan:
    """The plan without the rendered headers: the shim knows no model, and is compiled once for all of them."""
    generated = plan.generated
    return replace(
        plan,
        headers=tuple(path for path in plan.headers if generated is None or path.parent != generated),
        include_dirs=tuple(path for path in plan.include_dirs if path != generated),
    )


def _compile(plan: Plan, source: Path, folder: Path, common: bytes, stamp: str) -> Path:
    if plan.library and source.parent == plan.library.backend.part.source_dir:
        plan = _as_the_shim_sees_it(plan)
        common = _common_digest(plan)
    defines = [f'-DECGSEG_BUILD_ID="{stamp}"'] if source.name == plan.program.stamped else []
    digest = _object_digest(plan, source, common, defines)
    target = folder / f"{source.stem}-{digest[:24]}.o"
    if target.is_file():
        return target
    includes = [f"-I{directory}" for directory in plan.include_dirs]
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        made = Path(temporary) / "object.o"
        command = [*_compiler(plan, source), *defines, *includes, "-c", str(source), "-o", str(made)]
        failure = plan.failure(f"{_relative(source, plan)} does not compile for {plan.board.name}.")
        run_tool(command, failure, plan.program.remedy)
        # An object must never carry the name of sources that it was not made from.
        if _object_digest(plan, source, _common_digest(plan), defines) != digest:
            raise SourcesChangedError
        if STACK_USAGE_FLAG in plan.flags:
            os.replace(made.with_suffix(STACK_USAGE), target.with_suffix(STACK_USAGE))
        os.replace(made, target)
    return target


def _compiler(plan: Plan, source: Path) -> list[str]:
    """Compiler and flags of a source; of those beside a library only its own language sees the library."""
    library = plan.library
    if library and library.backend.cpp and source.suffix == ".cc":
        return _cpp(plan, library)
    if library and not library.backend.cpp:
        return [plan.compiler, *plan.flags, *library.flags, *_system(library)]
    return [plan.compiler, *plan.flags]


def _system(library: Library) -> list[str]:
    """The library's headers are not ours to be free of warnings."""
    return [f"-isystem{path}" for path in library.include_dirs]


def _cpp(plan: Plan, library: Library) -> list[str]:
    """Compiler and flags of the C++ sources."""
    flags = [flag for flag in plan.flags if flag not in C_ONLY_FLAGS]
    if not plan.board.prefix:
        flags.append("-fno-sanitize=vptr")  # needs run-time type information, which the library has none of
    return [
        plan.cpp_compiler,
        *flags,
        *CPP_FLAGS,
        *library.flags,
        *_system(library),
    ]


def _object_digest(plan: Plan, source: Path, common: bytes, defines: Sequence[str]) -> str:
    """Names an object by what it is made from, not by where that lies: the prefix maps take the folders out of it."""
    digest = hashlib.sha256()
    _add(digest, common, _relative(source, plan), source.read_bytes(), *defines)
    return digest.hexdigest()


def _common_digest(plan: Plan) -> bytes:
    """Of what goes into every object."""
    # Without the names of folders on this machine.
    flags = [flag for flag in plan.flags if not flag.startswith("-ffile-prefix-map")]
    digest = hashlib.sha256()
    _add(digest, _FORMAT, plan.board.name, plan.compiler_version, *flags)
    for header in plan.headers:
        _add(digest, _relative(header, plan), header.read_bytes())
    if plan.library:
        _add(digest, *plan.library.flags, plan.library.file.read_bytes())
    return digest.digest()


def _relative(path: Path, plan: Plan) -> str:
    if plan.generated and path.is_relative_to(plan.generated):
        return f"generated/{path.relative_to(plan.generated)}"
    return str(path.relative_to(paths.ROOT))


def _add(digest: hashlib._Hash, *parts: bytes | str) -> None:
    """Each part with its length, so that no two lists of parts look alike."""
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
