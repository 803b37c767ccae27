"""Counts beats found under noise, and told when ECG gives way to noise, on QTDB's records with reference beats.

    python tools/measure_noisy_beats.py --model stream-4-tcn-lg [--records N] [--minutes N]

Noise is added as the noise stress test does (G. B. Moody et al., Computers in Cardiology 11 (1984) 381-384), in every
other two minutes and at ratios of the power of QRS to that of noise; it is made up, drawn anew from the record's
number. What finds beats is what the device reports (pipeline/delineator.py), beside it the network's classes alone.
A beat is found within 150 ms. A minute of each takes about a second for all records.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
import wfdb  # noqa: E402
from measure_false_beats import RATE, coloured  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from ecgseg.data.databases.qtdb import find_qtdb, given_records  # noqa: E402
from ecgseg.data.databases.synthetic.stream.interference import stress_level, stress_noise  # noqa: E402
from ecgseg.data.readers.wfdb import BEATS  # noqa: E402
from ecgseg.errors import DataError, EcgsegError  # noqa: E402
from ecgseg.models import find_model  # noqa: E402
from ecgseg.pipeline import MODEL_RATE, microvolts, segments  # noqa: E402
from ecgseg.pipeline.delineator import Delineation, Delineator  # noqa: E402
from ecgseg.pipeline.events import EventKind  # noqa: E402
from ecgseg.pipeline.rules import BEAT_RULES  # noqa: E402
from ecgseg.pipeline.times import TICK_MS  # noqa: E402
from ecgseg.scoring.metrics import FiducialCount, FiducialScore, match  # noqa: E402

TOLERANCE_S = 0.15
STRETCH_S = 120
# Kind, and decibels at which the noise stress test's scores are usually told.
STRESSES = (("motion", 6.0), ("muscle", 0.0), ("muscle", 3.0), ("wander", 0.0))
# ECG in front of a minute of noise alone, and how soon behind its end a beat is still the ECG's.
BEFORE_S, NOISE_S, LATE_S = 40, 60, 0.5
QRS = 2

Signal = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ecg:
    """The first signal of a record: float64 millivolts at 500 Hz, beats in seconds."""

    name: str
    millivolts: Signal
    beats: npt.NDArray[np.float64]

    @property
    def height(self) -> float:
        """QRS from peak to peak, millivolts, in the median."""
        around = RATE // 20
        places = np.round(self.beats * RATE).astype(int)
        return float(np.median([np.ptp(self.millivolts[max(0, at - around) : at + around + 1]) for at in places]))


def read(folder: Path, name: str, minutes: int) -> Ecg | None:
    """The first minutes of a record; None where they have no reference beats."""
    if not (folder / f"{name}.atr").is_file():
        return None
    try:
        record = wfdb.rdrecord(str(folder / name), channels=[0])
        marks = wfdb.rdann(str(folder / name), "atr")
    except (OSError, ValueError, IndexError) as error:
        raise DataError(f"{name} of QTDB cannot be read.", str(error), "Fetch QTDB anew.") from error
    length = min(record.sig_len, 60 * minutes * record.fs)
    signal = np.nan_to_num(record.p_signal[:length, 0])
    at = np.arange(length * RATE // record.fs) / RATE
    beats = [sample for sample, code in zip(marks.sample, marks.symbol, strict=True) if code in BEATS]
    beats = np.array([sample for sample in beats if sample < length]) / record.fs
    if not beats.size:
        return None
    return Ecg(name, np.interp(at, np.arange(length) / record.fs, signal - np.median(signal)), beats)


def noisy_parts(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """True for times in every other stretch."""
    return np.asarray(seconds // STRETCH_S % 2 == 1)


def add(count: FiducialCount, reference: Sequence[float], found: Sequence[float]) -> None:
    """Beats in seconds, as they are and as they were found."""
    pairs = len(match(reference, found, TOLERANCE_S))
    count.true_positives += pairs
    count.false_negatives += len(reference) - pairs
    count.false_positives += len(found) - pairs


def told(done: Delineation) -> npt.NDArray[np.float64]:
    """Beats in seconds."""
    return np.array([event.tick * TICK_MS / 1000 for event in done.events if event.kind == EventKind.BEAT])


def classified(done: Delineation) -> npt.NDArray[np.float64]:
    """Middles of the QRS complexes that the classes alone make, seconds."""
    found = segments(done.classes, BEAT_RULES.waves)
    return np.array([(one.onset + one.offset) / (2 * MODEL_RATE) for one in found if one.label == QRS])


Counts = dict[tuple[str, str], FiducialCount]


def counted(delineator: Delineator, ecgs: Sequence[Ecg], kind: str, decibels: float) -> Counts:
    """Beats under one stress, by who found them (beats, classes) and where (all, noise)."""
    counts = {(by, part): FiducialCount() for by in ("beats", "classes") for part in ("all", "noise")}
    for number, ecg in enumerate(ecgs):
        time = np.arange(ecg.millivolts.size) / RATE
        noise = stress_noise(kind, time.size, np.random.default_rng([number, len(kind)]))
        level = stress_level(ecg.height, decibels)
        done = delineator.record(microvolts(ecg.millivolts + level * noise * noisy_parts(time)))
        for by, found in (("beats", told(done)), ("classes", classified(done))):
            add(counts[by, "all"], ecg.beats.tolist(), found.tolist())
            inside = found[noisy_parts(found)]
            add(counts[by, "noise"], ecg.beats[noisy_parts(ecg.beats)].tolist(), inside.tolist())
    return counts


def under_noise(delineator: Delineator, ecgs: Sequence[Ecg]) -> Table:
    """Scores of beats under each stress."""
    table = Table()
    for column in ("noise", "scored", "Se", "PPV", "F1", "F1 of classes alone"):
        table.add_column(column, justify="left" if column in ("noise", "scored") else "right")
    for kind, decibels in STRESSES:
        counts = counted(delineator, ecgs, kind, decibels)
        for part, words in (("all", "all"), ("noise", "in noise")):
            row = f"{kind}, {decibels:g} dB" if part == "all" else ""
            beats, alone = (FiducialScore.of(counts[by, part]) for by in ("beats", "classes"))
            shares = (beats.sensitivity, beats.ppv, beats.f1, alone.f1)
            table.add_row(row, words, *(f"{100 * share:.2f}" for share in shares))
    return table


def behind_ecg(delineator: Delineator, ecgs: Sequence[Ecg]) -> Table:
    """Beats told in a minute of noise of 0.2 mV that follows ECG."""
    table = Table()
    for column in ("noise", "mean", "most"):
        table.add_column(column, justify="left" if column == "noise" else "right")
    for name, slope in (("white", 0.0), ("pink", 0.5), ("brown", 1.0)):
        counts = []
        for number, ecg in enumerate(ecgs):
            rng = np.random.default_rng([number, 5])
            signal = np.concatenate((ecg.millivolts[: BEFORE_S * RATE], coloured(rng, NOISE_S * RATE, slope)))
            found = told(delineator.record(microvolts(signal)))
            counts.append(int(np.count_nonzero(found > BEFORE_S + LATE_S)))
        table.add_row(name, f"{np.mean(counts):.1f}", str(max(counts)))
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    stream = parser.add_mutually_exclusive_group(required=True)
    stream.add_argument("--model", help="name of a stream in the zoo")
    stream.add_argument("--tflite", type=Path, help="a stream's file, instead of a name")
    parser.add_argument("--records", type=int, default=12, help="how many, spread over the given ones; default 12")
    parser.add_argument("--minutes", type=int, default=8, help="of each record; default 8")
    options = parser.parse_args()
    if options.records < 1 or 60 * options.minutes <= STRETCH_S:
        parser.error("--records is 1 or more, and --minutes 3 or more, for the first two have no noise")
    try:
        delineator = Delineator(find_model(options.model, tflite=options.tflite).data, RATE)
        folder = find_qtdb()
        if folder is None:
            raise DataError("QTDB is not here.", "It has the reference beats.", "Run `invoke data --database qtdb`.")
        ecgs = [ecg for name in given_records() if (ecg := read(folder, name, options.minutes))]
        if not ecgs:
            raise DataError("No record of QTDB has reference beats.", "There is no .atr.", "Fetch QTDB anew.")
        ecgs = [ecgs[place] for place in np.unique(np.linspace(0, len(ecgs) - 1, options.records).round().astype(int))]
        console = Console()
        console.print(f"{len(ecgs)} records of QTDB, {options.minutes} minutes of each")
        console.print("Beats under noise, %", under_noise(delineator, ecgs), sep="\n")
        title = f"Beats told in {NOISE_S} s of noise behind {BEFORE_S} s of ECG"
        console.print(title, behind_ecg(delineator, ecgs), sep="\n")
    except EcgsegError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
