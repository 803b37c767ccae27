"""Compares a delineator on a Cortex-M4 with Python under thousands of random chunkings of the same record.

    python tools/compare_chunkings.py --model stream-4-tcn-sm --target qemu|apollo4p-sim [--count N] [--seed N]

A chunking is in what pieces raw samples come and when events are fetched; every class and every event has to be
Python's. The draws are made on the target, so that nothing but the answer travels. On `apollo4p-sim` the simulator's
core runs without its clock.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from ecgseg.codegen.render_delineator import render_delineator  # noqa: E402
from ecgseg.data.databases.synthetic import synthetic_records  # noqa: E402
from ecgseg.errors import EcgsegError, TargetError  # noqa: E402
from ecgseg.graph.load import load_tflite  # noqa: E402
from ecgseg.image.boards import APOLLO4P_EVB, MPS2_AN386  # noqa: E402
from ecgseg.image.build import build  # noqa: E402
from ecgseg.image.programs import CYCLES, LINK_PART, PIPELINE_PART, STREAM_APP  # noqa: E402
from ecgseg.image.qemu import semihosting_command  # noqa: E402
from ecgseg.models import find_model  # noqa: E402
from ecgseg.output import write_files  # noqa: E402
from ecgseg.pipeline import LEAD_OFF, decimate  # noqa: E402
from ecgseg.pipeline.delineator import Delineator  # noqa: E402
from ecgseg.pipeline.faint import FAINT_P, faint_margin, labels_of  # noqa: E402
from ecgseg.pipeline.stream_segmenter import StreamSegmenter  # noqa: E402
from ecgseg.targets.apollo4p_sim.alone import LoneCore  # noqa: E402

RATE = 500
SECONDS = 6
Raw = npt.NDArray[np.int16]

# Nobody asks it for what a model is; the program that holds it wants these two names.
HEADER = """#ifndef ECGSEG_MODEL_H
#define ECGSEG_MODEL_H
#endif
"""
SOURCE = """#include "board.h"
#include "ecgseg_delineator.h"
#include "ecgseg_link.h"
#include "ecgseg_stream_model.h"

#include "record.h"

int main(void);
uint32_t chunkings_differing(uint32_t first, uint32_t count);

static ecgseg_stream_t stream;
static ecgseg_stream_arena_t arena;
static ecgseg_delineator_t delineator;
static int8_t scores[ECGSEG_DELINEATOR_ANSWERS * ECGSEG_DELINEATOR_CLASSES];
static uint32_t classes_crc, events_crc, draws;

/* Xorshift (G. Marsaglia, Journal of Statistical Software 8 (2003) 14). */
static uint32_t draw(uint32_t below)
{
    draws ^= draws << 13;
    draws ^= draws >> 17;
    draws ^= draws << 5;
    return (draws >> 8) % below;
}

static void tap(void *context, uint8_t label)
{
    (void)context;
    classes_crc = ecgseg_crc32(classes_crc, &label, 1);
}

static void fetch(uint32_t most)
{
    ecgseg_event_t event;
    while (most != 0u && ecgseg_delineator_next(&delineator, &event)) {
        events_crc = ecgseg_crc32(events_crc, (const uint8_t *)&event, sizeof event);
        most--;
    }
}

static bool push(const int16_t *samples, size_t count)
{
    while (count > 0u) {
        size_t taken = 0;
        if (ecgseg_delineator_push(&delineator, samples, count, &taken) != ECGSEG_DELINEATOR_OK) {
            return false;
        }
        samples += taken;
        count -= taken;
        if (count > 0u) {
            fetch(1u + draw(12));
        }
    }
    return true;
}

/* True when classes and events of the record, in the pieces that a seed draws, are Python's. */
static bool is_equal(uint32_t seed)
{
    static const uint16_t sizes[] = {1, 2, 3, 7, 12, 29, 63, 120, 250, 500, 999, RECORD_SAMPLES};
    draws = seed * 2654435761u + 1u;
    classes_crc = 0;
    events_crc = 0;
    bool good = ecgseg_delineator_init(&delineator, &ecgseg_stream_model, &stream, &arena, scores, 0) ==
                    ECGSEG_DELINEATOR_OK &&
                ecgseg_delineator_tap(&delineator, tap, NULL) == ECGSEG_DELINEATOR_OK;
    for (size_t at = 0; good && at < RECORD_SAMPLES;) {
        const size_t left = RECORD_SAMPLES - at;
        const size_t size = sizes[draw(sizeof sizes / sizeof sizes[0])];
        good = push(&record[at], size < left ? size : left);
        at += size < left ? size : left;
        fetch(draw(3) == 0u ? 1u : draw(3) == 0u ? UINT32_MAX : 0u);
    }
    ecgseg_delineator_status_t status = ECGSEG_DELINEATOR_FETCH;
    while (good && status == ECGSEG_DELINEATOR_FETCH) {
        status = ecgseg_delineator_end(&delineator);
        fetch(UINT32_MAX);
    }
    return good && status == ECGSEG_DELINEATOR_OK && classes_crc == RECORD_CLASSES && events_crc == RECORD_EVENTS;
}

uint32_t chunkings_differing(uint32_t first, uint32_t count)
{
    uint32_t found = 0;
    for (uint32_t seed = first; seed < first + count; seed++) {
        found += is_equal(seed) ? 0u : 1u;
    }
    return found;
}

#ifdef CHUNKINGS
/* Arm "Semihosting for AArch32 and AArch64": SYS_WRITEC 0x03, SYS_EXIT 0x18. */
static void semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

