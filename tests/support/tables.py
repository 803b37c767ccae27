"""An ECG of a kind in the formats of other programs, each written as those programs write it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyedflib
from scipy.io import wavfile

RATE = 500
SAMPLES = 2000
Microvolts = npt.NDArray[np.float64]


def beats(samples: int = SAMPLES, rate: int = RATE) -> Microvolts:
    """Whole microvolts of a QRS complex every 0.8 s, up to 1 mV."""
    time = np.arange(samples) / rate
    return np.rint(1000 * np.exp(-((((time + 0.5) % 0.8 - 0.4) / 0.02) ** 2)))


def _csv(microvolts: Microvolts) -> bytes:
    rows = [f"{n / RATE:.3f},{value / 1000:.3f}\n" for n, value in enumerate(microvolts)]
    return ("time [s],ecg [mV]\n" + "".join(rows)).encode()


def _german(microvolts: Microvolts) -> bytes:
    rows = [f"{2 * n};{value / 1000:.3f};0\r\n".replace(".", ",") for n, value in enumerate(microvolts)]
    return b"\xef\xbb\xbf" + ("time_ms;I (mV);Druck (mmHg)\r\n" + "".join(rows)).encode()


def _rdsamp(microvolts: Microvolts) -> bytes:
    rows = [f"'0:{n / RATE:06.3f}',{value / 1000:.3f}\n" for n, value in enumerate(microvolts)]
    return ("'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'\n" + "".join(rows)).encode()


def _pandas(microvolts: Microvolts) -> bytes:
    rows = [f"2024-03-31T01:59:{58 + n / RATE:09.6f}Z,{value / 1000}\n" for n, value in enumerate(microvolts[:RATE])]
    later = [f"2024-03-31T01:59:59.{n * 2000:06d}Z,{value / 1000}\n" for n, value in enumerate(microvolts[RATE:])][:500]
    return ("timestamp,ecg_mV\n" + "".join(rows + later)).encode()


def _columns(microvolts: Microvolts) -> bytes:
    rows = [f"  {n / RATE:8.3f}   {value / 1000:7.3f}\n" for n, value in enumerate(microvolts)]
    return ("     time      MLII\n      (s)      (mV)\n" + "".join(rows)).encode()


def _quoted(microvolts: Microvolts) -> bytes:
    rows = [f'"{n / RATE:.3f}"\t"{value / 1000:.3f}"\n' for n, value in enumerate(microvolts)]
    return ('# a note, with a comma\n"Time (s)"\t"Lead ""II"" (mV)"\n' + "".join(rows)).encode()


def _savetxt(microvolts: Microvolts) -> bytes:
    file = io.BytesIO()
    time = np.arange(microvolts.size) / RATE
    np.savetxt(file, np.stack((time, microvolts), axis=1), delimiter=",", header="seconds,ecg uV")
    return file.getvalue().replace(b"# ", b"")


def apple(microvolts: Microvolts, rate: str = "512 hertz", comma: bool = False) -> bytes:
    """An electrocardiogram as Apple Health exports it."""
    head = 'Name,A Person\nDate of Birth,"Feb 5, 1952"\nRecorded Date,2020-02-05 09:14:40 -0400\n'
    head += f'Classification,Sinus Rhythm\nSymptoms,\nSoftware Version,1.51\nDevice,"Watch5,4"\nSample Rate,{rate}\n\n'
    head += "Average Heart Rate,75 bpm\nLead,Lead I\nUnit,\N{MICRO SIGN}V\n\n"
    rows = "".join(f"{value:.3f}\n" if value % 5 else f"{value:.0f}\n" for value in microvolts)
    return (head + (rows.replace(".", ",") if comma else rows)).encode()


TABLES: dict[str, Callable[[Microvolts], bytes]] = {
    "ecg.csv": _csv,
    "german.csv": _german,
    "rdsamp.csv": _rdsamp,
    "pandas.csv": _pandas,
    "columns.txt": _columns,
    "quoted.tsv": _quoted,
    "savetxt.csv": _savetxt,
}
"""Tables that tell rate and unit, by a name for their file."""


def write_edf(path: Path, microvolts: Microvolts, kind: int, rate: int = RATE) -> Path:
    """A file of EDF or BDF as pyEDFlib writes it: lead I upside down in uV, II in mV, breath at a tenth of both."""
    bits = 24 if kind in (pyedflib.FILETYPE_BDF, pyedflib.FILETYPE_BDFPLUS) else 16
    names = {"ECG I": "uV", "ECG II": "mV", "Resp": "Ohm"}
    with pyedflib.EdfWriter(str(path), len(names), file_type=kind) as file:
        for number, (name, unit) in enumerate(names.items()):
            top = 4000.0 if unit == "uV" else 4.0
            head: dict[str, object] = {"label": name, "dimension": unit, "physical_max": top, "physical_min": -top}
            head |= {
                "digital_max": (1 << bits - 1) - 1,
                "digital_min": -(1 << bits - 1),
                "prefilter": "",
                "transducer": "",
            }
            file.setSignalHeader(number, head | {"sample_frequency": rate // 10 if unit == "Ohm" else rate})
        file.writeSamples([-microvolts, microvolts / 1000, np.zeros(microvolts.size // 10)])
        if kind in (pyedflib.FILETYPE_EDFPLUS, pyedflib.FILETYPE_BDFPLUS):
            file.writeAnnotation(0, -1, "begin")
    return path


def write_wav(path: Path, rate: int, samples: npt.NDArray[np.generic]) -> Path:
    """A WAV file as scipy writes it."""
    wavfile.write(path, rate, samples)
    return path
