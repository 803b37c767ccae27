"""TensorFlow Lite Micro instead of generated C: the user's tree, rendered operators, arena size, image."""

from ecgseg.image.tflm.arena import find_arena
from ecgseg.image.tflm.image import build_tflm
from ecgseg.image.tflm.render import render_tflm
from ecgseg.image.tflm.tree import Tree, find_tree

__all__ = ["Tree", "build_tflm", "find_arena", "find_tree", "render_tflm"]