/* A byte for every hundred: how many of them differ, and 32. */
int main(void)
{
    for (uint32_t first = CHUNKINGS_FIRST; first < CHUNKINGS_FIRST + CHUNKINGS; first += 100u) {
        const uint32_t left = CHUNKINGS_FIRST + CHUNKINGS - first;
        const uint32_t found = chunkings_differing(first, left < 100u ? left : 100u);
        const uint8_t byte = (uint8_t)(32u + found);
        semihost(0x03, &byte);
    }
    semihost(0x18, (const void *)0x20026u);
    return 0;
}
#else
int main(void)
{
    (void)chunkings_differing(0, 1);
    for (;;) {
        board_idle();
    }
}
#endif
"""
PROGRAM = replace(
    CYCLES,
    name="chunkings",
    image="chunkings",
    parts=(LINK_PART, PIPELINE_PART),
    boards=(APOLLO4P_EVB, MPS2_AN386),
    takes_samples=True,
    left_out=STREAM_APP.left_out,
    why="Chunkings are compared with it.",
    failure="The program that compares chunkings does not compile.",
)


def record_of(seed: int) -> Raw:
    """ECG of SECONDS with a part without contact, int16 microvolts at RATE."""
    found = synthetic_records(1, 1, seed, population="stream", duration_s=float(SECONDS))[0]
    raw = found.samples[: RATE * SECONDS].copy()
    raw[4 * RATE : 4 * RATE + 130] = LEAD_OFF
    return raw


def source_of(model: bytes, raw: Raw) -> tuple[str, str]:
    """The record as C with the CRCs of what Python finds in it, and what that is, in words."""
    found = Delineator(model, RATE).record(raw)
    twin = StreamSegmenter(model, RATE)
    scores = twin.scores(twin.normalised(decimate(raw, twin.parameters)))
    faint = int(np.count_nonzero(labels_of(scores, faint_margin(load_tflite(model))) == FAINT_P))
    lines = [
        f"#define RECORD_SAMPLES {raw.size}u",
        f"#define RECORD_CLASSES {zlib.crc32(found.classes.tobytes())}u",
        f"#define RECORD_EVENTS {zlib.crc32(b''.join(event.pack() for event in found.events))}u",
        f"static const int16_t record[RECORD_SAMPLES] = {{{', '.join(map(str, raw.tolist()))}}};",
    ]
    told = f"{SECONDS} s at {RATE} Hz, {len(found.events)} events, {faint} samples that are nearly P"
    return "\n".join(lines) + "\n", told


def image_of(board: str, model: bytes, record: str, folder: Path, flags: tuple[str, ...] = ()) -> Path:
    """The program for a board."""
    generated = folder / "model"
    render_delineator(model, generated, input_rate=RATE)
    write_files(generated, {"ecgseg_model.h": HEADER, "ecgseg_model.c": SOURCE, "record.h": record})
    return build(board, generated, program=replace(PROGRAM, flags=flags), out_dir=folder / "image").elf


def hundreds(seeds: range) -> list[int]:
    """Sizes of the parts, of a hundred seeds each but for the last."""
    return [min(100, seeds.stop - first) for first in range(seeds.start, seeds.stop, 100)]


def plausible(found: int, size: int) -> int:
    """How many of `size` chunkings differ.

    Raises:
        TargetError: that is no such number.
    """
    if not 0 <= found <= size:
        raise TargetError(
            "The target's answer makes no sense.", f"Of {size} chunkings {found} differ.", "Run it again."
        )
    return found


def on_qemu(model: bytes, record: str, folder: Path, seeds: range) -> Iterator[int]:
    """How many of every hundred chunkings differ."""
    flags = (f"-DCHUNKINGS={len(seeds)}u", f"-DCHUNKINGS_FIRST={seeds.start}u")
    elf = image_of(MPS2_AN386, model, record, folder, flags)
    command = semihosting_command(elf, "Chunkings are compared in it.", counted=False)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        for size in hundreds(seeds):
            byte = process.stdout.read(1)
            yield plausible(byte[0] - 32 if byte else -1, size)
        more = process.stdout.read()
    if process.returncode != 0 or more:
        raise TargetError("QEMU failed.", f"It ended with {process.returncode} and {more!r}.", "Run it again.")


def on_simulator(model: bytes, record: str, folder: Path, seeds: range) -> Iterator[int]:
    """How many of every hundred chunkings differ."""
    core = LoneCore(image_of(APOLLO4P_EVB, model, record, folder), None)
    for number, size in enumerate(hundreds(seeds)):
        yield plausible(core.call("chunkings_differing", seeds.start + 100 * number, size).result, size)


TARGETS: dict[str, Callable[[bytes, str, Path, range], Iterator[int]]] = {
    "qemu": on_qemu,
    "apollo4p-sim": on_simulator,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--target", choices=TARGETS, required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="of the record")
    options = parser.parse_args()
    if options.count < 1:
        parser.error("--count: at least 1")
    try:
        model = find_model(options.model)
        record, told = source_of(model.data, record_of(options.seed))
        done = differing = 0
        with tempfile.TemporaryDirectory(prefix="ecgseg-chunkings-") as folder:
            for found in TARGETS[options.target](model.data, record, Path(folder), range(options.count)):
                done = min(done + 100, options.count)
                differing += found
                if done % 1000 == 0 or done == options.count:
                    print(f"{model.name} on {options.target}: {done:,} chunkings, {differing} differ", flush=True)
    except EcgsegError as error:
        print(error, file=sys.stderr)
        return 1
    print(told)
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
