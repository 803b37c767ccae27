"""Template of a file reader's tests. It guards the WFDB reader as it stands; copy it to
tests/data/test_data_<format>.py and replace `written`, `read`, FILES and DAMAGES.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgseg.data.readers.wfdb import UNREADABLE, About, read_leads
from ecgseg.data.records import Record, Wave, labels
from ecgseg.pipeline import LEAD_OFF, UNANNOTATED

RATE, SAMPLES = 500, 1500
# The files of a recording, by what follows its name, and the damage that a reader can notice: bytes to bytes.
FILES = (".hea", ".dat", ".ii")
DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a header cut off": (".hea", lambda content: content[: len(content) // 2]),
    "a header of nonsense": (".hea", lambda content: b"nonsense\n" + content),
    "samples cut off": (".dat", lambda content: content[: len(content) // 2]),
    "marks cut off": (".ii", lambda content: content[: len(content) // 2 + 1]),
}


def written(folder: Path) -> Path:
    """A recording of two leads as another program writes it: ii with a gap and two waves, V1 with one."""
    ii, v1 = np.linspace(-1, 1, SAMPLES), np.full(SAMPLES, 0.25)
    ii[700:720] = np.nan
    form = {"units": ["mV", "mV"], "sig_name": ["II", "V1"], "fmt": ["16", "16"], "adc_gain": [1000, 1000]}
    wfdb.wrsamp("7", RATE, p_signal=np.stack([ii, v1], axis=1), baseline=[0, 0], write_dir=str(folder), **form)
    for lead, symbols in (("ii", "(p)(N"), ("v1", "(t)")):
        wfdb.wrann("7", "marks", 100 + 50 * np.arange(len(symbols)), symbol=list(symbols), write_dir=str(folder))
        (folder / "7.marks").rename(folder / f"7.{lead}")
    return folder / "7"


def read(base: Path, *leads: str) -> list[Record]:
    """Leads of the recording, through the reader."""
    return read_leads(base, leads, About(7, "made", lambda comments: "unknown"))


def test_samples_are_microvolts_and_a_gap_is_lead_off(tmp_path: Path) -> None:
    (record,) = read(written(tmp_path), "ii")
    assert (record.samples.dtype, record.samples.shape, record.rate) == (np.int16, (SAMPLES,), RATE)
    assert (record.samples[0], record.samples[-1]) == (-1000, 1000)
    assert np.flatnonzero(record.samples == LEAD_OFF).tolist() == list(range(700, 720))


def test_leads_come_in_the_order_wanted_each_with_its_own_waves(tmp_path: Path) -> None:
    v1, ii = read(written(tmp_path), "v1", "ii")
    assert (v1.lead, v1.waves) == ("v1", (Wave("T", 100, 150, 200),))
    assert (ii.lead, ii.waves) == ("ii", (Wave("P", 100, 150, 200), Wave("QRS", 250, 300, None)))
    assert set(v1.samples.tolist()) == {250}


def test_what_is_not_annotated_is_neither_trained_nor_scored(tmp_path: Path) -> None:
    (record,) = read(written(tmp_path), "ii")
    mask = labels(record, 4, 5)
    assert mask[20:41].tolist() == [1] * 21
    assert set(mask[50:].tolist()) == {UNANNOTATED}


@pytest.mark.parametrize("suffix", FILES)
def test_a_file_that_is_missing_is_unreadable(tmp_path: Path, suffix: str) -> None:
    written(tmp_path).with_suffix(suffix).unlink()
    with pytest.raises(UNREADABLE):
        read(tmp_path / "7", "ii")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_unreadable(tmp_path: Path, damage: str) -> None:
    suffix, damaged = DAMAGES[damage]
    file = written(tmp_path).with_suffix(suffix)
    file.write_bytes(damaged(file.read_bytes()))
    with pytest.raises(UNREADABLE):
        read(tmp_path / "7", "ii")


def test_a_lead_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UNREADABLE):
        read(written(tmp_path), "v6")
