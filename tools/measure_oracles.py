"""Times a frame, and a HIL test of one record on the host, with TensorFlow Lite Micro and with ecgseg's interpreter.

python tools/measure_oracles.py [--hil]   --hil runs the test too: minutes, as it builds the firmware
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "host"))

import numpy as np

from ecgseg.hil.runner import HilOptions, run
from ecgseg.models import find_model, model_names
from ecgseg.pipeline.segmenter import Segmenter

RUNS = 20


def hidden() -> Any:
    """As on a computer without the package."""
    return mock.patch.dict(sys.modules, {"tflite_micro": None, "tflite_micro.python.tflite_micro": None})


def seconds(work: Callable[[], object]) -> float:
    """Of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def frame_times(name: str) -> tuple[float, float]:
    """Median seconds of a frame of a model, over both oracles."""
    content = find_model(name).data
    micro = Segmenter(content)
    with hidden():
        own = Segmenter(content)
    data = np.random.default_rng(1).integers(-128, 128, own.input_bytes, dtype=np.int8)
    first, second = ([seconds(partial(twin.run, data)) for _ in range(RUNS)] for twin in (micro, own))
    return median(first), median(second)


def hil_test(name: str) -> tuple[str, float]:
    """Oracle and seconds of a HIL test of one record, 12 leads, on the host, from the first sample on."""
    result = run(HilOptions("host", model=name, records=(1,))).result
    return f"{result.verdict}, {result.frames} frames, {result.oracle}", result.seconds


def main() -> None:
    """Prints a line for each model, then one for each test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hil", action="store_true", help="also run a HIL test with each")
    asked = parser.parse_args()
    for name in model_names():
        micro, own = frame_times(name)
        print(f"{name}: a frame takes {1e3 * micro:.1f} ms in TFLM, {1e3 * own:.1f} ms here, {own / micro:.1f} times")
    if not asked.hil:
        return
    name = model_names()[0]
    told, taken = hil_test(name)
    print(f"{name}: {told}: {taken:.1f} s")
    with hidden():
        told, taken = hil_test(name)
    print(f"{name}: {told}: {taken:.1f} s")


if __name__ == "__main__":
    main()
