"""Modelled cycles and executed instructions of one inference, by function, and the flash of the kernels.

    python tools/profile_functions.py --model seg-4-tcn-sm
    python tools/profile_functions.py --tflite FILE

Renders, builds and runs in a few seconds: for work on kernels.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

from ecgseg import paths  # noqa: E402
from ecgseg.errors import EcgsegError  # noqa: E402
from ecgseg.models import model_names  # noqa: E402
from ecgseg.profile.cycles import modelled_inference  # noqa: E402


def show(tflite: Path, least: float) -> None:
    """Prints the functions that take at least a share of the time, the most expensive first."""
    found = modelled_inference(tflite)
    print(f"{tflite}: {found.cycles:,} modelled cycles, {found.instructions:,} instructions")
    for name, (cycles, instructions) in found.by_function.items():
        if cycles >= least * found.cycles:
            print(f"{cycles:>12,} {100 * cycles / found.cycles:5.1f} % {instructions:>12,}  {name}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=model_names(), action="append", default=[])
    parser.add_argument("--tflite", type=Path, action="append", default=[])
    parser.add_argument("--least", type=float, default=0.005, help="share of the time below which nothing is shown")
    options = parser.parse_args()
    chosen = [paths.MODELS / name / "model.tflite" for name in options.model] + options.tflite
    try:
        for tflite in chosen or [paths.MODELS / name / "model.tflite" for name in model_names()]:
            show(tflite, options.least)
    except EcgsegError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
