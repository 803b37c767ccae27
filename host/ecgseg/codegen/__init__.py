"""The code generator: .tflite to C."""

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.render import compile_graph, preprocess_parameters, render

__all__ = ["Manifest", "compile_graph", "preprocess_parameters", "render"]
