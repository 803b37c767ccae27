"""Modelled cycles of one block of a stream, and of a second of signal, in all and by function.

    python tools/profile_stream.py --tflite FILE [--block N]... [--rate HZ]
    python tools/profile_stream.py --tflite FILE --chain

Renders, builds and runs in a few seconds: for work on kernels, and to choose a block. With --chain a second of
synthetic ECG goes all the way, from raw samples through filter, normalisation, network and delineator to events.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

import numpy as np  # noqa: E402

from ecgseg.codegen.manifest import StreamManifest  # noqa: E402
from ecgseg.codegen.render_delineator import render_delineator  # noqa: E402
from ecgseg.codegen.render_stream import render_stream  # noqa: E402
from ecgseg.data.databases.synthetic import synthetic_records  # noqa: E402
from ecgseg.errors import EcgsegError, TargetError  # noqa: E402
from ecgseg.graph.streaming import BLOCK  # noqa: E402
from ecgseg.image.boards import APOLLO4P_EVB  # noqa: E402
from ecgseg.image.build import build  # noqa: E402
from ecgseg.image.programs import CYCLES, PIPELINE_PART, STREAM_APP  # noqa: E402
from ecgseg.output import write_files  # noqa: E402
from ecgseg.profile.cycles import Modelled, run_image  # noqa: E402
from ecgseg.targets.apollo4p_sim.alone import FREE_START, LoneCore  # noqa: E402

# The program that counts cycles knows models: a run is one block in the middle of a record.
HEADER = """#ifndef ECGSEG_MODEL_H
#define ECGSEG_MODEL_H
#include "ecgseg_engine.h"
#include "ecgseg_stream_model.h"
#define ECGSEG_MODEL_INPUT_BYTES (ECGSEG_STREAM_BLOCK * ECGSEG_STREAM_INPUT_ROW_BYTES)
#define ECGSEG_MODEL_OUTPUT_BYTES (ECGSEG_STREAM_BLOCK_ANSWERS * ECGSEG_STREAM_OUTPUT_ROW_BYTES)
ecgseg_engine_status_t ecgseg_model_init(void);
ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output);
#endif
"""
SOURCE = """#include "ecgseg_model.h"
static ecgseg_stream_t stream = {.record = {.open = ECGSEG_RECORD_OPEN, .blocks = 1u << 16}};
static ecgseg_stream_arena_t arena;
ecgseg_engine_status_t ecgseg_model_init(void)
{
    return ECGSEG_ENGINE_OK;
}
ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output)
{
    uint32_t count = 0;
    const ecgseg_stream_status_t status =
        ecgseg_stream_push(&stream, &arena, input, ECGSEG_STREAM_BLOCK, output, ECGSEG_STREAM_BLOCK_ANSWERS, &count);
    const bool good = status == ECGSEG_STREAM_OK && count == ECGSEG_STREAM_BLOCK_ANSWERS;
    return good ? ECGSEG_ENGINE_OK : ECGSEG_ENGINE_BACKEND_FAILED;
}
"""

CHAIN_HEADER = """#ifndef ECGSEG_MODEL_H
#define ECGSEG_MODEL_H
#include "ecgseg_engine.h"
#define ECGSEG_MODEL_INPUT_BYTES 1
#define ECGSEG_MODEL_OUTPUT_BYTES 1
ecgseg_engine_status_t ecgseg_model_init(void);
ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output);
#endif
"""
CHAIN_SOURCE = """#include "ecgseg_model.h"
#include "ecgseg_delineator.h"
#include "ecgseg_stream_model.h"
static ecgseg_stream_t stream;
static ecgseg_stream_arena_t arena;
static ecgseg_delineator_t delineator;
static int8_t scores[ECGSEG_DELINEATOR_ANSWERS * ECGSEG_DELINEATOR_CLASSES];
ecgseg_engine_status_t ecgseg_model_init(void)
{
    const ecgseg_delineator_status_t status =
        ecgseg_delineator_init(&delineator, &ecgseg_stream_model, &stream, &arena, scores, 0);
    return status == ECGSEG_DELINEATOR_OK ? ECGSEG_ENGINE_OK : ECGSEG_ENGINE_BACKEND_FAILED;
}
ecgseg_engine_status_t ecgseg_model_run(const int8_t *input, int8_t *output)
{
    const int16_t *const samples = (const int16_t *)(const void *)input;
    ecgseg_delineator_status_t status = ECGSEG_DELINEATOR_OK;
    output[0] = 0;
    for (size_t done = 0; status == ECGSEG_DELINEATOR_OK && done < SAMPLES;) {
        size_t taken = 0;
        status = ecgseg_delineator_push(&delineator, &samples[done], SAMPLES - done, &taken);
        done += taken;
        ecgseg_event_t event;
        while (ecgseg_delineator_next(&delineator, &event)) {
            output[0]++;
        }
    }
    return status == ECGSEG_DELINEATOR_OK ? ECGSEG_ENGINE_OK : ECGSEG_ENGINE_BACKEND_FAILED;
}
"""
CHAIN = replace(
    CYCLES, name="chain", parts=(*CYCLES.parts, PIPELINE_PART), takes_samples=True, left_out=STREAM_APP.left_out
)
# What comes before them fills the window of the normalisation and the rings.
SECONDS_BEFORE, SECONDS = 4, 10
INPUT_RATE = 500


def measure_chain(tflite: Path) -> tuple[Counter[str], int]:
    """(modelled cycles by function, events) of SECONDS of ECG, from raw samples to events.

    Raises:
        TargetError: the delineator fails.
    """
    record = synthetic_records(1, 1, population="stream", duration_s=float(SECONDS_BEFORE + SECONDS))[0]
    raw = record.samples[: INPUT_RATE * (SECONDS_BEFORE + SECONDS)].astype("<i2").reshape(-1, INPUT_RATE)
    with tempfile.TemporaryDirectory(prefix="ecgseg-chain-") as folder:
        generated = Path(folder) / "model"
        render_delineator(tflite.read_bytes(), generated, input_rate=INPUT_RATE)
        source = CHAIN_SOURCE.replace("SAMPLES", f"{INPUT_RATE}u")
        write_files(generated, {"ecgseg_model.h": CHAIN_HEADER, "ecgseg_model.c": source})
        core = LoneCore(build(APOLLO4P_EVB, generated, program=CHAIN, out_dir=Path(folder) / "image").elf)
        status = core.call("ecgseg_model_init").result
        found: Counter[str] = Counter()
        events = 0
        answer = FREE_START + raw[0].nbytes
        for number, second in enumerate(raw):
            core.write(FREE_START, second.tobytes())
            called = core.call("ecgseg_model_run", FREE_START, answer)
            status = status or called.result
            if number >= SECONDS_BEFORE:
                found.update({name: cycles for name, (cycles, _) in called.by_function.items()})
                events += core.read(answer, 1)[0]
    if status != 0:
        raise TargetError("The delineator failed.", f"It answered {status}.", "Run `invoke hil-test --stream`.")
    return found, events


def measure(tflite: Path, block: int) -> tuple[StreamManifest, Modelled]:
    """What was rendered, and what a block costs."""
    with tempfile.TemporaryDirectory(prefix="ecgseg-stream-") as folder:
        generated = Path(folder) / "model"
        manifest = render_stream(tflite, generated, block=block)
        write_files(generated, {"ecgseg_model.h": HEADER, "ecgseg_model.c": SOURCE})
        image = build(APOLLO4P_EVB, generated, program=CYCLES, out_dir=Path(folder) / "image")
        given = (np.arange(manifest.block * manifest.input_row_bytes) * 37).astype(np.int8)[np.newaxis]
        output_bytes = manifest.block_answers * manifest.output_row_bytes
        return manifest, run_image(image.elf, given, output_bytes)


def show_chain(tflite: Path, least: float) -> None:
    """Prints what a second of ECG costs from raw samples to events."""
    found, events = measure_chain(tflite)
    whole = found.total()
    print(f"{whole / SECONDS:,.0f} modelled cycles a second from raw samples to events; {events} events in {SECONDS} s")
    for name, cycles in found.most_common():
        if cycles >= least * whole:
            print(f"{cycles / SECONDS:>12,.0f} {100 * cycles / whole:5.1f} %  {name}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tflite", type=Path, required=True)
    parser.add_argument("--block", type=int, action="append", default=[], help=f"positions a block; default {BLOCK}")
    parser.add_argument("--rate", type=float, default=100.0, help="positions a second; default 100")
    parser.add_argument("--least", type=float, default=0.01, help="share of the time below which nothing is shown")
    parser.add_argument("--chain", action="store_true", help="from raw samples to events, at 500 Hz")
    options = parser.parse_args()
    try:
        if options.chain:
            show_chain(options.tflite, options.least)
            return 0
        for block in options.block or [BLOCK]:
            manifest, found = measure(options.tflite, block)
            second = found.cycles * options.rate / manifest.block
            print(
                f"blocks of {manifest.block}: {found.cycles:,} modelled cycles, {found.instructions:,} instructions, "
                f"{found.cycles / manifest.macs:.2f} cycles a MAC; {second:,.0f} modelled cycles a second; "
                f"state {manifest.state_bytes:,} B, arena {manifest.arena_bytes:,} B"
            )
            for name, (cycles, instructions) in found.by_function.items():
                if cycles >= options.least * found.cycles:
                    print(f"{cycles:>12,} {100 * cycles / found.cycles:5.1f} % {instructions:>12,}  {name}")
    except EcgsegError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
