"""Recordings of users in tables, WAV and NumPy: the microvolts that were written, whatever the pieces."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyedflib
import pytest

from ecgseg.data import recording
from ecgseg.data.choice import choose_channels
from ecgseg.data.opening import open_recording
from ecgseg.data.readers import table_recording
from ecgseg.data.recording import Told, pieces, scale_of, stretch
from ecgseg.errors import DataError, UsageError
from ecgseg.pipeline import LEAD_OFF
from support.recordings import write_recording
from support.tables import RATE, SAMPLES, TABLES, apple, beats, write_edf, write_wav

Int16 = npt.NDArray[np.int16]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "PIECE_SECONDS", 0.735)
    monkeypatch.setattr(table_recording, "_BLOCK_BYTES", 1000)


def read(path: Path, number: int = 0, unit: str | None = None, told: Told | None = None) -> Int16:
    """A channel, piece by piece."""
    opened = open_recording(path, told)
    channel = opened.channels[number]
    scale = scale_of(channel.unit if unit is None else unit)
    assert scale is not None
    found = np.concatenate(list(pieces(opened, channel, scale)))
    assert found.size == channel.samples
    assert np.array_equal(stretch(opened, channel, scale, 700, 1300), found[700:1300])
    return found


def written(folder: Path, text: str | bytes, name: str = "ecg.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_another_program_is_read_without_a_question(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, TABLES[name](beats()), name)
    found = read(path)
    assert np.array_equal(found, beats()[: found.size])
    opened = open_recording(path)
    assert opened.channels[0].rate == RATE
    assert opened.name == path.stem
    assert opened.channels[0].samples == (1000 if name == "pandas.csv" else SAMPLES)


def test_names_and_units_come_of_the_header(tmp_path: Path) -> None:
    opened = open_recording(written(tmp_path, TABLES["german.csv"](beats())))
    assert [(channel.name, channel.unit) for channel in opened.channels] == [("I", "mV"), ("Druck", "mmHg")]
    opened = open_recording(written(tmp_path, TABLES["quoted.tsv"](beats()), "q.tsv"))
    assert [channel.name for channel in opened.channels] == ['Lead "II"']
    latin = "time_s,ecg [\N{MICRO SIGN}V],\x1b[31m=1+1\n0,1,1\n0.01,2,1\n".encode("latin-1")
    opened = open_recording(written(tmp_path, latin, "latin.csv"), Told(rate=100))
    assert [(channel.name, channel.unit) for channel in opened.channels] == [
        ("ecg", "\N{MICRO SIGN}V"),
        ("?[31m=1+1", ""),
    ]


@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize("rate", ["512 hertz", "512.844 hertz", "511,9 Hertz"])
def test_an_export_of_apple_health(rate: str, comma: bool, tmp_path: Path) -> None:
    path = written(tmp_path, apple(beats(), rate, comma), "ecg_2020-02-05.csv")
    (channel,) = open_recording(path).channels
    assert (channel.name, channel.unit, channel.rate) == ("Lead I", "\N{MICRO SIGN}V", 512)
    assert np.array_equal(read(path), beats())


def test_an_export_in_another_language_is_known_by_its_values(tmp_path: Path) -> None:
    text = apple(beats(), "512 Hertz", True).decode()
    for english, german in (
        ("Sample Rate", "Abtastrate"),
        ("Lead,Lead I", "Ableitung,Ableitung I"),
        ("Unit", "Einheit"),
    ):
        text = text.replace(english, german)
    path = written(tmp_path, text)
    assert open_recording(path).channels[0].name == "Ableitung I"
    assert np.array_equal(read(path), beats())


def test_a_column_of_numbers_needs_rate_and_unit_told(tmp_path: Path) -> None:
    path = written(tmp_path, "".join(f"{value:.0f}\n" for value in beats()))
    with pytest.raises(DataError, match="How many samples a second") as caught:
        open_recording(path)
    assert "--rate HZ" in caught.value.remedy
    assert np.array_equal(read(path, unit="uV", told=Told(rate=250)), beats())
    assert open_recording(path, Told(rate=250)).channels[0].rate == 250


def test_columns_that_are_told_take_the_place_of_a_header(tmp_path: Path) -> None:
    rows = "".join(f"{n / RATE:.3f},7,{value:.0f}\n" for n, value in enumerate(beats()))
    for text in (rows, "a,b,c\n" + rows):
        path = written(tmp_path, text)
        opened = open_recording(path, Told(columns="time_s,-,ii_uV"))
        assert [(channel.name, channel.unit, channel.rate) for channel in opened.channels] == [("ii", "uV", RATE)]
        assert np.array_equal(read(path, told=Told(columns="time_s,-,ii_uV")), beats())
        assert np.array_equal(read(path, unit="uV", told=Told(rate=100, columns="-,-,ii")), beats())


def test_what_two_readings_fit_is_a_question_that_columns_answer(tmp_path: Path) -> None:
    rising = written(tmp_path, "0.000,1.5\n0.002,1.5\n0.004,1.5\n")
    with pytest.raises(DataError, match=r"Is the first column of .* a time") as caught:
        open_recording(rising)
    assert "--columns" in caught.value.remedy
    commas = written(tmp_path, "0,5\n1,25\n-0,5\n")
    with pytest.raises(DataError, match=r"two columns in .* or numbers with a decimal comma") as caught:
        open_recording(commas)
    one, two = Told(rate=500, columns="ecg_mV"), Told(rate=500, columns="i_uV,ii_uV")
    assert np.concatenate(
        list(pieces(open_recording(commas, one), open_recording(commas, one).channels[0], 1000))
    ).tolist()
    assert [channel.samples for channel in open_recording(commas, two).channels] == [3, 3]


def test_what_is_missing_is_no_contact(tmp_path: Path) -> None:
    rows = [f"{value:.0f}\n" for value in beats()]
    for place, word in enumerate(("", "nan", "NaN", "NA", "null", "inf", "-inf", "1e999", "-"), 100):
        rows[place] = f"{word},\n"
    path = written(tmp_path, "ecg_uV,note\n" + "".join(row if "," in row else row.strip() + ",\n" for row in rows))
    found = read(path, told=Told(rate=RATE))
    assert np.flatnonzero(found == LEAD_OFF).tolist() == list(range(100, 109))


@pytest.mark.parametrize(("rate", "decimals"), [(128, 3), (250, 3), (360, 3), (512, 3), (500, 2), (1000, 3), (333, 4)])
def test_rounded_times_tell_their_rate_and_move_no_sample(rate: int, decimals: int, tmp_path: Path) -> None:
    if decimals == 2:
        rate = 50
    text = "t [s],ecg_uV\n" + "".join(f"{n / rate:.{decimals}f},{n % 1000}\n" for n in range(30 * rate))
    path = written(tmp_path, text)
    (channel,) = open_recording(path).channels
    assert channel.rate == rate
    assert np.array_equal(read(path), np.arange(30 * rate) % 1000)


def test_gaps_leave_room_and_jitter_moves_nothing(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    number = np.concatenate((np.arange(500), np.arange(750, 1500), np.arange(1501, 2000)))
    times = number / RATE + random.uniform(-0.0004, 0.0004, number.size)
    text = "time_us,ecg_uV\n" + "".join(f"{1e6 * time + 5e6:.1f},{n}\n" for time, n in zip(times, number, strict=True))
    found = read(written(tmp_path, text), told=Told(rate=RATE))
    wanted = np.full(2000, LEAD_OFF)
    wanted[number] = number
    assert np.array_equal(found, wanted)


def test_a_clock_goes_on_over_midnight(tmp_path: Path) -> None:
    seconds = (86_398 + np.arange(2000) / RATE) % 86_400
    text = "time,ecg_uV\n" + "".join(
        f"{int(s // 3600):02}:{int(s // 60 % 60):02}:{s % 60:06.3f},{n}\n" for n, s in enumerate(np.round(seconds, 3))
    )
    path = written(tmp_path, text)
    assert open_recording(path).channels[0].rate == RATE
    assert np.array_equal(read(path), np.arange(2000))


def test_times_of_no_unit_are_a_question_that_the_rate_answers(tmp_path: Path) -> None:
    path = written(tmp_path, "time,ecg_uV\n" + "".join(f"{2 * n},{value:.0f}\n" for n, value in enumerate(beats())))
    with pytest.raises(DataError, match="How many samples a second") as caught:
        open_recording(path)
    assert "'time'" in caught.value.why
    assert np.array_equal(read(path, told=Told(rate=RATE)), beats())
    with pytest.raises(DataError, match="How many samples a second"):
        open_recording(path, Told(rate=300))
    other = written(tmp_path, TABLES["ecg.csv"](beats()))
    with pytest.raises(DataError, match="tell 500 samples a second, not 360") as caught:
        open_recording(other, Told(rate=360))


FORTRAN = np.asfortranarray(np.stack((beats(), -beats()), axis=1))


@pytest.mark.parametrize(
    "array",
    [
        beats(),
        beats().astype("<f4"),
        beats().astype(">i2"),
        np.stack((beats(), -beats()), axis=1),
        np.stack((beats(), -beats())).astype(np.int32),
        FORTRAN,
        np.asfortranarray(np.stack((beats(), -beats()))),
    ],
    ids=["float64", "float32", "big-endian", "samples-channels", "channels-samples", "fortran", "fortran-rows"],
)
def test_an_array_of_numpy(array: npt.NDArray[np.generic], tmp_path: Path) -> None:
    np.save(tmp_path / "ecg.npy", array)
    for number in range(array.ndim):
        found = read(tmp_path / "ecg.npy", number, "uV", Told(rate=RATE))
        assert np.array_equal(found, beats() if number == 0 else -beats())
    with pytest.raises(DataError, match="How many samples a second"):
        open_recording(tmp_path / "ecg.npy")


def test_an_archive_of_numpy(tmp_path: Path) -> None:
    np.savez(tmp_path / "ecg.npz", i=beats(), both=FORTRAN, fs=500, time=np.arange(SAMPLES), about=np.array(["x"]))
    opened = open_recording(tmp_path / "ecg.npz", Told(rate=RATE))
    assert [channel.name for channel in opened.channels] == ["i", "both-0", "both-1"]
    assert np.array_equal(read(tmp_path / "ecg.npz", 2, "uV", Told(rate=RATE)), -beats())


@pytest.mark.parametrize("kind", ["<i2", "<i4", "<f4", "<f8", "u1"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_wav_file(kind: str, count: int, tmp_path: Path) -> None:
    signal = np.rint(beats() / 10)
    stored = np.stack([signal * (-1) ** n for n in range(count)], axis=1)
    path = write_wav(tmp_path / "ecg.wav", RATE, (stored + 128 if kind == "u1" else stored).astype(kind))
    assert open_recording(path).channels[0].rate == RATE
    assert np.array_equal(read(path, count - 1, "adu:100"), 10 * signal)


def test_a_wav_file_of_24_bits_of_any_size_told(tmp_path: Path) -> None:
    signal = beats().astype(np.int64) * 1000 - 400_000
    data = b"".join(int(value).to_bytes(3, "little", signed=True) for value in signal)
    for told in (len(data), 0, 0xFFFFFFFF):
        head = (
            b"fmt " + (16).to_bytes(4, "little") + b"\1\0\1\0" + RATE.to_bytes(4, "little") + bytes(4) + b"\3\0\x18\0"
        )
        body = b"WAVE" + b"LIST\3\0\0\0abc\0" + head + b"data" + told.to_bytes(4, "little") + data
        path = written(tmp_path, b"RIFF" + len(body).to_bytes(4, "little") + body, "ecg.wav")
        assert np.array_equal(read(path, 0, "adu:1000000"), np.rint(signal / 1000))


KINDS = ("EDF", "EDFPLUS", "BDF", "BDFPLUS")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_edf(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"ecg.{kind[:3].lower()}"
    write_edf(path, beats(), getattr(pyedflib, f"FILETYPE_{kind}"))
    opened = open_recording(path)
    assert [(channel.name, channel.unit, channel.rate) for channel in opened.channels] == [
        ("ECG I", "uV", RATE),
        ("ECG II", "mV", RATE),
        ("Resp", "Ohm", RATE / 10),
    ]
    assert np.array_equal(read(path, 0), -beats())
    assert np.array_equal(read(path, 1), beats())
    assert choose_channels(opened).channels == (opened.channels[1],)
    with pytest.raises(DataError, match="several rates"):
        open_recording(path, Told(rate=250))


def test_what_stays_at_an_end_of_the_digital_range_is_no_contact(tmp_path: Path) -> None:
    signal = beats()
    signal[100:149], signal[300:350] = 4000, -4000
    found = read(write_edf(tmp_path / "ecg.edf", signal, pyedflib.FILETYPE_EDFPLUS), 1)
    assert np.flatnonzero(found == LEAD_OFF).tolist() == list(range(300, 350))


def test_what_stays_at_an_end_of_a_type_is_no_contact(tmp_path: Path) -> None:
    samples = np.zeros(SAMPLES, np.int16)
    samples[100:149], samples[300:350], samples[500:550] = 32767, 32767, -32768
    np.save(tmp_path / "ecg.npy", samples)
    found = read(tmp_path / "ecg.npy", 0, "adu:10000", Told(rate=RATE))
    assert np.flatnonzero(found == LEAD_OFF).tolist() == [*range(300, 350), *range(500, 550)]


def test_a_rate_that_is_told_takes_the_place_of_the_files_own(tmp_path: Path) -> None:
    base = write_recording(tmp_path, "7", 360, beats()[:, None] / 1000)
    assert open_recording(base).channels[0].rate == 360
    assert open_recording(base, Told(rate=500)).channels[0].rate == 500
    assert np.array_equal(read(base, told=Told(rate=500)), beats())


@pytest.mark.parametrize(
    ("unit", "scale"), [("adu:200", 5.0), ("ADU:0.5", 2000.0), ("adu:0", None), ("adu:", None), ("adu:-1", None)]
)
def test_steps_of_a_converter_are_a_unit(unit: str, scale: float | None) -> None:
    assert scale_of(unit) == scale


@pytest.mark.parametrize("name", ["ecg.npy", "ecg.wav", "ecg"])
def test_columns_are_those_of_a_table(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--columns") as caught:
        open_recording(tmp_path / name, Told(columns="a"))
    assert caught.value.remedy


def test_a_table_may_be_larger_than_what_is_read_at_once(tmp_path: Path) -> None:
    file = io.StringIO()
    for n in range(30_000):
        file.write(f"{n % 7},{n % 1000}\n")
    path = written(tmp_path, "a_uV,b_uV\n" + file.getvalue())
    assert np.array_equal(read(path, 1, told=Told(rate=RATE)), np.arange(30_000) % 1000)
