"""Measures `invoke segment FILE` on a long recording: time and memory, on this computer.

    python tools/measure_long_recording.py [--hours 24] [--rate 250] [--target host]

Makes a WFDB recording of two leads of synthetic ECG, an hour of sixty patients again and again, in a temporary folder.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from scipy.signal import resample_poly  # noqa: E402

from ecgseg.data.databases.synthetic.sampling import RATE  # noqa: E402
from ecgseg.data.databases.synthetic.stream.recordings import stream_records  # noqa: E402
from ecgseg.output import write_bytes, write_text  # noqa: E402

LEADS = ("ii", "v5")
PATIENTS, MINUTE_S = 60, 60.0


def hour(rate: int) -> npt.NDArray[np.int16]:
    """An hour of ECG: int16 microvolts [samples, leads]."""
    records = stream_records(PATIENTS, LEADS, 7, MINUTE_S)
    leads = [np.concatenate([one.samples for one in records if one.lead == lead]) for lead in LEADS]
    resampled = resample_poly(np.stack(leads, axis=1).astype(np.float64), rate, RATE, axis=0)
    clipped: npt.NDArray[np.int16] = np.clip(np.rint(resampled), -32000, 32000).astype(np.int16)
    return clipped


def write(folder: Path, hours: int, rate: int) -> Path:
    """Writes the recording; returns its header."""
    samples = hour(rate)
    write_bytes(folder / "long.dat", samples.astype("<i2").tobytes() * hours)
    lines = [f"long {len(LEADS)} {rate} {hours * len(samples)}"]
    lines += [f"long.dat 16 1000/mV 16 0 0 0 0 {lead}" for lead in LEADS]
    write_text(folder / "long.hea", "\n".join(lines) + "\n")
    return folder / "long.hea"


def measured(words: list[str]) -> tuple[float, float, float]:
    """Runs a command; seconds, seconds of CPU of all its processes, and the most memory of the first one, in MB."""
    begin, most = time.monotonic(), 0.0
    process = subprocess.Popen(words, cwd=ROOT)
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        told = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        most = float(told[1]) / 1000 if told else most
        time.sleep(0.5)
    if process.returncode:
        sys.exit("The run failed.")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - begin, used.ru_utime + used.ru_stime, most


def main() -> None:
    """Measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--rate", type=int, default=250)
    parser.add_argument("--target", default="host")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        header = write(Path(name), chosen.hours, chosen.rate)
        words = [sys.executable, "-m", "invoke", "segment", str(header), "--channel", "all", "--target", chosen.target]
        seconds, cpu, megabytes = measured([*words, "--out", name])
    what = f"{chosen.hours} h of {len(LEADS)} channels at {chosen.rate} Hz on {chosen.target}"
    print(f"{what}: {seconds / 60:.1f} minutes, {cpu / 60:.1f} of computing; {megabytes:.0f} MB of memory")


if __name__ == "__main__":
    main()
