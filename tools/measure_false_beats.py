"""Counts the beats that the delineator reports an hour where there are none: in noise, on a flat line, without contact.

    python tools/measure_false_beats.py --model stream-4-tcn-sm [--minutes N] [--seed N] [--kind KIND]

What it reports is what the device reports (pipeline/delineator.py). Drawn anew for every seed; an hour of one kind
takes about ten seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from ecgseg.data.databases.synthetic import noise_records  # noqa: E402
from ecgseg.errors import EcgsegError  # noqa: E402
from ecgseg.models import find_model  # noqa: E402
from ecgseg.pipeline import DEFAULT_INPUT_RATE, microvolts  # noqa: E402
from ecgseg.pipeline.delineator import Delineation, Delineator  # noqa: E402
from ecgseg.pipeline.events import EventKind  # noqa: E402

RATE = DEFAULT_INPUT_RATE
RECORD_S = 60.0
Signal = npt.NDArray[np.float64]


def coloured(rng: np.random.Generator, length: int, slope: float) -> Signal:
    """Noise of 0.2 mV RMS whose amplitude falls with frequency to the power of `slope`, from 0.5 Hz on."""
    spectrum = np.fft.rfft(rng.normal(size=length))
    spectrum *= np.maximum(np.fft.rfftfreq(length, 1 / RATE), 0.5) ** -slope
    signal: Signal = np.fft.irfft(spectrum, length)
    return 0.2 * signal / float(signal.std())


def mains(rng: np.random.Generator, length: int) -> Signal:
    """Hum of 50 Hz on a little noise."""
    return 0.3 * np.sin(2 * np.pi * 50 * np.arange(length) / RATE + rng.uniform(0, 6)) + 0.005 * rng.normal(size=length)


def wander(rng: np.random.Generator, length: int) -> Signal:
    """Breath and sway, of 0.1 to 1.5 Hz."""
    time = np.arange(length) / RATE
    waves = [np.sin(2 * np.pi * rng.uniform(0.1, 1.5) * time + rng.uniform(0, 6)) for _ in range(4)]
    return np.asarray(0.3 * np.sum(waves, axis=0) + 0.005 * rng.normal(size=length), dtype=np.float64)


def steps(rng: np.random.Generator, length: int) -> Signal:
    """An electrode that moves: now and then the level jumps and comes back slowly."""
    jumps = np.where(rng.random(length) < 1.0 / RATE, rng.normal(0, 1.0, length), 0.0)
    kernel = np.exp(-np.arange(2 * RATE) / (0.3 * RATE))
    return np.asarray(np.convolve(jumps, kernel)[:length] + 0.01 * rng.normal(size=length), dtype=np.float64)


MADE: dict[str, Callable[[np.random.Generator, int], Signal]] = {
    "white noise": lambda rng, length: coloured(rng, length, 0.0),
    "pink noise": lambda rng, length: coloured(rng, length, 0.5),
    "brown noise": lambda rng, length: coloured(rng, length, 1.0),
    "mains": mains,
    "wander": wander,
    "electrode motion": steps,
    "flat line": lambda _, length: np.zeros(length),
    "flat line with noise of 3 microvolts": lambda rng, length: 0.003 * rng.normal(size=length),
    "no contact": lambda _, length: np.full(length, np.nan),
    "contact lost and found": lambda rng, length: np.where(
        np.repeat(rng.random(length // RATE + 1) < 0.5, RATE)[:length], np.nan, coloured(rng, length, 0.5)
    ),
}


# Bumps of the size and pace of waves.
LEARNT = "as networks learn it"


def signals(minutes: int, seed: int, kinds: Sequence[str]) -> Iterator[tuple[str, list[npt.NDArray[np.int16]]]]:
    """Kinds of noise, each as recordings of a minute or of half a one, int16 microvolts."""
    length = int(RECORD_S * RATE)
    for name in kinds:
        if name == LEARNT:
            drawn = noise_records(2 * minutes, seed + 1_000_000, RECORD_S / 2)
            yield name, [record.samples for record in drawn]
        else:
            rng = np.random.default_rng(seed)
            yield name, [microvolts(MADE[name](rng, length)) for _ in range(minutes)]


def row(name: str, found: list[Delineation]) -> tuple[str, str, str, str]:
    """What is told of one kind of signal."""
    hours = sum(one.classes.size for one in found) / 360_000
    events = [event for one in found for event in one.events]
    false_beats = sum(event.kind == EventKind.BEAT for event in events)
    qrs = sum(int(np.count_nonzero(one.classes == 2)) for one in found) / 100
    noisy = sum(event.length for event in events if event.kind == EventKind.NOISY_END) / 720_000
    return name, f"{false_beats / hours:.1f}", f"{qrs / hours:.1f}", f"{100 * noisy / hours:.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    stream = parser.add_mutually_exclusive_group(required=True)
    stream.add_argument("--model", help="name of a stream in the zoo")
    stream.add_argument("--tflite", type=Path, help="a stream's file, instead of a name")
    parser.add_argument("--minutes", type=int, default=10, help="of each kind; default 10")
    parser.add_argument("--seed", type=int, default=1)
    kinds = (*MADE, LEARNT)
    parser.add_argument("--kind", choices=kinds, help="of noise, alone; default all")
    options = parser.parse_args()
    table = Table(title="Reported where there are no beats", title_justify="left")
    for column in ("signal", "beats an hour", "classified QRS, s an hour", "told as noise, % of the time"):
        table.add_column(column, justify="left" if column == "signal" else "right")
    try:
        delineator = Delineator(find_model(options.model, tflite=options.tflite).data, RATE)
        for name, records in signals(options.minutes, options.seed, [options.kind] if options.kind else kinds):
            table.add_row(*row(name, [delineator.record(record) for record in records]))
    except EcgsegError as error:
        print(error, file=sys.stderr)
        return 1
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
