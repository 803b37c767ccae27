"""QTDB: where it is found, what of a record is annotated, its folds, and what is said of damaged files."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgseg.data.databases.qtdb import (
    ENVIRONMENT,
    LEADS,
    annotated_stretches,
    find_qtdb,
    given_records,
    list_records,
    load_record,
    load_records,
    parse_records,
    record_number,
    split,
)
from ecgseg.data.records import Wave, excerpts, labels
from ecgseg.errors import DataError, UsageError
from ecgseg.pipeline import LEAD_OFF, UNANNOTATED

# A beat in samples of 250 Hz, without the onset of T, from its P on.
BEAT = [(0, "("), (8, "p"), (16, ")"), (30, "("), (40, "N"), (48, ")"), (90, "t"), (110, ")")]


def made(folder: Path, name: str = "sel100", rate: int = 250, starts: tuple[int, ...] = (250, 450, 650)) -> Path:
    """A copy of the form of the database with one record of 8 s, whose beats begin at these samples."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "RECORDS").write_text(f"{name}\n../outside\n")
    t = np.arange(2000) / 250
    signal = np.stack([np.sin(2 * np.pi * 3 * t), 0.5 * np.cos(2 * np.pi * 3 * t)], axis=1)
    form = {"units": ["mV"] * 2, "sig_name": ["ECG1", "ECG2"], "fmt": ["212"] * 2, "adc_gain": [200] * 2}
    wfdb.wrsamp(name, rate, p_signal=signal, baseline=[0, 0], write_dir=str(folder), **form)
    marks = [(start + at, symbol) for start in starts for at, symbol in BEAT]
    samples, symbols = np.array([at for at, _ in marks]), [symbol for _, symbol in marks]
    wfdb.wrann(name, "marks", samples, symbol=symbols, write_dir=str(folder))
    # The library writes no extension with a digit in it.
    (folder / f"{name}.marks").rename(folder / f"{name}.q1c")
    return folder


def test_it_is_found_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path / "copy")
    assert find_qtdb(folder) == folder
    monkeypatch.setenv(ENVIRONMENT, str(folder))
    assert find_qtdb() == folder
    assert list_records(folder) == ("sel100",), "what is no name of a record is never read"


def test_a_folder_without_it_is_told_with_the_variable_that_named_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    with pytest.raises(DataError) as told:
        find_qtdb()
    assert str(tmp_path) in told.value.what
    assert ENVIRONMENT in told.value.remedy


def test_records_come_at_500_hz_with_both_channels_and_one_annotation(tmp_path: Path) -> None:
    first, second = load_records(made(tmp_path), ("sel100",))
    assert (first.record_id, first.lead, second.lead, first.rate, first.source) == (100, "0", "1", 500, "qtdb")
    assert (first.name, first.label) == ("sel100", "sel100")
    assert first.samples.size == 4000
    assert first.waves == second.waves
    assert first.waves[:3] == (Wave("P", 500, 516, 532), Wave("QRS", 560, 580, 596), Wave("T", None, 680, 720))
    assert [record.lead for record in load_record(tmp_path, "sel100", ("1",))] == ["1"]


def test_the_samples_between_lie_where_the_signal_is(tmp_path: Path) -> None:
    (record, _) = load_records(made(tmp_path), ("sel100",))
    t = np.arange(4000) / 500
    wanted = 1000 * np.sin(2 * np.pi * 3 * t)
    # 12 bits of 200 to the millivolt are 5 microvolts apart.
    assert np.abs(record.samples - wanted)[100:-100].max() < 5


def test_no_contact_stays_no_contact(tmp_path: Path) -> None:
    folder = made(tmp_path)
    data = bytearray((folder / "sel100.dat").read_bytes())
    # Samples 500 and on of both channels: -2048, which is no value in format 212.
    for at in range(500, 510):
        data[3 * at : 3 * at + 3] = bytes([0x00, 0x88, 0x00])
    (folder / "sel100.dat").write_bytes(bytes(data))
    header = (folder / "sel100.hea").read_text().splitlines()
    (folder / "sel100.hea").write_text("\n".join(header) + "\n")
    record = load_record(folder, "sel100", ("0",))[0]
    assert np.flatnonzero(record.samples == LEAD_OFF).tolist() == list(range(1000, 1020))
    assert np.abs(record.samples[1020:].astype(int)).max() < 1100


def test_what_lies_between_runs_of_beats_is_not_known(tmp_path: Path) -> None:
    folder = made(tmp_path, starts=(100, 300, 500, 1200, 1400, 1600))
    record = load_record(folder, "sel100", ("0",))[0]
    assert record.spans == ((200, 1220), (2400, 3420))
    mask = labels(record, 4, 5)
    assert set(mask[246:479].tolist()) == {UNANNOTATED}
    assert mask[245] == 0 or mask[244] == 3


def test_t_without_an_onset_is_t_from_its_peak_and_unknown_before(tmp_path: Path) -> None:
    mask = labels(load_record(made(tmp_path), "sel100", ("0",))[0], 4, 5)
    assert set(mask[112:120].tolist()) == {2}
    assert set(mask[120:136].tolist()) == {UNANNOTATED}
    assert set(mask[136:145].tolist()) == {3}
    assert set(mask[145:180].tolist()) == {0}


