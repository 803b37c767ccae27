"""The code generator: .tflite to C."""

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.program import compile_network
from ecgseg.codegen.render import preprocess_parameters, render

__all__ = ["Manifest", "compile_network", "preprocess_parameters", "render"]
