"""A database that a user declares: every key does what it says, and what is wrong with it is told with its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgseg import paths
from ecgseg.data.databases import checking, loader, own
from ecgseg.data.databases.known import DATABASES, database_of
from ecgseg.data.inputs import inputs_of
from ecgseg.errors import DataError, UsageError
from ecgseg.pipeline import LEAD_OFF
from support.own_database import CONFIGURATION, DECLARED, source, write


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("own"))


def declared(file: Path, text: str) -> own.Database:
    """The database with another declaration of the same folder."""
    other = file.with_name("other.toml")
    other.write_text(text, encoding="utf-8")
    return own.declared(other)


def test_records_come_at_500_hz_with_their_marks_leads_and_rhythm(file: Path) -> None:
    database = database_of(str(file))
    first, second = loader.load_record(database, loader.folder_of(database), "w1")
    assert (first.lead, second.lead) == ("mlii", "v5_left")
    assert (first.rate, first.source, first.name, first.record_id, first.rhythm) == (
        500,
        "ward",
        "w1",
        1,
        "Sinus rhythm",
    )
    made = source(1)[0]
    assert first.samples.size == made.samples.size
    assert np.median(np.abs(first.samples.astype(int) - made.samples)) < 20
    kept = [wave for wave in made.waves if wave.complete and wave.kind != "U"]
    assert [wave.kind for wave in first.waves] == [wave.kind for wave in kept]
    assert [wave.onset for wave in first.waves] == [2 * ((wave.onset or 0) // 2) for wave in kept]
    assert first.waves == second.waves


def test_sets_are_those_of_the_patients(file: Path) -> None:
    database = own.declared(file)
    assert database.sets() == {"train": ("w1", "w2"), "val": ("w3",), "test": ("w5",)}
    assert database.select("test") == ("w5",)
    assert database.select("all") == ("w1", "w2", "w3", "w5")
    assert database.select("w3, w1") == ("w3", "w1")
    with pytest.raises(UsageError, match="no records 'w4'") as told:
        database.select("w1,w4")
    assert "train, val, test, all" in told.value.why


def test_patients_are_drawn_when_asked_for_and_stay_where_they_are(file: Path) -> None:
    head = DECLARED.split("[split]")[0].replace("[rhythm]", 'split = "patients"\n[rhythm]')
    sets = declared(file, head).sets()
    assert sorted(name for names in sets.values() for name in names) == ["w1", "w2", "w3", "w5"]
    assert all(sets[name] for name in ("train", "val", "test"))
    assert any({"w1", "w2"} <= set(names) for names in sets.values())
    assert declared(file, head).sets() == sets
    unsplit = declared(file, DECLARED.split("[split]")[0])
    assert unsplit.sets() == {}
    assert unsplit.select("test") == ("w1", "w2", "w3", "w5")


def test_leads_waves_and_lists_of_records_are_what_the_file_says(file: Path) -> None:
    text = (
        'name = "one"\nfolder = "records"\nrecords = ["w2"]\nannotator = "atr"\nleads = ["v5 LEFT"]\nwaves = ["QRS"]\n'
        'symbols = { "^" = "p" }\n'
    )
    database = declared(file, text)
    assert database.leads == ("v5_left",)
    (record,) = loader.load_record(database, loader.folder_of(database), "w2")
    assert {wave.kind for wave in record.waves} == {"QRS"}
    loader.require_waves(database, 2)
    with pytest.raises(DataError, match="no marks of P and T waves"):
        loader.require_waves(database, 4)
    inputs = inputs_of(str(file.with_name("other.toml")))
    assert (inputs.records, inputs.leads, inputs.count) == ((1,), ("v5_left",), 1)
    assert all(not record.spans for record in inputs.for_comparison())
    with pytest.raises(UsageError, match="no lead 'ii'"):
        inputs_of(str(file), leads="ii")


@pytest.fixture
def tables(file: Path) -> Path:
    """The first lead of a record as a table that tells neither rate nor unit, its annotation beside it."""
    records = file.parent / "records"
    values = (source(1)[0].samples[::2].clip(-32000, 32000) / 1000).tolist()
    (records / "t1.csv").write_text("ecg\n" + "".join(f"{value:.3f}\n" for value in values))
    (records / "t1.atr").write_bytes((records / "w1.atr").read_bytes())
    return file


def test_records_of_any_format_are_read_with_what_the_file_tells_of_them(tables: Path) -> None:
    text = 'name = "csv"\nfolder = "records"\nrecords = "*.csv"\nreader = "any"\nannotator = "atr"\n'
    database = declared(tables, text + 'rate = 250\nunit = "mV"\nsymbols = { "^" = "p" }\n')
    (record,) = loader.load_record(database, loader.folder_of(database), "t1.csv")
    as_wfdb = own.declared(tables)
    (first, _) = loader.load_record(as_wfdb, loader.folder_of(as_wfdb), "w1")
    assert (record.lead, record.rate, record.name, record.waves) == ("ecg", 500, "t1.csv", first.waves)
    assert np.abs(record.samples.astype(int) - first.samples).max() <= 1
    for missing in ('unit = "mV"\n', "rate = 250\n"):
        with pytest.raises(DataError, match="no record that can be read") as told:
            declared(tables, text + missing)
        assert told.value.why
    with pytest.raises(DataError, match="is not valid"):
        declared(tables, text + 'unit = "kg"\n')
    with pytest.raises(DataError, match="fewer than 50"):
        declared(tables, text + 'rate = 49\nunit = "mV"\n')


def test_a_recording_of_a_day_is_no_record_of_a_database(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MOST_SAMPLES", 4_999)
    with pytest.raises(DataError, match="too long"):
        own.declared(file)


def test_runs_of_beats_are_stretches(file: Path) -> None:
    runs = declared(file, DECLARED.replace("[rhythm]", 'annotated = "runs"\n[rhythm]'))
    (record, _) = loader.load_record(runs, loader.folder_of(runs), "w1")
    assert record.annotated


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "name"),
        ("name = [", "no TOML"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("#" * (2 << 20), "more than"),
        (DECLARED.replace('"ward"', '"ludb"'), "is taken"),
        (DECLARED.replace('"ward"', '"file"'), "is taken"),
        (DECLARED.replace('"ward"', '"../x"'), "name"),
        (DECLARED.replace('"atr"', '"a/b"'), "annotator"),
        (DECLARED.replace('"p" }', '"q" }'), "symbols"),
        ("colour = 1\n" + DECLARED, "colour"),
        (DECLARED.replace('"*.hea"', '"../*.hea"'), "no .. in their names"),
        (DECLARED.replace('"*.hea"', '["/etc/passwd"]'), "no / in front"),
        (DECLARED.replace('"*.hea"', '["a\\u001b"]'), "printable"),
        (DECLARED.replace('"*.hea"', '"*.dat"'), "There are none"),
        (DECLARED.replace('"*.hea"', '"**.."'), "records"),
        ('leads = ["x9"]\n' + DECLARED, "none of those that are wanted"),
        (DECLARED.replace('["cyd"]', '["bob"]'), "bob is in val and in test"),
        (DECLARED.replace('["cyd"]', '["dan"]'), "split.test names 'dan'"),
        (DECLARED.replace('w5 = "cyd"', 'w9 = "cyd"'), "patients names 'w9'"),
        (DECLARED.replace('"records"', '"elsewhere"'), "There are none"),
    ],
)
def test_what_is_wrong_with_the_file_is_told(file: Path, text: str, said: str) -> None:
    with pytest.raises(DataError) as told:
        declared(file, text)
    assert said in str(told.value)
    assert told.value.remedy
    assert told.value.what.isprintable()


def test_a_file_or_name_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        database_of(str(tmp_path / "none.toml"))
    with pytest.raises(UsageError, match="Did you mean 'ludb'"):
        database_of("lubd")
    assert tuple(DATABASES) == ("ludb", "qtdb", "synthetic")


def test_a_record_that_cannot_be_used_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    file = write(tmp_path)
    (tmp_path / "records" / "w2.atr").unlink()
    (tmp_path / "records" / "w3.hea").write_text("nonsense")
    database = own.declared(file)
    for name in ("w2", "w3"):
        with pytest.raises(DataError) as told:
            loader.load_record(database, loader.folder_of(database), name)
        assert name in told.value.what
    found = checking.check(database)
    assert [name for name, _ in found.damaged] == ["w2", "w3"]
    assert found.waves["QRS"][0] == found.waves["QRS"][1] > 20
    assert 0.6 < found.minutes < 0.7


def test_peaks_alone_are_no_waves(tmp_path: Path) -> None:
    import wfdb

    file = write(tmp_path)
    wfdb.wrann("w1", "atr", np.arange(200, 2000, 200), symbol=["N"] * 9, write_dir=str(tmp_path / "records"))
    database = own.declared(file)
    with pytest.raises(DataError, match="w1") as told:
        loader.load_record(database, loader.folder_of(database), "w1")
    assert "onset '('" in told.value.why


@pytest.mark.parametrize(("rate", "size"), [(250, 1000), (360, 1389), (128, 3907), (1000, 500)])
def test_a_record_at_any_rate_becomes_one_at_500_hz(rate: int, size: int) -> None:
    (made,) = source(1)[:1]
    t = np.arange(size if rate != 250 else 500)
    wave = np.round(1000 * np.sin(2 * np.pi * 5 * t / rate)).astype(np.int16)
    wave[100:110] = LEAD_OFF
    record = loader.at_rate(own.Record(1, "ii", rate, wave, made.waves[:1], "", "x"))
    there = np.arange(record.samples.size)
    assert record.samples.size == -(-wave.size * 500 // rate)
    clean = (there > 250 * 500 // rate) & (there < record.samples.size - 60)
    wanted = 1000 * np.sin(2 * np.pi * 5 * there / 500)
    assert np.abs(record.samples[clean] - wanted[clean]).max() < 20
    off = np.flatnonzero(record.samples == LEAD_OFF)
    assert abs(int(off[0]) - 100 * 500 / rate) <= 1
    assert abs(int(off[-1]) - 110 * 500 / rate) <= 500 / rate + 1
    assert record.waves[0].peak == round((made.waves[0].peak or 0) * 500 / rate)


def test_the_page_shows_the_example_that_its_tool_makes() -> None:
    page = (paths.ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    for shown in (DECLARED, CONFIGURATION):
        assert "".join(f"    {line}\n" if line else "\n" for line in shown.rstrip("\n").split("\n")) in page
