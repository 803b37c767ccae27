"""Holds the instruction set of a training still, so that CPUs which have more than it compute the same bytes.

numpy, XLA and oneDNN choose their code by what the CPU has, and other instructions add in another order. They read the
environment when they are first imported: so this module imports none of them.
"""

from __future__ import annotations

import os
import sys

NAME = "AVX2"
_XLA = "--xla_cpu_max_isa=AVX2"
_FEATURES = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    # Of numpy's names those of AVX-512; the others are its baseline, or AVX2.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}

# What numpy, XLA and TensorFlow read that decides the bytes of a training.
DECISIVE = ("XLA_FLAGS", "TF_XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS", "OMP_NUM_THREADS", *_FEATURES)


def hold_still() -> bool:
    """Sets the environment so that no instruction beyond AVX2 is used; False where numpy or TensorFlow have it read."""
    if sys.modules.keys() & {"numpy", "tensorflow"}:
        return held_still()
    os.environ.update(environment(held=True))
    return True


def environment(*, held: bool) -> dict[str, str]:
    """What this process says of how numbers are computed, for a process that is to compute the same.

    Args:
        held: no instruction beyond AVX2 is to be used there, whatever is used here.
    """
    said = {name: os.environ[name] for name in DECISIVE if name in os.environ}
    if not held:
        return said
    flags = said.get("XLA_FLAGS", "")
    return said | _FEATURES | {"XLA_FLAGS": flags if _XLA in flags else f"{flags} {_XLA}".strip()}


def held_still() -> bool:
    """True where the environment says so."""
    return _XLA in os.environ.get("XLA_FLAGS", "") and all(os.environ.get(n) == v for n, v in _FEATURES.items())
