"""What of the user's tree goes into an image."""

from __future__ import annotations

from ecgseg.image.boards import Board
from ecgseg.image.objects import Library
from ecgseg.image.tflm.tree import Tree
from ecgseg.image.toolchain import require_cpp_library

# Both have to be as they were for the library: they change the layout of its structures.
_DEFINES = ("-DTF_LITE_STATIC_MEMORY", "-DTF_LITE_DISABLE_X86_NEON")


def library_of(board: Board, tree: Tree, arena: int | None = None) -> Library:
    """The library of a tree for a board.

    Args:
        board: what is built for.
        tree: the user's tree.
        arena: bytes that the model gets; None for the program that looks for them.

    Raises:
        ToolMissingError: the tree has none for the board, or the compiler comes without its C++ library.
    """
    require_cpp_library(board)
    return Library(
        file=tree.library(board),
        root=tree.root,
        include_dirs=tree.include_dirs,
        flags=_DEFINES if arena is None else (*_DEFINES, f"-DECGSEG_TFLM_ARENA_BYTES={arena}u"),
    )
