"""EDF+D and BDF+D: what was not recorded is no contact, and everything else is where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyedflib
import pytest

from ecgseg.data.opening import open_recording
from ecgseg.data.readers import edf_header
from ecgseg.data.recording import pieces, scale_of
from ecgseg.errors import DataError
from ecgseg.pipeline import LEAD_OFF
from support.tables import RATE, beats, write_edf

KINDS = {"ecg.edf": (pyedflib.FILETYPE_EDFPLUS, b"EDF+D"), "ecg.bdf": (pyedflib.FILETYPE_BDFPLUS, b"BDF+D")}
SIGNALS = 3


def discontinuous(folder: Path, name: str, onsets: list[str]) -> Path:
    """A file of a record a second, each of which tells that it began so many seconds behind the start."""
    kind, word = KINDS[name]
    path = write_edf(folder / name, beats(), kind)
    data = bytearray(path.read_bytes())
    data[192:197] = word
    header = edf_header.read_header(path)
    assert (header.records, header.seconds) == (len(onsets), 1)
    for record, onset in enumerate(onsets):
        begin = header.first_byte + record * header.record_bytes + header.place(header.lines[SIGNALS]).start
        told = onset.encode() + b"\x14\x14\0"
        data[begin : begin + len(told)] = told
    path.write_bytes(data)
    return path


def read(path: Path, number: int) -> npt.NDArray[np.int16]:
    opened = open_recording(path)
    channel = opened.channels[number]
    return np.concatenate(list(pieces(opened, channel, scale_of(channel.unit) or 1.0)))


def seconds() -> int:
    return beats().size // RATE


@pytest.mark.parametrize("name", KINDS)
def test_records_without_gaps_are_read_as_pyedflib_reads_them(name: str, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    whole = write_edf(tmp_path / name, beats(), KINDS[name][0])
    path = discontinuous(tmp_path / "d", name, [f"+{second}" for second in range(seconds())])
    for number, channel in enumerate(open_recording(whole).channels):
        assert open_recording(path).channels[number] == channel
        assert np.array_equal(read(path, number), read(whole, number))


@pytest.mark.parametrize("name", KINDS)
def test_gaps_are_no_contact_and_what_follows_is_at_its_time(name: str, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    whole = read(write_edf(tmp_path / name, beats(), KINDS[name][0]), 1)
    count = seconds()
    onsets = [f"+{0.25 + second + 2 * (second >= 1) + 1.5 * (second >= count - 1):g}" for second in range(count)]
    path = discontinuous(tmp_path / "d", name, onsets)
    last = (count - 1) * RATE
    gaps = [np.full(round(length * RATE), LEAD_OFF, np.int16) for length in (2, 1.5)]
    wanted = np.concatenate((whole[:RATE], gaps[0], whole[RATE:last], gaps[1], whole[last:]))
    assert np.array_equal(read(path, 1), wanted)
    assert open_recording(path).channels[2].samples == wanted.size // 10
    opened = open_recording(path)
    for first, end in ((0, 1), (RATE - 1, RATE + 1), (2 * RATE, 2 * RATE + 5), (wanted.size - 1, wanted.size)):
        values = opened.read(opened.channels[1], first, end).values
        assert np.array_equal(np.isnan(values), wanted[first:end] == LEAD_OFF)


@pytest.mark.parametrize("jitter", [0.4 / RATE, -0.45 / RATE])
def test_times_that_are_rounded_make_no_gaps(jitter: float, tmp_path: Path) -> None:
    onsets = [f"+{second + jitter * (-1) ** second:.6f}" for second in range(1, seconds() + 1)]
    path = discontinuous(tmp_path, "ecg.edf", onsets)
    assert open_recording(path).channels[0].samples == beats().size


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("soon", "does not tell when record 1 begins"),
        ("1", "does not tell when record 1 begins"),
        ("+0.5", "record 1 begins before the one in front of it has ended"),
        ("-7", "record 1 begins before the one in front of it has ended"),
        ("+499999999", "samples"),
    ],
)
def test_times_that_are_none_are_refused(second: str, said: str, tmp_path: Path) -> None:
    onsets = [f"+{n if n < 2 else 500_000_000 + n}" for n in range(seconds())]
    path = discontinuous(tmp_path, "ecg.edf", [onsets[0], second, *onsets[2:]])
    with pytest.raises(DataError, match="cannot be read") as caught:
        open_recording(path)
    assert said in str(caught.value)


def test_gaps_of_which_nothing_is_told_are_refused(tmp_path: Path) -> None:
    path = discontinuous(tmp_path, "ecg.edf", [f"+{second}" for second in range(seconds())])
    data = path.read_bytes()
    path.write_bytes(data.replace(b"EDF Annotations", b"EDF Remarks    "))
    with pytest.raises(DataError) as caught:
        open_recording(path)
    assert "has gaps (EDF+D), and no annotations that tell where" in str(caught.value)


def test_a_file_that_was_cut_off_since_it_was_opened_is_told(tmp_path: Path) -> None:
    path = discontinuous(tmp_path, "ecg.edf", [f"+{3 * second}" for second in range(seconds())])
    opened = open_recording(path)
    path.write_bytes(path.read_bytes()[:-RATE])
    channel = opened.channels[0]
    with pytest.raises(DataError, match="cannot be read"):
        opened.read(channel, channel.samples - 5, channel.samples)
