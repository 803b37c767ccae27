"""Draws docs/images/rates.png: what the filters from all rates of front ends to 100 Hz let through, and prints figures.

    python tools/draw_rates.py

Computed from the rounded taps, with all their phases: beyond half of a raw rate it shows what images leave.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

import matplotlib  # noqa: E402

matplotlib.use("Agg")
import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from matplotlib import pyplot  # noqa: E402

from ecgseg import paths  # noqa: E402
from ecgseg.output import write_bytes  # noqa: E402
from ecgseg.pipeline import DEFAULT_INPUT_RATE, MODEL_RATE, Resampling  # noqa: E402
from ecgseg.pipeline.rates import frequency_response  # noqa: E402

PICTURE = paths.ROOT / "docs" / "images" / "rates.png"
RATES = (60, 80, 120, 125, 128, 200, 250, 256, 333, 360, 400, 500, 512, 1000, 2000)
_LOWEST_DB = -75.0
_PASS = np.arange(0.5, 40.01, 0.25)
_STOP_FROM = 60.0


def decibels(rate: int, frequencies: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What comes through at frequencies in Hz, dB."""
    gain = np.abs(frequency_response(Resampling(rate), frequencies))
    return np.asarray(20 * np.log10(np.maximum(gain, 1e-6)))


def figures(rate: int) -> tuple[float, float, float]:
    """In dB: largest difference from the usual rate up to 40 Hz; what is left at 50 Hz; the most from 60 Hz on."""
    difference = np.abs(decibels(rate, _PASS) - decibels(DEFAULT_INPUT_RATE, _PASS)).max()
    # Beyond half of the rate of all phases it repeats.
    most = rate * min(Resampling(rate).phases / 2, 2.5)
    stop = decibels(rate, np.arange(_STOP_FROM, max(most, _STOP_FROM + 1), 0.5)).max()
    return float(difference), float(decibels(rate, np.array([50.0]))[0]), float(stop)


def draw() -> None:
    """Writes the picture."""
    figure, (whole, part) = pyplot.subplots(1, 2, figsize=(11, 4.2), width_ratios=(3, 2), layout="constrained")
    colours = pyplot.get_cmap("viridis")(np.linspace(0, 0.95, len(RATES)))
    for rate, colour in zip(RATES, colours, strict=True):
        line = "--" if rate < MODEL_RATE else "-"
        frequencies = np.arange(0.5, min(160, rate * Resampling(rate).phases / 2), 0.25)
        shown = np.maximum(decibels(rate, frequencies), _LOWEST_DB)
        whole.plot(frequencies, shown, line, color=colour, linewidth=1, label=f"{rate} Hz")
        if rate > MODEL_RATE:
            difference = decibels(rate, _PASS) - decibels(DEFAULT_INPUT_RATE, _PASS)
            part.plot(_PASS, difference, color=colour, linewidth=1)
    for at in (50, _STOP_FROM):
        whole.axvline(at, color="0.4", linewidth=1, linestyle=":")
    whole.set(xlabel="Hz", ylabel="dB", xlim=(0, 160), ylim=(_LOWEST_DB, 3), title="From a front end's rate to 100 Hz")
    whole.legend(fontsize=7, ncols=3, loc="upper right")
    part.set(xlabel="Hz", ylabel="dB", xlim=(0, 40), ylim=(-0.1, 0.1), title=f"Difference from {DEFAULT_INPUT_RATE} Hz")
    for axes in (whole, part):
        axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_bytes(PICTURE, buffer.getvalue())


def main() -> int:
    print("| rate | difference from 500 Hz, 0.5 to 40 Hz | left at 50 Hz | most from 60 Hz on |")
    print("|---:|---:|---:|---:|")
    for rate in RATES:
        difference, mains, stop = figures(rate)
        beside = f"{difference:.2f} dB" if rate > MODEL_RATE else "-"
        print(f"| {rate} Hz | {beside} | {mains:.1f} dB | {stop:.1f} dB |")
    draw()
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
