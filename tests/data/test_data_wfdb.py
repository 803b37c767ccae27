"""WFDB files become records: marks, leads by name, microvolts."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgseg.data.databases.ludb import load_record
from ecgseg.data.databases.qtdb import annotated_stretches
from ecgseg.data.readers.wfdb import UNREADABLE, About, parse_waves, read_channels, read_leads
from ecgseg.data.records import Wave
from ecgseg.errors import DataError

ABOUT = About(7, "made", lambda comments: " ".join(comments))


def test_missing_marks_are_none_not_invented() -> None:
    assert parse_waves([5, 9, 20, 25, 40, 45], ["N", ")", "(", "t", "p", ")"]) == (
        Wave("QRS", None, 5, 9),
        Wave("T", 20, 25, None),
        Wave("P", None, 40, 45),
    )
    assert parse_waves([5, 9], ["(", "t"]) == (Wave("T", 5, 9, None),)
    assert parse_waves([5], ["("]) == (Wave("?", 5, None, None),)


def test_every_code_of_a_beat_is_a_qrs_and_what_is_no_wave_is_passed_over() -> None:
    samples, symbols = [5, 10, 20, 30, 35, 40, 60, 62, 70], ["+", "(", "V", ")", "~", "(", "B", '"', ")"]
    assert parse_waves(samples, symbols) == (Wave("QRS", 10, 20, 30), Wave("QRS", 40, 60, 70))
    assert parse_waves([5, 9, 12], ["(", "u", ")"]) == (Wave("U", 5, 9, 12),)
    assert parse_waves([5, 6], ["", "?x"]) == ()


def test_several_annotators_marks_of_one_point_become_their_median() -> None:
    samples = [10, 12, 20, 30, 31, 35, 50, 52, 60]
    assert parse_waves(samples, list("(((ttt)))")) == (Wave("T", 12, 31, 52),)


def test_marks_without_a_peak_are_a_wave_of_no_kind() -> None:
    waves = parse_waves([10, 30, 50, 60, 70], ["(", ")", "(", "N", ")"])
    assert waves == (Wave("?", 10, None, 30), Wave("QRS", 50, 60, 70))


def written(folder: Path, rate: float = 250) -> Path:
    """A recording of two leads with a P wave marked in ii and a QRS in V1."""
    signal = np.stack([np.linspace(-1, 1, 500), np.linspace(2, 1, 500)], axis=1)
    options = {"units": ["mV", "mV"], "sig_name": ["II", "V1"], "fmt": ["16", "16"], "adc_gain": [1000, 1000]}
    about = {"baseline": [0, 0], "comments": ["calm"], "write_dir": str(folder)}
    wfdb.wrsamp("7", fs=rate, p_signal=signal, **options, **about)
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


def test_channels_share_the_waves_of_one_annotation(tmp_path: Path) -> None:
    second, first = read_channels(written(tmp_path), "v1", (1, 0), About(7, "made", " ".join, "seven"))
    assert (first.lead, second.lead, first.name, first.label) == ("0", "1", "seven", "seven")
    assert (first.samples[0], second.samples[0]) == (-1000, 2000)
    assert first.waves == second.waves == (Wave("QRS", 100, 110, 120),)
    with pytest.raises(UNREADABLE):
        read_channels(tmp_path / "7", "v1", (2,), ABOUT)
    with pytest.raises(OSError, match="q1c"):
        read_channels(tmp_path / "7", "q1c", (0,), ABOUT)


def test_a_lead_or_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    base = written(tmp_path)
    with pytest.raises(UNREADABLE):
        read_leads(base, ("v2",), ABOUT)
    (tmp_path / "7.ii").unlink()
    with pytest.raises(UNREADABLE):
        read_leads(base, ("ii",), ABOUT)


HEADERS = {
    "an absurd count of samples": ("7 2 250 500", "7 2 250 99999999999999"),
    "one sample more than the file holds": ("7 2 250 500", "7 2 250 501"),
    "a count below zero": ("7 2 250 500", "7 2 250 -5"),
    "an absurd count of signals": ("7 2 250 500", "7 9999 250 500"),
    "no signals": ("7 2 250 500", "7 0 250 500"),
    "more signals than it describes": ("7 2 250 500", "7 3 250 500"),
    "segments": ("7 2 250 500", "7/4 2 250 500"),
    "a rate with a fraction": ("7 2 250 500", "7 2 360.5 500"),
    "a rate without end": ("7 2 250 500", "7 2 1e999 500"),
    "absurd samples per frame": ("7.dat 16", "7.dat 16x9999"),
    "an absurd first byte": ("7.dat 16", "7.dat 16+999999999"),
    "a format that nobody knows": ("7.dat 16", "7.dat 17"),
    "a file elsewhere": ("7.dat 16", "/dev/zero 16"),
    "a file above": ("7.dat 16", "../7.dat 16"),
    "a wider format than the file": ("7.dat 16", "7.dat 32"),
    "a file that is not there": ("7.dat 16", "8.dat 16"),
    "nothing": ("", None),
}


@pytest.mark.parametrize("change", HEADERS.values(), ids=list(HEADERS))
def test_a_header_that_its_files_do_not_bear_out_is_unreadable(tmp_path: Path, change: tuple[str, str | None]) -> None:
    base = written(tmp_path)
    header = base.with_suffix(".hea")
    old, new = change
    text = header.read_text()
    assert old in text
    header.write_text("" if new is None else text.replace(old, new))
    with pytest.raises(UNREADABLE):
        read_leads(base, ("ii",), ABOUT)


@pytest.mark.parametrize("suffix", [".hea", ".dat", ".ii"])
def test_a_pipe_in_the_place_of_a_file_is_unreadable_and_never_waited_for(tmp_path: Path, suffix: str) -> None:
    base = written(tmp_path)
    base.with_suffix(suffix).unlink()
    os.mkfifo(base.with_suffix(suffix))
    with pytest.raises(OSError, match="a pipe"):
        read_leads(base, ("ii",), ABOUT)


def test_a_file_of_absurd_size_is_unreadable_before_it_is_read(tmp_path: Path) -> None:
    base = written(tmp_path)
    os.truncate(base.with_suffix(".dat"), 1 << 40)
    with pytest.raises(OSError, match="more than"):
        read_leads(base, ("ii",), ABOUT)


@given(
    changes=st.lists(st.tuples(st.sampled_from([".hea", ".dat", ".ii"]), st.integers(0, 4000), st.binary(max_size=4)))
)
@settings(max_examples=120, deadline=None)
def test_any_bytes_are_records_or_one_kind_of_error(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, int, bytes]]
) -> None:
    base = written(tmp_path_factory.mktemp("damaged"))
    for suffix, position, data in changes:
        content = bytearray(base.with_suffix(suffix).read_bytes())
        start = position % max(1, len(content))
        content[start : start + len(data)] = data
        base.with_suffix(suffix).write_bytes(content)
    with contextlib.suppress(*UNREADABLE):
        assert read_leads(base, ("ii",), ABOUT)[0].samples.dtype == np.int16
    with contextlib.suppress(*UNREADABLE):
        (first, _) = read_channels(base, "ii", (0, 1), ABOUT)
        assert all(begin <= end for begin, end in annotated_stretches(first.waves))


@pytest.mark.parametrize("rate", [360, 1000, 250])
def test_a_record_at_another_rate_in_a_folder_like_ludb_is_refused_with_its_rate(tmp_path: Path, rate: int) -> None:
    (tmp_path / "data").mkdir()
    written(tmp_path / "data", rate)
    with pytest.raises(DataError, match=f"Record 7 is sampled at {rate} Hz") as caught:
        load_record(tmp_path, 7, ("ii",))
    assert "500 Hz" in caught.value.why
    assert caught.value.exit_code == 3


def test_a_record_at_the_rate_of_ludb_is_read_whatever_its_length(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    written(tmp_path / "data", 500)
    assert load_record(tmp_path, 7, ("ii",))[0].rate == 500
