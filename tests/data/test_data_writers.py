"""What is written of a recording: annotations that the library reads back, at every rate, and tables of known units."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgseg.data.writers.marks import Mark, in_order, marks_of, offset_sample, onset_sample
from ecgseg.data.writers.tables import (
    BEAT_COLUMNS,
    SIGNAL_COLUMNS,
    ChannelEvents,
    beat_table,
    cell,
    signal_table,
)
from ecgseg.data.writers.wfdb_annotations import annotation_file
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.times import TICK_RATE, offset_tick, onset_tick
from support.rates import RATES

ALL = EventFlag.P_ON | EventFlag.P_OFF | EventFlag.T_ON | EventFlag.T_OFF | EventFlag.RR | EventFlag.QTC
BEAT = Event(
    2001,
    0,
    0,
    EventKind.BEAT,
    87,
    int(ALL),
    1234,
    -5,
    p_on=-40,
    p_off=-20,
    qrs_on=-9,
    qrs_off=10,
    t_on=30,
    t_off=71,
    rr_ms=812,
    rate_tenths=739,
    pr_ms=155,
    qrs_ms=95,
    qt_ms=400,
    qtc_ms=429,
)


# Of these every tick lies on a sample or in the middle of two.
EVEN_RATES = (100, 200, 500, 1000)


@pytest.mark.parametrize("rate", EVEN_RATES)
def test_ends_of_waves_go_to_the_nearest_sample_and_a_tie_to_the_one_of_the_wave(rate: int) -> None:
    for sample in range(1, 200):
        onset, offset = onset_sample(onset_tick(sample), rate), offset_sample(offset_tick(sample), rate)
        # Half a sample at 100 Hz before and behind: exact at 200 and 1000 Hz, a tie at 100 and 500 Hz.
        assert onset - onset_tick(sample) * rate / TICK_RATE in (0, 0.5)
        assert offset_tick(sample) * rate / TICK_RATE - offset in (0, 0.5)
        if rate == 100:
            assert (onset, offset) == (sample, sample)


@pytest.mark.parametrize("rate", RATES)
def test_ends_of_waves_go_to_the_nearest_sample_of_any_rate(rate: int) -> None:
    for sample in range(1, 200):
        onset, offset = onset_sample(onset_tick(sample), rate), offset_sample(offset_tick(sample), rate)
        assert abs(onset - onset_tick(sample) * rate / TICK_RATE) <= 0.5
        assert abs(offset - offset_tick(sample) * rate / TICK_RATE) <= 0.5


@pytest.mark.parametrize("rate", RATES)
def test_annotations_read_back_at_every_rate(rate: int, tmp_path: Path) -> None:
    beats = [Event(**{**vars(BEAT), "tick": 2001 + 160 * number}) for number in range(50)]
    alone = Event(2095, 0, 0, EventKind.LONE_P, flags=int(EventFlag.P_ON | EventFlag.P_OFF), p_off=22)
    marks = [mark for event in [*beats[:2], alone, *beats[2:]] for mark in marks_of(event, 3, rate, 10**6)]
    (tmp_path / "7.ecgseg").write_bytes(b"".join(annotation_file(in_order(marks, rate), rate)))
    read = wfdb.rdann(str(tmp_path / "7"), "ecgseg")
    assert (read.fs, set(read.chan.tolist())) == (rate, {3})
    assert read.sample.tolist() == sorted(mark.sample for mark in marks)
    assert "".join(read.symbol).startswith("(p)(N)(t)(p)(p)(N)(t)") or rate != 1000
    peaks = read.sample[np.array(read.symbol) == "N"]
    wanted = [(16 * beat.tick + beat.r_fine) / (16 * TICK_RATE) * rate for beat in beats]
    assert np.max(np.abs(peaks - wanted)) <= 0.5
    onsets = [mark.sample for mark in marks if mark.symbol == "("]
    assert abs(onsets[0] - (2001 - 40) * rate / TICK_RATE) <= 0.5


def test_the_bytes_are_those_of_the_library(tmp_path: Path) -> None:
    samples = np.cumsum([0, 5, 1023, 1024, 70_000, 1, 0, 3_000_000, 40])
    channels = np.array([0, 0, 2, 2, 0, 1, 1, 11, 11])
    symbols = list("(p)(N)(t)")
    wfdb.wrann("7", "lib", samples, symbol=symbols, chan=channels, fs=500, write_dir=str(tmp_path))
    marks = [
        Mark(int(sample), int(channel), 0, symbol)
        for sample, channel, symbol in zip(samples, channels, symbols, strict=True)
    ]
    assert b"".join(annotation_file(marks, 500)) == (tmp_path / "7.lib").read_bytes()


def test_a_file_without_marks_reads_back(tmp_path: Path) -> None:
    (tmp_path / "7.ecgseg").write_bytes(b"".join(annotation_file([], 200)))
    assert wfdb.rdann(str(tmp_path / "7"), "ecgseg").sample.size == 0


def test_marks_stay_within_their_recording() -> None:
    late = Event(**{**vars(BEAT), "tick": 2})
    assert min(mark.sample for mark in marks_of(late, 0, 500, 100)) == 0
    assert max(mark.sample for mark in marks_of(late, 0, 500, 100)) == 99


def test_a_wave_of_which_one_end_is_known_has_its_peak_there() -> None:
    beat = Event(**{**vars(BEAT), "flags": int(EventFlag.P_OFF)})
    marks = marks_of(beat, 0, 200, 10**6)
    assert [mark.symbol for mark in marks] == ["p", ")", "(", "N", ")"]
    assert marks[0].sample == marks[1].sample == 1981


def test_marks_that_come_late_are_put_in_order() -> None:
    random = np.random.default_rng(3)
    samples = np.sort(random.integers(0, 10**6, 3000)) + random.integers(0, 2000, 3000)
    marks = [Mark(int(sample), 0, 0, "N") for sample in samples]
    assert [mark.sample for mark in in_order(marks, 500)] == sorted(samples.tolist())


def rows(lines: object) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(lines))))  # type: ignore[arg-type]


def test_a_beat_is_a_row_whose_columns_tell_their_units() -> None:
    bare = Event(**{**vars(BEAT), "tick": 2161, "flags": 0})
    first, second = rows(beat_table([ChannelEvents("II", [BEAT, bare], 20.0, complete=True)]))
    assert tuple(first) == BEAT_COLUMNS
    assert list(first.values()) == (
        "II 10.0034 9.805 9.905 9.960 10.055 10.155 10.360 812 73.9 155 95 400 429 fridericia 0 1.234 87"
    ).split(" ")
    assert [name for name, value in second.items() if not value] == [
        *("p_onset_s", "p_offset_s", "t_onset_s", "t_offset_s", "rr_ms", "heart_rate_bpm"),
        *("pr_ms", "qt_ms", "qtc_ms", "qtc_formula"),
    ]
    assert (second["p_absent"], second["qrs_ms"]) == ("1", "95")


def test_what_is_no_beat_has_its_own_table() -> None:
    events = [
        Event(100, 0, 0, EventKind.LEAD_OFF_BEGIN),
        Event(500, 1, 400, EventKind.LEAD_OFF_END),
        BEAT,
        Event(2500, 3, 24, EventKind.GAP),
        Event(2600, 4, 0, EventKind.LONE_P, flags=int(EventFlag.P_ON | EventFlag.P_OFF), p_off=20),
        Event(3000, 5, 0, EventKind.NOISY_BEGIN),
    ]
    channels = [ChannelEvents("V1", events, 20.0, complete=False), ChannelEvents("V2", [], 30.0, complete=True)]
    found = rows(signal_table(channels))
    assert tuple(found[0]) == SIGNAL_COLUMNS
    assert [tuple(row.values())[1:] for row in found] == [
        ("lead_off", "0.500", "2.500", "2.000"),
        ("gap", "12.500", "12.620", "0.120"),
        ("p_without_qrs", "13.000", "13.100", "0.100"),
        ("noisy", "15.000", "20.000", "5.000"),
        ("stopped", "0.000", "20.000", "20.000"),
        ("complete", "0.000", "30.000", "30.000"),
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("II", "II"),
        ("=1+1", "'=1+1"),
        ("-aVR", "'-aVR"),
        ("@x", "'@x"),
        ("a\nb", "a\\nb"),
        ("", ""),
        ("\x1b[0m", "\\x1b[0m"),
    ],
)
def test_names_of_channels_are_data(name: str, shown: str) -> None:
    assert cell(name) == shown
    (row, _) = rows(beat_table([ChannelEvents(name, [BEAT, BEAT], 20.0, complete=True)]))
    assert row["channel"] == shown