def test_of_beats_whose_t_is_never_annotated_the_qrs_alone_is_known() -> None:
    waves = [Wave("QRS", at, at + 10, at + 20) for at in range(0, 2000, 400)]
    assert annotated_stretches(waves) == tuple((wave.onset, wave.offset) for wave in waves)


def test_a_pause_ends_a_run_behind_t_or_u_and_before_p() -> None:
    waves: list[Wave] = []
    for at in (0, 400, 800, 2000, 2400):
        waves += [Wave("P", at, at + 20, at + 40), Wave("QRS", at + 60, at + 80, at + 100)]
        waves += [Wave("T", None, at + 200, at + 250), Wave("U", None, at + 280, at + 300)]
    assert annotated_stretches(waves) == ((0, 1100), (2000, 2700))
    del waves[-4]
    assert annotated_stretches(waves) == ((0, 1100), (2000, 2300), (2460, 2700)), "a beat without its P wave"
    assert annotated_stretches([]) == ()
    assert annotated_stretches([Wave("T", None, 5, 9)]) == ((5, 9),)


def test_folds_share_no_record_and_none_is_without_a_number() -> None:
    names = given_records()
    assert set(split()) == {"fold-1", "fold-2", "fold-3"}
    assert (len(names), len(set(names)), len({record_number(name) for name in names})) == (45, 45, 45)
    assert all(len(fold) == 15 for fold in split().values())
    one = next(fold for fold in split().values() if "sele0110" in fold)
    assert "sele0116" in one, "both headers tell the same age, sex and history"


def test_what_a_user_types_selects_records() -> None:
    assert parse_records("given") == given_records()
    assert parse_records("fold-2") == split()["fold-2"]
    assert parse_records("sel301, sele0106,sel301") == ("sel301", "sele0106")
    assert (record_number("sel100"), record_number("sele0106")) == (100, 1000106)


@pytest.mark.parametrize("text", ["", "fold-4", "sel", "100", "../sel100", "sel100;rm", "sel1234567", "sel100\x1b"])
def test_nonsense_records_are_one_printable_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_records(text)
    assert caught.value.what.isprintable()
    assert caught.value.remedy
    with pytest.raises(UsageError):
        record_number(text)


def test_a_record_that_is_missing_damaged_or_of_another_rate_names_itself(tmp_path: Path) -> None:
    folder = made(tmp_path)
    made(tmp_path, "sel102", rate=360)
    (folder / "sel100.dat").write_bytes(b"")
    for name in ("sel100", "sel102", "sel103"):
        with pytest.raises(DataError) as told:
            load_records(folder, (name,))
        assert f"Record {name} " in told.value.what
        assert "--database qtdb" in told.value.remedy
    with pytest.raises(DataError, match="sel102"):
        load_record(folder, "sel102", ("7",))


def test_a_list_of_records_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "RECORDS").mkdir()
    with pytest.raises(DataError, match="list of records"):
        list_records(tmp_path)


@pytest.fixture(scope="module")
def given() -> Path:
    folder = find_qtdb()
    if folder is None:
        pytest.skip("QTDB is not on this machine")
    return folder


def test_the_real_records_have_beats_in_order_and_labels_inside_their_stretches(given: Path) -> None:
    for name in ("sel301", "sel35", "sel310", "sele0106"):
        first, second = load_record(given, name)
        assert first.samples.size == second.samples.size > 449_000
        assert [wave.peak for wave in first.waves] == sorted(wave.peak or 0 for wave in first.waves)
        assert all(a[1] < b[0] for a, b in pairwise(first.spans))
        mask = labels(first, 4, 5)
        assert {1, 2, 3} >= set(mask.tolist()) - {0, UNANNOTATED} >= {2}
        # Some 30 beats of 15 minutes.
        assert 200 < np.count_nonzero(mask != UNANNOTATED) < 6000
        assert mask[: first.spans[0][0] // 5].min() == UNANNOTATED


def test_excerpts_hold_every_label_of_a_real_record(given: Path) -> None:
    record = load_record(given, "sel301", LEADS[:1])[0]
    parts = excerpts(record, 10.0, 1.0)
    assert len(parts) == 2
    assert sum(len(part.waves) for part in parts) == len(record.waves)
    for part in parts:
        assert part.span is not None
        assert part.span[0] == 5000
        assert part.samples.size < 30_000


@pytest.mark.slow
@pytest.mark.ludb
def test_the_given_records_give_the_samples_and_labels_that_committed_streams_learnt_from(given: Path) -> None:
    digest = hashlib.sha256()
    for record in load_records(given, given_records()):
        for part in excerpts(record, 10.0, 2.0):
            digest.update(part.samples.tobytes())
            digest.update(labels(part, 4, 5).tobytes())
    assert digest.hexdigest() == "ef7671f272d405ebb8aa96a7e6a2f266a507efc2483ca567efc2505f72080995"
