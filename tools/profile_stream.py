"""Modelled cycles of one block of a stream, and of a second of signal, in all and by function.

    python tools/profile_stream.py --tflite FILE [--block N]... [--rate HZ]

Renders, builds and runs in a few seconds: for work on kernels, and to choose a block.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

import numpy as np  # noqa: E402

from ecgseg.codegen.manifest import StreamManifest  # noqa: E402
from ecgseg.codegen.render_stream import render_stream  # noqa: E402
from ecgseg.errors import EcgsegError  # noqa: E402
from ecgseg.graph.streaming import BLOCK  # noqa: E402
from ecgseg.image.boards import APOLLO4P_EVB  # noqa: E402
from ecgseg.image.build import build  # noqa: E402
from ecgseg.image.programs import CYCLES  # noqa: E402
from ecgseg.output import write_files  # noqa: E402
from ecgseg.profile.cycles import Modelled, run_image  # noqa: E402

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tflite", type=Path, required=True)
    parser.add_argument("--block", type=int, action="append", default=[], help=f"positions a block; default {BLOCK}")
    parser.add_argument("--rate", type=float, default=100.0, help="positions a second; default 100")
    parser.add_argument("--least", type=float, default=0.01, help="share of the time below which nothing is shown")
    options = parser.parse_args()
    try:
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
