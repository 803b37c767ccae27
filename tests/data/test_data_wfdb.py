"""WFDB files become records: marks, leads by name, microvolts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgseg.data.readers.wfdb import UNREADABLE, About, parse_waves, read_leads
from ecgseg.data.records import Wave

ABOUT = About(7, "made", lambda comments: " ".join(comments))


def test_missing_marks_are_none_not_invented() -> None:
    assert parse_waves([5, 9, 20, 25, 40, 45], ["N", ")", "(", "t", "p", ")"]) == (
        Wave("QRS", None, 5, 9),
        Wave("T", 20, 25, None),
        Wave("P", None, 40, 45),
    )
    assert parse_waves([5, 9], ["(", "t"]) == (Wave("T", 5, 9, None),)
    assert parse_waves([5], ["("]) == (Wave("?", 5, None, None),)


def test_several_annotators_marks_of_one_point_become_their_median() -> None:
    samples = [10, 12, 20, 30, 31, 35, 50, 52, 60]
    assert parse_waves(samples, list("(((ttt)))")) == (Wave("T", 12, 31, 52),)


def test_marks_without_a_peak_are_a_wave_of_no_kind() -> None:
    waves = parse_waves([10, 30, 50, 60, 70], ["(", ")", "(", "N", ")"])
    assert waves == (Wave("?", 10, None, 30), Wave("QRS", 50, 60, 70))


def written(folder: Path) -> Path:
    """A recording of two leads at 250 Hz with a P wave marked in ii and a QRS in V1."""
    signal = np.stack([np.linspace(-1, 1, 500), np.linspace(2, 1, 500)], axis=1)
    options = {"units": ["mV", "mV"], "sig_name": ["II", "V1"], "fmt": ["16", "16"], "adc_gain": [1000, 1000]}
    about = {"baseline": [0, 0], "comments": ["calm"], "write_dir": str(folder)}
    wfdb.wrsamp("7", fs=250, p_signal=signal, **options, **about)
    for lead, peak in (("ii", "p"), ("v1", "N")):
        wfdb.wrann("7", "marks", np.array([100, 110, 120]), symbol=["(", peak, ")"], write_dir=str(folder))
        # The library writes no extension with a digit in it.
        (folder / "7.marks").rename(folder / f"7.{lead}")
    return folder / "7"


def test_each_lead_has_its_own_samples_and_waves(tmp_path: Path) -> None:
    v1, ii = read_leads(written(tmp_path), ("v1", "ii"), ABOUT)
    assert (v1.record_id, v1.lead, v1.rate, v1.source, v1.rhythm) == (7, "v1", 250, "made", "calm")
    assert (v1.samples.dtype, v1.samples[0], v1.samples[-1]) == (np.int16, 2000, 1000)
    assert (ii.lead, ii.samples[0], ii.samples[-1]) == ("ii", -1000, 1000)
    assert v1.waves == (Wave("QRS", 100, 110, 120),)
    assert ii.waves == (Wave("P", 100, 110, 120),)


def test_a_lead_or_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    base = written(tmp_path)
    with pytest.raises(UNREADABLE):
        read_leads(base, ("v2",), ABOUT)
    (tmp_path / "7.ii").unlink()
    with pytest.raises(UNREADABLE):
        read_leads(base, ("ii",), ABOUT)
