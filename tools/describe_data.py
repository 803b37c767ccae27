"""Compares what the annotations of LUDB, QTDB and synthetic ECG say of waves, and why QTDB's runs end where they end.

    python tools/describe_data.py [--model NAME]

Prints the tables of docs/data.md: durations, intervals and heights in percentiles; T waves of QTDB without an onset;
how far apart marked beats of QTDB's given records are, in medians of the record, with and without another beat between,
as the beat annotations of the source database (`.atr`, where there are any) have it. With --model also the mean errors
of a model on LUDB's test patients and on synthetic ECG: they are alike when the marks mean the same.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

import numpy as np  # noqa: E402
import wfdb  # noqa: E402

from ecgseg.data.databases import ludb, qtdb  # noqa: E402
from ecgseg.data.databases.synthetic import synthetic_records  # noqa: E402
from ecgseg.data.readers.wfdb import BEATS  # noqa: E402
from ecgseg.data.records import Record, Wave  # noqa: E402
from ecgseg.models import find_model  # noqa: E402
from ecgseg.scoring.evaluate import by_device, device_segmenter, score  # noqa: E402

PERCENTILES = (5, 50, 95)
# Samples of 250 Hz around a marked beat that is the same beat in the other annotation.
SAME_BEAT = 20
SYNTHETIC = 200
FEWEST_BEATS = 3


def main() -> None:
    options = argparse.ArgumentParser(description="Describe the annotations of the databases.")
    options.add_argument("--model", help="also compare the mean errors of this model")
    model = options.parse_args().model
    ludb_folder, qtdb_folder = ludb.find_ludb(), qtdb.find_qtdb()
    if ludb_folder is None or qtdb_folder is None:
        sys.exit("LUDB and QTDB are needed: run `invoke data` and `invoke data --database qtdb`.")
    stream = synthetic_records(SYNTHETIC, 1, population="stream", duration_s=20.0)
    given = qtdb.load_records(qtdb_folder, qtdb.given_records(), ("0",))
    patients = ludb.load_records(ludb_folder, ludb.split()["train"], ("ii", "v2", "v5"))
    show({"LUDB": measures(patients), "QTDB": measures(given), "synthetic": measures(stream)})
    waves = [wave for record in given for wave in record.waves if wave.kind == "T"]
    print(f"\nT waves of QTDB: {len(waves)}, without an onset {sum(wave.onset is None for wave in waves)}.")
    print(gaps(qtdb_folder))
    if model:
        show_errors(model, ludb.load_records(ludb_folder, ludb.split()["test"]), stream)


def measures(records: Iterable[Record]) -> dict[str, list[float]]:
    """Milliseconds, and heights as shares of the record's QRS."""
    found: dict[str, list[float]] = defaultdict(list)
    for record in records:
        beats = [wave for wave in record.waves if wave.kind == "QRS" and wave.complete]
        if len(beats) < FEWEST_BEATS:
            continue
        rr = float(np.median(np.diff([beat.peak or 0 for beat in beats]))) / record.rate
        qrs = float(np.median([height(record, beat) for beat in beats]))
        found["RR, median of a record"].append(1000 * rr)
        for name, value in of_waves(record, rr, qrs):
            if not np.isnan(value):
                found[name].append(value)
    return found


def of_waves(record: Record, rr: float, qrs: float) -> Iterator[tuple[str, float]]:
    """What is measured of a record's waves, by name; rr in seconds, qrs in microvolts."""
    for wave in record.waves:
        if wave.complete and wave.kind in ("P", "QRS", "T"):
            yield f"{wave.kind}, duration", apart(wave.onset, wave.offset, record)
        if wave.complete and wave.kind == "P":
            yield "P, height in % of QRS", 100 * height(record, wave) / qrs
    for before, after in pairwise(record.waves):
        if (before.kind, after.kind) == ("P", "QRS"):
            yield "PR", apart(before.onset, after.onset, record)
        if (before.kind, after.kind) == ("QRS", "T"):
            yield "QT by Fridericia", apart(before.onset, after.offset, record) / np.cbrt(rr)


def apart(first: int | None, last: int | None, record: Record) -> float:
    """Milliseconds between two marks; NaN where one is missing."""
    return np.nan if first is None or last is None else 1000 * (last - first) / record.rate


def height(record: Record, wave: Wave) -> float:
    """Of a complete wave from its lowest to its highest sample, microvolts."""
    assert wave.onset is not None
    assert wave.offset is not None
    return float(np.ptp(record.samples[wave.onset : wave.offset + 1].astype(np.float64)))


def show(sources: dict[str, dict[str, list[float]]]) -> None:
    print("| ms | " + " | ".join(sources) + " |")
    print("|---" * (1 + len(sources)) + "|")
    for name in sorted({name for found in sources.values() for name in found}):
        cells = [
            ", ".join(f"{value:.0f}" for value in np.percentile(found[name], PERCENTILES)) for found in sources.values()
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


def gaps(folder: Path) -> str:
    """How far apart two marked beats are with and without another between."""
    between: list[float] = []
    adjacent: list[float] = []
    for name in qtdb.given_records():
        if not (folder / f"{name}.atr").is_file():
            continue
        marked = beats(folder / name, qtdb.ANNOTATOR)
        known = np.array(beats(folder / name, "atr"))
        median = float(np.median(np.diff(marked)))
        for first, second in pairwise(marked):
            inside = np.any((known > first + SAME_BEAT) & (known < second - SAME_BEAT))
            (between if inside else adjacent).append((second - first) / median)
    return (
        f"Pairs of marked beats with another between: {len(between)}, at least {min(between):.2f} medians apart;"
        f" without: {len(adjacent)}, at most {max(adjacent):.2f} apart."
    )


def beats(base: Path, annotator: str) -> list[int]:
    """Samples of all beats of an annotation file."""
    annotation = wfdb.rdann(str(base), annotator)
    return [int(at) for at, symbol in zip(annotation.sample, annotation.symbol, strict=True) if symbol in BEATS]


def show_errors(name: str, patients: Sequence[Record], stream: Sequence[Record]) -> None:
    segmenter = device_segmenter(find_model(name).data, patients[0].rate)
    found = [score(by_device(segmenter), records, segmenter.class_count)[0].fiducials for records in (patients, stream)]
    print(f"\n| mean error of {name}, ms | LUDB, test patients | synthetic |\n|---|---|---|")
    for point in found[0]:
        print(f"| {point} | " + " | ".join(f"{scores[point].mean_ms:+.1f}" for scores in found) + " |")


if __name__ == "__main__":
    main()
