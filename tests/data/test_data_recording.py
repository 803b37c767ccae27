"""Recordings of users in pieces: every format as the library reads it as a whole, units, gaps, rails, segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import wfdb

from ecgseg.data import recording
from ecgseg.data.opening import open_recording
from ecgseg.data.recording import Channel, Signal, pieces, scale_of, stretch
from ecgseg.errors import DataError
from ecgseg.pipeline import LEAD_OFF, microvolts
from support.recordings import write_recording, write_segments

RATE, SAMPLES = 200, 1999
MICRO = "\N{MICRO SIGN}V"


def waves(channels: int = 2, samples: int = SAMPLES) -> npt.NDArray[np.float64]:
    """Sines of 1 mV with a gap in all channels but the first."""
    time = np.arange(samples) / RATE
    signals = np.stack([np.sin(2 * np.pi * (1 + n) * time) for n in range(channels)], axis=1)
    signals[700:720, 1:] = np.nan
    return signals


def read(path: Path, number: int = 0) -> npt.NDArray[np.int16]:
    """A channel, piece by piece."""
    opened = open_recording(path)
    channel = opened.channels[number]
    return np.concatenate(list(pieces(opened, channel, scale_of(channel.unit) or 0)))


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "PIECE_SECONDS", 0.735)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("form", ["16", "24", "32", "61", "80", "160", "212", "310", "311"])
def test_pieces_are_what_the_library_reads_at_once(tmp_path: Path, form: str, number: int) -> None:
    random = np.random.default_rng(7)
    content = random.integers(0, 256, 8 * SAMPLES, np.uint8)
    if form == "311":  # The library takes a bit that is none of the sample's.
        content[3::4] &= 0x3F
    (tmp_path / "7.dat").write_bytes(content.tobytes())
    gain = {"24": 1 << 18, "32": 1 << 26}.get(form, 40000)
    lines = [f"7 2 {RATE} {SAMPLES}", f"7.dat {form} {gain}/mV 0 5 0 0 0 I", f"7.dat {form} {gain}(3)/mV 0 0 0 0 0 II"]
    (tmp_path / "7.hea").write_text("\n".join(lines) + "\n")
    whole = wfdb.rdrecord(str(tmp_path / "7")).p_signal[:, number]
    assert np.array_equal(read(tmp_path / "7", number), microvolts(whole))


@pytest.mark.parametrize("form", ["16", "212", "516"])
def test_a_recording_as_other_programs_write_it(tmp_path: Path, form: str) -> None:
    base = write_recording(tmp_path, "rec-7", RATE, waves(), fmt=form)
    for path in (base, base.with_suffix(".hea"), base.with_suffix(".dat")):
        whole = wfdb.rdrecord(str(base)).p_signal[:, 1]
        assert np.array_equal(read(path, 1), microvolts(whole))
    opened = open_recording(base)
    assert (opened.name, [channel.label for channel in opened.channels]) == ("rec-7", ["I", "II"])
    assert [(channel.rate, channel.samples) for channel in opened.channels] == [(RATE, SAMPLES)] * 2
    assert np.count_nonzero(read(base, 1) == LEAD_OFF) == 20


def test_a_header_may_leave_out_how_long_it_is_and_be_of_windows(tmp_path: Path) -> None:
    base = write_recording(tmp_path, "7", RATE, waves(1))
    header = base.with_suffix(".hea")
    before = read(base)
    text = header.read_text().replace(f"7 1 {RATE} {SAMPLES}", f"7 1 {RATE}")
    header.write_bytes(text.replace("\n", "\r\n").encode())
    assert np.array_equal(read(base), before)


@pytest.mark.parametrize(("unit", "in_a_millivolt"), [("mV", 1), ("uV", 1000), (MICRO, 1000), ("V", 1e-3), ("nV", 1e6)])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_values_become_microvolts_whatever_their_unit(
    tmp_path: Path, unit: str, in_a_millivolt: float, encoding: str
) -> None:
    gain = 1000 / in_a_millivolt
    base = write_recording(tmp_path, "7", RATE, waves(1) * in_a_millivolt, gain=gain, units=["mV"])
    header = base.with_suffix(".hea")
    header.write_bytes(header.read_text().replace("/mV", f"/{unit}").encode(encoding))
    assert np.array_equal(read(base), microvolts(np.round(waves(1)[:, 0], 3)))


def test_a_gain_may_have_all_the_decimals_that_the_library_writes(tmp_path: Path) -> None:
    values = np.array([0.1, -0.233333333, 0.70710678])[:, None]
    # Without a gain of the caller's the library makes one of the values.
    wfdb.wrsamp("7", 500, ["mV"], ["I"], p_signal=values, fmt=["212"], write_dir=str(tmp_path))
    assert len((tmp_path / "7.hea").read_text().split("(")[0].split(".")[-1]) > 9
    assert np.max(np.abs(read(tmp_path / "7") - 1000 * values[:, 0])) <= 0.75


@pytest.mark.parametrize("unit", ["NU", "mmHg", "C", "", "kV"])
def test_what_is_no_voltage_has_no_scale(unit: str) -> None:
    assert scale_of(unit) is None


def test_several_samples_a_frame_make_a_channel_faster(tmp_path: Path) -> None:
    samples = np.arange(600, dtype="<i2")
    (tmp_path / "7.dat").write_bytes(samples.tobytes())
    (tmp_path / "7.hea").write_text("7 2 100 100\n7.dat 16x5 1000/mV 0 0 0 0 0 I\n7.dat 16 1/C 0 0 0 0 0 T\n")
    opened = open_recording(tmp_path / "7")
    assert [(channel.rate, channel.samples) for channel in opened.channels] == [(500, 500), (100, 100)]
    assert np.array_equal(read(tmp_path / "7"), samples.reshape(-1, 6)[:, :5].reshape(-1))
    channel = opened.channels[0]
    assert stretch(opened, channel, 1000.0, 7, 13).tolist() == [8, 9, 10, 12, 13, 14]


def test_skew_is_undone_as_the_library_does(tmp_path: Path) -> None:
    base = write_recording(tmp_path, "7", RATE, waves())
    header = base.with_suffix(".hea")
    header.write_text(header.read_text().replace("7.dat 16 ", "7.dat 16:13 ", 1))
    whole = wfdb.rdrecord(str(base)).p_signal
    for number in (0, 1):
        assert np.array_equal(read(base, number), microvolts(whole[:, number]))


def test_segments_follow_each_other_and_a_gap_is_no_contact(tmp_path: Path) -> None:
    first, second = waves(2, 300), -waves(2, 501)
    write_recording(tmp_path, "7_1", RATE, first)
    write_recording(tmp_path, "7_2", RATE, second)
    base = write_segments(tmp_path, "7", RATE, [("7_1", 300), ("~", 250), ("7_2", 501)], 2)
    gap = np.full(250, LEAD_OFF)
    assert np.array_equal(read(base, 0), np.concatenate((read(tmp_path / "7_1"), gap, read(tmp_path / "7_2"))))


def test_segments_of_a_variable_layout_go_by_their_names(tmp_path: Path) -> None:
    write_recording(tmp_path, "7_1", RATE, waves(2, 300), names=("V", "II"))
    write_recording(tmp_path, "7_2", RATE, waves(1, 200), names=("V",))
    (tmp_path / "7_layout.hea").write_text(
        f"7_layout 2 {RATE} 0\n~ 0 1000/mV 16 0 0 0 0 II\n~ 0 1000/mV 16 0 0 0 0 V\n"
    )
    base = write_segments(tmp_path, "7", RATE, [("7_layout", 0), ("7_1", 300), ("7_2", 200)], 2)
    assert [channel.name for channel in open_recording(base).channels] == ["II", "V"]
    assert np.array_equal(read(base, 0), np.concatenate((read(tmp_path / "7_1", 1), np.full(200, LEAD_OFF))))
    assert np.array_equal(read(base, 1), np.concatenate((read(tmp_path / "7_1", 0), read(tmp_path / "7_2", 0))))


def test_what_stays_at_an_end_of_the_converter_is_no_contact_and_a_cut_top_is_kept(tmp_path: Path) -> None:
    signal = 0.1 * np.ones((SAMPLES, 1))
    signal[100:119], signal[400:420], signal[800:1900], signal[1990:] = 1.023, -1.024, 1.023, -1.024
    base = write_recording(tmp_path, "7", RATE, signal)
    header = base.with_suffix(".hea")
    text = header.read_text()
    assert "/mV 16 0 " in text
    header.write_text(text.replace("/mV 16 0 ", "/mV 11 0 "))
    found = read(base)
    off = np.flatnonzero(found == LEAD_OFF)
    assert off.tolist() == [*range(400, 420), *range(800, 1900)]
    opened = open_recording(base)
    for first, end in ((0, SAMPLES), (805, 815), (395, 405), (110, 130), (1980, 5000), (-5, 3)):
        part = stretch(opened, opened.channels[0], 1000.0, first, end)
        assert np.array_equal(part, found[max(first, 0) : end])


class Drawn:
    """A recording of samples at and off the rails."""

    name = "drawn"

    def __init__(self, at_rail: npt.NDArray[np.bool_]) -> None:
        self._at_rail = at_rail
        self.channels = (Channel(0, "I", "uV", RATE, at_rail.size),)

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        return Signal(np.ones(end - first), self._at_rail[first:end])


@pytest.mark.parametrize("seed", range(20))
def test_runs_at_a_rail_do_not_depend_on_the_pieces(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 45, 60)
    drawn = Drawn(np.repeat(np.arange(60) % 2 == seed % 2, lengths))
    wanted = np.repeat(np.where((np.arange(60) % 2 == seed % 2) & (lengths >= 20), LEAD_OFF, 1), lengths)
    for seconds in (0.005, 0.05, 0.35, 60):
        monkeypatch.setattr(recording, "PIECE_SECONDS", seconds)
        assert np.array_equal(np.concatenate(list(pieces(drawn, drawn.channels[0], 1.0))), wanted)


HEADER = f"7 1 {RATE} 100\n7.dat 16 1000/mV 16 0 0 0 0 I\n"
HOSTILE = {
    "nothing": ("", "does not begin with name"),
    "no signals": (f"7 0 {RATE} 100\n", "0 signals"),
    "a rate of nothing": (HEADER.replace(str(RATE), "0"), "a rate of nothing"),
    "more samples than bytes": (HEADER.replace(" 100\n", " 99999999\n"), "cannot hold"),
    "more samples than any recording": (HEADER.replace(" 100\n", " 999999999999\n"), "samples"),
    "a place outside": (HEADER.replace("7.dat", "../../7.dat"), "in a way that is not read"),
    "a place far outside": (HEADER.replace("7.dat", "/etc/passwd"), "in a way that is not read"),
    "an unknown format": (HEADER.replace(" 16 1000", " 17 1000"), "format 17"),
    "differences": (HEADER.replace(" 16 1000", " 8 1000"), "format 8"),
    "a line too few": (f"7 2 {RATE} 100\n7.dat 16\n", "counts 2 lines and has 1"),
    "a segment outside": (f"7/1 1 {RATE} 100\n../7 100\n", "names a segment"),
    "a segment in itself": (f"7/1 1 {RATE} 100\n7 100\n", "of several segments itself"),
    "segments that are gaps": (f"7/2 1 {RATE} 100\n~ 50\n~ 50\n", "holds no samples"),
    "a segment that is not there": (f"7/1 1 {RATE} 100\n8 100\n", "There is no 8.hea"),
    "a file that is not there": (HEADER.replace("7.dat", "8.dat"), "There is no 8.dat"),
    "a million segments": (f"7/999999 1 {RATE} 100\n7 100\n", "999999 segments"),
    "a thousand bits": (HEADER.replace("mV 16", "mV 99"), "in a way that is not read"),
    "a folder": (HEADER.replace("7.dat", "folder.dat"), "directory"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_header_is_refused_in_words(tmp_path: Path, what: str) -> None:
    header, said = HOSTILE[what]
    (tmp_path / "7.hea").write_text(header)
    (tmp_path / "7.dat").write_bytes(bytes(200))
    (tmp_path / "folder.dat").mkdir()
    with pytest.raises(DataError) as caught:
        open_recording(tmp_path / "7")
    assert said in caught.value.why
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["nowhere", "", ".", "a\0b", "\x1b[31mred", "x" * 5000, "/dev/zero", "/"])
def test_a_name_of_no_recording_is_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="There is no recording") as caught:
        open_recording(Path(name) if name.startswith("/") else tmp_path / name)
    assert caught.value.what.isprintable()


def test_names_in_a_recording_are_data(tmp_path: Path) -> None:
    base = write_recording(tmp_path, "7", RATE, waves(1))
    moved = tmp_path / "a b;$(rm) [red].dat.hea"
    moved.write_text(base.with_suffix(".hea").read_text().replace(" I\n", " \x1b[2J[bold]=1+1\n"))
    opened = open_recording(moved)
    assert opened.name == "a_b___rm___red__dat"
    assert opened.channels[0].name == "?[2J[bold]=1+1"


def test_samples_cut_off_while_they_are_read_are_told(tmp_path: Path) -> None:
    base = write_recording(tmp_path, "7", RATE, waves(1))
    opened = open_recording(base)
    base.with_suffix(".dat").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be read"):
        list(pieces(opened, opened.channels[0], 1000.0))
