"""Makes a static library of the kernels in a user's tree, once, with the flags of the images."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ecgseg import paths
from ecgseg.errors import OutputError, cause
from ecgseg.image.boards import COMMON_FLAGS, WARNINGS, Board
from ecgseg.image.direct.trees import KernelTree
from ecgseg.image.objects import Library
from ecgseg.image.programs import DIRECT
from ecgseg.image.toolchain import find_tool, run_tool, version

_JOBS = 2
_WHY = "The kernels that are compared with are compiled with it."
_REMEDY = "Name a tree of a release that docs/performance.md names."
# Warnings of code that is not ours say nothing here, and its lines are not looked for.
_LEFT_OUT = (*WARNINGS, "-g")
_QUIET = "-w"


def kernels_of(tree: KernelTree, board: Board, defines: tuple[str, ...]) -> Library:
    """The library of a tree's kernels for a board, and how the calls of them are compiled.

    Args:
        tree: the user's tree.
        board: what is built for.
        defines: flags that choose the calls in firmware/backends/direct.

    Raises:
        ToolMissingError: the compiler is not installed.
        BuildError: it complained.
        OutputError: the library cannot be written.
    """
    flags = (*(flag for flag in COMMON_FLAGS if flag not in _LEFT_OUT), *board.flags, _QUIET)
    compiler = find_tool(board, "gcc", _WHY)
    target = paths.BUILD / "kernels" / f"{_digest(tree, (version(compiler), *flags))}.a"
    if not target.is_file():
        try:
            _make(tree, board, [compiler, *flags], target)
        except OSError as error:
            raise OutputError(
                f"{target} cannot be written.", cause(error, "The system does not say."), "Make room."
            ) from error
    return Library(target, tree.root, tree.include_dirs, defines, DIRECT)


def _make(tree: KernelTree, board: Board, compiler: list[str], target: Path) -> None:
    failure = f"The kernels of {tree.name} do not compile."
    includes = ["-I.", *(f"-I{folder}" for folder in tree.include_dirs)]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        # The same names every time, and none that tells where the tree lies.
        for header in tree.empty_headers:
            (Path(folder) / header).touch()
        objects = [f"{number:03d}-{source.stem}.o" for number, source in enumerate(tree.sources)]

        def compile_one(source: Path, made: str) -> None:
            mapped = f"-ffile-prefix-map={tree.root}=library"
            run_tool([*compiler, mapped, *includes, "-c", str(source), "-o", made], failure, _REMEDY, Path(folder))

        with ThreadPoolExecutor(max_workers=_JOBS) as pool:
            list(pool.map(compile_one, tree.sources, objects))
        run_tool([find_tool(board, "ar", _WHY), "rcsD", "library.a", *objects], failure, _REMEDY, Path(folder))
        os.replace(Path(folder) / "library.a", target)


def _digest(tree: KernelTree, flags: Iterable[str]) -> str:
    """Over flags, sources and every header that they may include."""
    digest = hashlib.sha256("\0".join(flags).encode())
    headers = [path for folder in tree.include_dirs for path in sorted(folder.rglob("*.h"))]
    for path in dict.fromkeys((*tree.sources, *headers)):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(tree.root)}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:24]
