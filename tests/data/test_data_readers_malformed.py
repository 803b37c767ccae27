"""Files that are not what they should be, of each format: what, why and what to do, before anything is sent."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyedflib
import pytest

from ecgseg.data.opening import open_recording
from ecgseg.data.readers import numpy_recording, table_recording
from ecgseg.data.recording import Told, pieces
from ecgseg.errors import DataError, EcgsegError
from support.tables import RATE, SAMPLES, TABLES, apple, beats, write_edf, write_wav

CSV = TABLES["ecg.csv"](beats())
ROWS = CSV.splitlines(keepends=True)


def npy(array: object, **options: bool) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array), **options)
    return file.getvalue()


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **{name: np.asarray(array) for name, array in arrays.items()})
    return file.getvalue()


def wav(form: bytes = b"\1\0\1\0\xf4\1\0\0\0\0\0\0\2\0\x10\0", told: int = 200, held: int = 200) -> bytes:
    chunks = b"fmt " + len(form).to_bytes(4, "little") + form + b"data" + told.to_bytes(4, "little") + bytes(held)
    return b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WAVE" + chunks


NPY = npy(np.zeros(1000))
TABLES_OF: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "It is empty"),
    "blank": (b"\n\n  \n", "holds no lines"),
    "header alone": (ROWS[0], "no row of numbers"),
    "one row": (ROWS[0] + ROWS[1], "one row"),
    "prose": (b"Dear reader,\nthis is\nno table.\n", "no row of numbers"),
    "binary": (bytes(range(256)) * 40, "bytes of zero"),
    "zeros behind": (CSV + bytes(1000), "bytes of zero"),
    "UTF-16": (CSV.decode().encode("utf-16"), "UTF-16"),
    "lines of an old Macintosh": (CSV.replace(b"\n", b"\r"), "carriage return"),
    "cut off": (CSV[:-8], "fields, not 2"),
    "a word": (CSV + b"9.0,much\n", "line 2002 has 'much' where a number belongs"),
    "a word as a time": (CSV + b"later,1\n", "line 2002 has 'later' where a time belongs"),
    "a column too many": (CSV + b"9.0,1,1\n", "line 2002 has 3 fields, not 2"),
    "a header too short": (b"time_s\n" + b"".join(ROWS[1:]), "names 1 columns, and line 2 has 2 fields"),
    "three lines of header": (ROWS[0] * 3 + b"".join(ROWS[1:]), "is no row of numbers"),
    "times that fall": (CSV + ROWS[5], "line 2002 tells 0.008, not after"),
    "a time twice": (CSV + ROWS[-1], "not after the one before"),
    "times that fall at once": (ROWS[0] + b"2,0\n1,0\n0,0\n", "do not rise"),
    "no time": (CSV + b"nan,1\n", "'nan' where a time belongs"),
    "uneven samples": (CSV + b"3.9982,0\n", "samples are not even"),
    "a gap of years": (CSV + b"99999999999,0\n", "samples"),
    "a gap without end": (CSV + b"1e300,0\n", "samples"),
    "quotes that do not end": (CSV + b'"9.0,1\n', "fields, not 2"),
    "points of thousands": (b"time_s;ecg_uV\n0,000;1.000,5\n0,002;1.000,5\n", "no row of numbers"),
    "a line without end": (b"1," * 200_000, "first line has more than"),
    "a long line": (CSV + b"9" * 20_000 + b",1\n", "more than 16384 bytes"),
    "too many columns": (b",".join([b"0"] * 200) + b"\n", "200 columns"),
}
OTHERS: dict[str, tuple[bytes, str]] = {
    "empty.npy": (b"", "no array of numpy"),
    "text.npy": (b"hello", "no array of numpy"),
    "cut off.npy": (NPY[:-1], "does not fit"),
    "header cut off.npy": (NPY[:40], "neither of plain numbers nor of text"),
    "grown.npy": (NPY + b"\0", "does not fit"),
    "gigantic.npy": (NPY.replace(b"(1000,)", b"(99999999999,)"), "samples"),
    "gigantic and thin.npy": (NPY.replace(b"(1000,), ", b"(999999999, 999999999), "), "which of the two is time"),
    "objects.npy": (npy(np.array([{}], dtype=object), allow_pickle=True), "neither of plain numbers nor of text"),
    "words.npy": (npy(["a", "b"]), "not of numbers"),
    "truths.npy": (npy([True, False]), "not of numbers"),
    "three dimensions.npy": (npy(np.zeros((5, 4, 3))), "3 dimensions"),
    "a number.npy": (npy(3.0), "0 dimensions"),
    "no samples.npy": (npy(np.zeros(0)), "holds no samples"),
    "as wide as long.npy": (npy(np.zeros((5, 5))), "which of the two is time"),
    "wide.npy": (npy(np.zeros((5000, 100))), "100 channels"),
    "empty.npz": (b"", "no archive"),
    "cut off.npz": (npz(a=np.arange(1000))[:-30], "no archive"),
    "objects.npz": (npz(a=np.array([{}], dtype=object)), "neither of plain numbers nor of text"),
    "nothing.npz": (npz(), "0 channels"),
    "words.npz": (npz(a=["x"], fs=500), "0 channels"),
    "no samples.npz": (npz(a=np.zeros(0)), "holds no samples"),
    "cut off.wav": (wav(told=300), "it was cut off"),
    "empty.wav": (b"", "does not begin as a WAV file"),
    "text.wav": (b"RIFF and so on and on", "does not begin as a WAV file"),
    "no samples.wav": (wav(told=0, held=0), "holds no samples"),
    "no format.wav": (b"RIFF\0\0\0\0WAVEdata\4\0\0\0\0\0\0\0", "before their format"),
    "no chunks.wav": (b"RIFF\0\0\0\0WAVE", "no samples"),
    "chunks for ever.wav": (b"RIFF\0\0\0\0WAVE" + b"LIST\0\0\0\0" * 2000, "no samples"),
    "a chunk beyond the end.wav": (b"RIFF\0\0\0\0WAVELIST\xff\xff\xff\xff", "no samples"),
    "a short format.wav": (wav(b"\1\0\1\0"), "format is cut off"),
    "another format.wav": (wav(b"\x55\0\1\0\xf4\1\0\0\0\0\0\0\2\0\x10\0"), "format 85 with 16 bits"),
    "no bits.wav": (wav(b"\1\0\1\0\xf4\1\0\0\0\0\0\0\2\0\0\0"), "with 0 bits"),
    "no channels.wav": (wav(b"\1\0\0\0\xf4\1\0\0\0\0\0\0\2\0\x10\0"), "0 channels"),
    "no rate.wav": (wav(b"\1\0\1\0\0\0\0\0\0\0\0\0\2\0\x10\0"), "at 0 samples"),
    "many channels.wav": (wav(b"\1\0\x64\0\xf4\1\0\0\0\0\0\0\2\0\x10\0"), "100 channels"),
    "extensible and cut off.wav": (wav(b"\xfe\xff\1\0\xf4\1\0\0\0\0\0\0\2\0\x10\0"), "format 65534"),
    "an export of no numbers.csv": (apple(beats()) + b"soon\n", "'soon' where a number belongs"),
    "an export cut off.csv": (apple(beats())[:180], "no row of numbers"),
    "an export of two columns.csv": (apple(beats()) + b"1;2\n", "'1;2' where a number belongs"),
}


EDF: dict[str, tuple[int, bytes, str]] = {
    "another beginning": (0, b"1", "does not begin as EDF"),
    "no records": (236, b"-1      ", "in -1 records"),
    "more records than bytes": (236, b"99999999", "it was cut off"),
    "records of no length": (244, b"0       ", "records of 0 s"),
    "records of no number": (244, b"nan     ", "'nan' in the place of seconds"),
    "no signals": (252, b"0   ", "0 signals"),
    "many signals": (252, b"9999", "9999 signals"),
    "a word for signals": (252, b"four", "'four' in the place of signals"),
    "more signals than header": (252, b"60  ", "cut off"),
    "a header of another length": (184, b"512     ", "length of itself"),
    "no range": (256 + 4 * 104, b"4000    ", "goes from 4000 to 4000"),
    "no digital range": (256 + 4 * 120, b"32767   ", "as 32767 to 32767"),
    "no samples": (256 + 4 * 216, b"0       ", "0 samples in a record"),
    "a gigantic record": (256 + 4 * 216, b"99999999", "99999999 samples in a record"),
    "a date of no day": (168, b"99.99.99", "not as its format has it"),
    "markup": (256 + 4 * 216, b"\x1b[31m   ", "'?[31m' in the place of samples"),
}


@pytest.mark.parametrize("what", EDF)
def test_a_malformed_file_of_edf_is_refused_in_words(
    what: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place, content, said = EDF[what]
    path = write_edf(tmp_path / "ecg.edf", beats(), pyedflib.FILETYPE_EDFPLUS)
    good = path.read_bytes()
    path.write_bytes(good[:place] + content + good[place + len(content) :])
    assert said in str(refused(path))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("size", [0, 100, 256, 700, 1279, -1])
def test_a_file_of_edf_that_is_cut_off_is_refused_in_words(size: int, tmp_path: Path) -> None:
    path = write_edf(tmp_path / "ecg.edf", beats(), pyedflib.FILETYPE_EDFPLUS)
    path.write_bytes(path.read_bytes()[:size])
    assert "cannot be read" in refused(path).what


def refused(path: Path, told: Told | None = None) -> EcgsegError:
    with pytest.raises(EcgsegError) as caught:
        open_recording(path, told)
    error = caught.value
    assert error.what.isprintable()
    assert error.why.isprintable()
    assert error.remedy
    return error


@pytest.mark.parametrize("what", TABLES_OF)
def test_a_malformed_table_is_refused_in_words(what: str, tmp_path: Path) -> None:
    content, said = TABLES_OF[what]
    path = tmp_path / "ecg.csv"
    path.write_bytes(content)
    assert said.lower() in str(refused(path)).lower()


@pytest.mark.parametrize("name", OTHERS)
def test_a_malformed_file_is_refused_in_words(name: str, tmp_path: Path) -> None:
    content, said = OTHERS[name]
    path = tmp_path / name
    path.write_bytes(content)
    assert said.lower() in str(refused(path, None if name.endswith(".csv") else Told(rate=RATE))).lower()


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".npz", ".wav"])
def test_what_is_no_file_is_refused_in_words(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"folder{suffix}").mkdir()
    for path in (tmp_path / f"nowhere{suffix}", tmp_path / f"folder{suffix}", Path(f"/dev/null{suffix}")):
        assert "There is no recording" in refused(path).what


def test_an_archive_that_unfolds_beyond_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_recording, "MAX_ARCHIVE_BYTES", 1 << 16)
    np.savez_compressed(tmp_path / "bomb.npz", a=np.zeros(100_000))
    assert "more than 65536 bytes" in refused(tmp_path / "bomb.npz", Told(rate=RATE)).why
    np.savez(tmp_path / "large.npz", a=np.zeros(100_000))
    assert "a .npy is read in pieces" in refused(tmp_path / "large.npz", Told(rate=RATE)).why


def test_nothing_but_gaps_is_no_contact_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "ecg.csv"
    path.write_text("ecg_uV,note\n" + "nan,\n" * 100)
    opened = open_recording(path, Told(rate=RATE))
    assert set(np.concatenate(list(pieces(opened, opened.channels[0], 1.0)))) == {-32768}


def test_a_word_far_behind_is_told_with_its_line_when_it_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "ecg.csv"
    rows = [b"1.25\n"] * 600_000
    rows[300_000] = b"\x1b[31m\n"
    path.write_bytes(b"ecg_uV\n" + b"".join(rows))
    opened = open_recording(path, Told(rate=RATE))
    with pytest.raises(DataError) as caught:
        for _ in pieces(opened, opened.channels[0], 1.0):
            pass
    assert "Line 300002 has '?[31m' where a number belongs." in caught.value.why


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".wav"])
def test_a_file_that_is_cut_while_it_is_read_is_told(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_recording, "_BLOCK_BYTES", 4000)
    path = tmp_path / f"ecg{suffix}"
    if suffix == ".wav":
        write_wav(path, RATE, beats().astype(np.int16))
    else:
        path.write_bytes(CSV if suffix == ".csv" else npy(beats()))
    opened = open_recording(path, None if suffix == ".csv" else Told(rate=RATE))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        opened.read(opened.channels[0], 0, SAMPLES - 1)
