"""Makes a small database as a user would bring it, to try docs/data.md with: four records of synthetic ECG.

    python tools/make_example_database.py DIR

Writes DIR/records (WFDB, two leads at 250 Hz, one annotation file each), DIR/ward.toml, which declares the database,
and DIR/ward.json, the configuration of a tiny model that learns from it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

import numpy as np  # noqa: E402
import wfdb  # noqa: E402

from ecgseg.data.databases.synthetic.recordings import frame_recording  # noqa: E402
from ecgseg.data.records import Record  # noqa: E402
from ecgseg.output import write_text  # noqa: E402

RATE = 250
LEADS = ("MLII", "V5 left")
NUMBERS = (1, 2, 3, 5)
DECLARED = """\
name = "ward"
licence = "CC0"
citation = "The ward, 2026"
folder = "records"
records = "*.hea"
annotator = "atr"
symbols = { "^" = "p" }

[rhythm]
w1 = "Sinus rhythm"

[patients]
w1 = "ann"
w2 = "ann"
w3 = "bob"
w5 = "cyd"

[split]
train = ["ann"]
val = ["bob"]
test = ["cyd"]
"""
CONFIGURATION = """\
{
  "name": "ward-model",
  "description": "Shows how a model learns from a database of one's own.",
  "classes": 4,
  "data": {
    "synthetic_weight": 0.25,
    "synthetic_records": 12,
    "databases": [{"database": "ward.toml", "weight": 0.75, "training": "train", "validation": "val"}]
  },
  "architecture": {
    "channels": 8,
    "stem_kernel": 7,
    "stride": 2,
    "blocks": [{"dilation": 1}, {"dilation": 2}, {"dilation": 4}, {"dilation": 8}]
  },
  "schedule": {"steps": 150, "batch": 32, "learning_rate": 0.01, "warmup_steps": 20, "evaluate_every": 50}
}
"""
_SYMBOLS = {"P": "^", "QRS": "N", "T": "t"}


def source(number: int) -> list[Record]:
    """What a record is made of: leads ii and v5 of synthetic ECG at 500 Hz."""
    return frame_recording(number, ("ii", "v5"), 7)


def write(folder: Path, declared: str = DECLARED) -> Path:
    """Writes the database into a folder; returns its TOML file."""
    records = folder / "records"
    records.mkdir(parents=True, exist_ok=True)
    for number in NUMBERS:
        _write_record(records, f"w{number}", source(number))
    write_text(folder / "ward.json", CONFIGURATION)
    path = folder / "ward.toml"
    write_text(path, declared)
    return path


def _write_record(folder: Path, name: str, leads: list[Record]) -> None:
    signal = np.stack([lead.samples[::2].clip(-32000, 32000) for lead in leads], axis=1) / 1000.0
    marks: list[tuple[int, str]] = []
    for wave in leads[0].waves:
        if wave.complete and wave.kind in _SYMBOLS:
            points = zip((wave.onset, wave.peak, wave.offset), ("(", _SYMBOLS[wave.kind], ")"), strict=True)
            marks += [(point // 2, symbol) for point, symbol in points if point is not None]
    form = {"units": ["mV", "mV"], "sig_name": list(LEADS), "fmt": ["16", "16"], "adc_gain": [1000, 1000]}
    wfdb.wrsamp(name, RATE, p_signal=signal, baseline=[0, 0], write_dir=str(folder), **form)
    samples, symbols = zip(*marks, strict=True)
    wfdb.wrann(name, "atr", np.array(samples), symbol=list(symbols), write_dir=str(folder))


def main() -> None:
    """Writes the database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    print(write(parser.parse_args().folder))


if __name__ == "__main__":
    main()
