"""Files of a user as a HIL test sends them: in parts, each a record, with leads that may stand in a file's name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgseg.data import inputs_files
from ecgseg.data.inputs_files import inputs_of_files
from ecgseg.data.recording import Told
from ecgseg.errors import DataError, UsageError
from ecgseg.pipeline import LEAD_OFF
from support.recordings import write_recording
from support.tables import RATE, TABLES, beats


def test_channels_come_in_parts_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs_files, "PART_SECONDS", 2)
    signal = np.stack((beats(), -beats()), axis=1) / 1000
    signal[990:1060, 1] = np.nan
    write_recording(tmp_path, "7", RATE, signal, names=("I", "i"))
    (tmp_path / "ecg.csv").write_bytes(TABLES["ecg.csv"](beats()[:700]))
    inputs = inputs_of_files([tmp_path / "7.hea", tmp_path / "ecg.csv"], channel=None)
    assert (inputs.count, inputs.rate, inputs.records, inputs.leads) == (3, RATE, (1, 2, 3), ("i", "ecg"))
    inputs = inputs_of_files([tmp_path / "7"], channel="all")
    sent = list(inputs)
    assert len(sent) == inputs.count == 4
    assert [(record.record_id, record.label, record.lead) for record in sent] == [
        (1, "7-1", "i"),
        (1, "7-1", "i-1"),
        (2, "7-2", "i"),
        (2, "7-2", "i-1"),
    ]
    assert np.array_equal(np.concatenate([record.samples for record in sent[::2]]), beats())
    second = np.concatenate([record.samples for record in sent[1::2]])
    assert np.flatnonzero(second == LEAD_OFF).tolist() == list(range(990, 1060))
    assert all(record.span is None and record.rate == RATE for record in sent)
    assert inputs.told()[0].startswith("7: Read: channel I in mV (1 is 1000 microvolts), 500 Hz")


def test_files_of_several_rates_and_open_questions_are_refused(tmp_path: Path) -> None:
    write_recording(tmp_path, "7", 250, beats()[:, None] / 1000)
    (tmp_path / "ecg.csv").write_bytes(TABLES["ecg.csv"](beats()))
    np.save(tmp_path / "ecg.npy", beats())
    with pytest.raises(UsageError, match="several rates: 250 Hz, 500 Hz"):
        inputs_of_files([tmp_path / "7", tmp_path / "ecg.csv"])
    with pytest.raises(DataError, match="How many samples a second"):
        inputs_of_files([tmp_path / "ecg.npy"])
    with pytest.raises(DataError, match="In what unit is channel 0"):
        inputs_of_files([tmp_path / "ecg.npy"], Told(rate=500))
    assert inputs_of_files([tmp_path / "ecg.npy"], Told(rate=500), unit="uV").leads == ("0",)
