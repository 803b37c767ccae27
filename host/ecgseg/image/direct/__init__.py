"""Kernels of others without an interpreter, for comparison: the user's trees, a library of them, rendered calls."""

from ecgseg.image.direct.library import kernels_of
from ecgseg.image.direct.render import UnsuitedError, render_direct
from ecgseg.image.direct.trees import KernelTree, find_cmsis_nn, find_tinyengine

__all__ = ["KernelTree", "UnsuitedError", "find_cmsis_nn", "find_tinyengine", "kernels_of", "render_direct"]
