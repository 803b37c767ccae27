"""The instruction set of a training is held still before numpy reads what the CPU has, or not at all."""

from __future__ import annotations

import subprocess
import sys

ASK = "from ecgseg.zoo import instruction_set as i; print(i.hold_still(), i.held_still())"


def asked(code: str) -> list[str]:
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return said.stdout.split()


def test_it_is_held_in_time():
    assert asked(ASK) == ["True", "True"]
    flags = "import os; print(os.environ['XLA_FLAGS'].count('xla_cpu_max_isa=AVX2'), os.environ['ONEDNN_MAX_CPU_ISA'])"
    assert asked(f"{ASK}; i.hold_still(); {flags}")[2:] == ["1", "AVX2"]


def test_numpy_keeps_to_it():
    code = f"{ASK}; import numpy; from numpy._core._multiarray_umath import __cpu_features__ as f; print(f['X86_V4'])"
    assert asked(code)[2:] == ["False"]


def test_when_numpy_is_there_it_is_too_late():
    assert asked(f"import numpy; {ASK}") == ["False", "False"]
