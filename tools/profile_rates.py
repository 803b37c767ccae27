"""What the filter from a front end's rate to 100 Hz costs: modelled cycles a second of signal, and flash.

    python tools/profile_rates.py [--rate HZ]...

The filter alone is built for the Apollo4 Plus and pushed a second of samples at a time, its code in the cache.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from ecgseg.codegen.parameters import render_c_header  # noqa: E402
from ecgseg.errors import EcgsegError  # noqa: E402
from ecgseg.image.boards import APOLLO4P_EVB  # noqa: E402
from ecgseg.image.build import build  # noqa: E402
from ecgseg.image.programs import CYCLES, PIPELINE_PART  # noqa: E402
from ecgseg.image.sizes import symbols  # noqa: E402
from ecgseg.output import write_files  # noqa: E402
from ecgseg.pipeline import PreprocessParameters, Resampling  # noqa: E402
from ecgseg.profile.cycles import run_image  # noqa: E402

RATES = (50, 100, 125, 128, 200, 250, 256, 360, 400, 500, 512, 1000, 2000)
# The filter alone, whatever else of the pipeline there is.
_FILTER = replace(CYCLES, parts=(*CYCLES.parts, replace(PIPELINE_PART, for_stream=False)))
# One call may bring a sample more than a second has, where the last one ended right in front of it.
MOST_SAMPLES = 101
OUTPUT_BYTES = 1 + 3 * MOST_SAMPLES
# The program that counts cycles knows models: a run is a second of signal. It answers how many samples at 100 Hz it
# made, and for each its value and its flags.
HEADER = f"""#ifndef ECGSEG_MODEL_H
#define ECGSEG_MODEL_H
#include "ecgseg_engine.h"
#include "ecgseg_preprocess.h"
#define ECGSEG_MODEL_INPUT_BYTES (2 * ECGSEG_INPUT_RATE)
#define ECGSEG_MODEL_OUTPUT_BYTES {OUTPUT_BYTES}
ecgseg_engine_status_t ecgseg_model_init(void);
ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output);
#endif
"""
SOURCE = """#include "ecgseg_model.h"
#include <string.h>
static ecgseg_preprocess_t state;
ecgseg_engine_status_t ecgseg_model_init(void)
{
    ecgseg_preprocess_init(&state, 0.03125f, 0);
    return ECGSEG_ENGINE_OK;
}
ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output)
{
    const int16_t *const samples = (const int16_t *)(const void *)input;
    uint32_t at = state.ring_next;
    bool ready = true;
    size_t taken = 0;
    while (ready) {
        taken += ecgseg_preprocess_push(&state, samples + taken, ECGSEG_INPUT_RATE - taken, &ready);
    }
    output[0] = 0;
    for (; at != state.ring_next; at = at + 1u == ECGSEG_FRAME_LENGTH ? 0u : at + 1u) {
        (void)memcpy(&output[1 + 3 * output[0]], &state.ring[at], sizeof state.ring[at]);
        output[3 + 3 * output[0]] = (int8_t)state.flags[at];
        output[0]++;
    }
    return ECGSEG_ENGINE_OK;
}
"""
_TAPS = "taps"  # of ecgseg_preprocess.c


@dataclass(frozen=True)
class Cost:
    """Of a rate.

    Attributes:
        cycles: modelled, of a second of signal.
        flash_bytes: code and taps of the filter.
        outputs: int8 [seconds, OUTPUT_BYTES], what it answered, in the order of the input.
    """

    cycles: int
    flash_bytes: int
    outputs: npt.NDArray[np.int8]


def measure(rate: int, seconds: npt.NDArray[np.int16]) -> Cost:
    """Runs the filter.

    Args:
        rate: of the raw samples, Hz.
        seconds: int16 [seconds, rate]; they run in the order 0, last, ..., 1, 0, and the last run is what is counted
            and answered of second 0.

    Raises:
        EcgsegError: compiler or simulator are not installed.
    """
    header = render_c_header(PreprocessParameters(input_rate=rate), "profile_rates")
    with tempfile.TemporaryDirectory(prefix="ecgseg-rate-") as folder:
        generated = Path(folder) / "filter"
        files = {"ecgseg_preprocess_params.h": header, "ecgseg_model.h": HEADER, "ecgseg_model.c": SOURCE}
        write_files(generated, files)
        image = build(APOLLO4P_EVB, generated, program=_FILTER, out_dir=Path(folder) / "image")
        found = run_image(image.elf, np.ascontiguousarray(seconds, "<i2").view(np.int8), OUTPUT_BYTES)
        parts = {name for name in found.by_function if not name.startswith("ecgseg_model")} | {_TAPS}
        flash = sum(symbol.size for symbol in symbols(image.elf) if symbol.name in parts)
    cycles = sum(cycles for name, (cycles, _) in found.by_function.items() if name in parts)
    return Cost(cycles, flash, found.outputs)


def signal(rate: int) -> npt.NDArray[np.int16]:
    """Two seconds of a triangle of 1 mV, int16 [2, rate]: what the filter costs does not depend on good samples."""
    ramp = np.arange(2 * rate) % 200 * 10
    return np.where(ramp < 1000, ramp, 2000 - ramp).astype(np.int16).reshape(2, rate)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, action="append", default=[], help=f"default {', '.join(map(str, RATES))}")
    options = parser.parse_args()
    print("| rate | to 100 Hz | taps | delay | taps in flash | filter in flash | modelled cycles a second |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    try:
        for rate in options.rate or RATES:
            cost, by = measure(rate, signal(rate)), Resampling(rate)
            taps = 2 * by.phases * (by.width + by.width % 2) if by.taps.size else 0
            print(
                f"| {rate} Hz | {by.phases}/{by.factor} | {by.width if taps else 0} | {by.delay} | {taps:,} B "
                f"| {cost.flash_bytes:,} B | {cost.cycles:,} |"
            )
    except EcgsegError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
