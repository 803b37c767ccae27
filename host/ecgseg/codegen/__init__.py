"""The code generator: .tflite to C."""

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.program import compile_network
from ecgseg.codegen.render import render

__all__ = ["Manifest", "compile_network", "render"]
